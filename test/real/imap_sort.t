#!/usr/bin/env python3
"""SORT (RFC 5256) against a model: texts that are the same for long and end at, before and behind the pieces in which they
are compared; few messages and many (whose order of subjects is kept), several criteria, each reversed."""
import os, random, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

COUNT, SEED = 600, int(os.environ.get('SEED', 20261122))
tap, dice = Tap(), random.Random(SEED)
LENGTHS = (0, 1, 7, 8, 9, 249, 250, 251, 499, 500, 501, 750, 1200)


def text(letter):
    same = letter * dice.choice(LENGTHS)
    return same + ''.join(dice.choice('abAB') for _ in range(dice.randrange(3))) or letter


def one():
    m = {'SUBJECT': text('p'), 'FROM': text('q'), 'TO': text('r'), 'CC': '', 'size': dice.randrange(3), 'day': dice.randrange(1, 4)}
    octets = (f'From: <{m["FROM"]}@x.example>\r\nTo: <{m["TO"]}@x.example>\r\nSubject: {m["SUBJECT"]}\r\nDate: {m["day"]} Nov 2026 10:00:00 +0000\r\n'
              f'\r\n{"x" * m["size"]}\r\n').encode()
    m.update(SIZE=len(octets), DATE=m['day'], octets=octets)
    for name in 'SUBJECT', 'FROM', 'TO':
        m[name] = m[name].lower()
    return m


def model(messages, numbers, criteria):
    """Stable from the last criterion to the first: what is equal stays in the mailbox's order, reversed or not."""
    out = sorted(numbers)
    for name, reverse in reversed(criteria):
        out.sort(key=lambda n: messages[n - 1][name], reverse=reverse)
    return out


with Site(people=[PEOPLE[0]], topics=[]) as site:
    messages = [one() for _ in range(COUNT)]
    path = os.path.join(site.folder, 'sorted.mbox')
    with open(path, 'wb') as f:
        for m in messages:
            f.write(b'From x@x.example Sun Nov 22 10:00:00 2026\n' + m['octets'].replace(b'\r\n', b'\n') + b'\n')
    site.baton('import', 'mbox', path, '--user', 'ana', '--folder', 'Archive')
    with site.imap('ana') as imap:
        tap.same(imap.select('Archive')[1], [str(COUNT).encode()], 'all are there')
        def check(criteria, low, high):
            asked = ' '.join(('REVERSE ' if reverse else '') + name for name, reverse in criteria)
            got = [int(n) for n in imap.sort(f'({asked})', 'UTF-8', f'{low}:{high}')[1][0].split()]
            return None if got == model(messages, range(low, high + 1), criteria) else f'({asked}) {low}:{high}: {got}'
        for low, high, rounds in (1, COUNT, 40), (1, 100, 20), (11, 40, 40), (7, 7, 3):
            wrong = []
            for _ in range(rounds):
                names = dice.sample(['SUBJECT', 'FROM', 'TO', 'CC', 'SIZE', 'DATE'], dice.randrange(1, 4))
                wrong.append(check([(name, dice.random() < 0.5) for name in names], low, high))
            for reverse in False, True:
                wrong.append(check([('SUBJECT', reverse)], low, high))
            tap.ok(not any(wrong), f'{low}:{high}: {rounds} orders (SEED={SEED})', next(filter(None, wrong), '')[:2000])
        imap.store('1:50', '+FLAGS.SILENT', '(\\Deleted)')
        imap.expunge()
        del messages[:50]
        tap.ok(not check([('SUBJECT', False)], 1, COUNT - 50), 'and when some have gone')
    tap.same(site.stop(), 0, 'a clean end')
tap.done()
