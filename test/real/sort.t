#!/usr/bin/env python3
"""SORT, SELECT and bodies of a folder that is long enough for what is kept ready and read ahead, against what Python
makes of the same messages, while another session files and removes."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()
dice = random.Random(5)
FIRST, MORE = 300, 40
letters = {}   # UID -> what was appended


class Letter:
    def __init__(self, uid):
        self.uid, self.subject = uid, dice.choice(['', 'a', 'b', 'B', 'alpha', 'beta 7', 'beta 70', 'x' * 300]) + dice.choice(['', 'c'])
        self.date = 1700000000 + dice.randrange(40) * 60
        self.sender = dice.choice(['ana', 'bo', 'Bob', 'cem', 'zoe']) + '@team.example'
        self.bytes = (f'From: {self.sender}\r\nSubject: {dice.choice(["", "Re: "])}{self.subject}\r\n'
                      f'Date: {email.utils.formatdate(self.date)}\r\nMessage-ID: <{uid}@sort.example>\r\n\r\n'
                      + 'Some words.\r\n' * dice.choice([0, 1, 300, 300, 4000, 12000])).encode()
        self.size = len(self.bytes)

    def key(self, name):
        return {'SUBJECT': self.subject.lower(), 'DATE': self.date, 'SIZE': self.size, 'ARRIVAL': self.uid,
                'FROM': self.sender.split('@')[0].lower()}[name]


def file(imap, count):
    for _ in range(count):
        letter = Letter(max(letters, default=0) + 1)
        imap.append('Pile', None, '"01-Jan-2024 00:00:00 +0000"', letter.bytes)
        letters[letter.uid] = letter


def sorted_by(criteria):
    """Stable, the last criterion first."""
    order, names, reverse = sorted(letters), [], False
    for word in criteria.split():
        if word == 'REVERSE':
            reverse = True
            continue
        names.append((word, reverse))
        reverse = False
    for name, back in reversed(names):
        if back:   # what is equal stays in the order of the folder
            order.reverse()
        if name != 'ARRIVAL':   # all came at the same time
            order.sort(key=lambda uid: letters[uid].key(name))
        if back:
            order.reverse()
    return order


def check(imap, when):
    for criteria in ('SUBJECT', 'REVERSE SUBJECT', 'SUBJECT DATE', 'REVERSE SUBJECT REVERSE DATE', 'DATE', 'FROM SUBJECT',
                     'REVERSE FROM DATE', 'SIZE', 'REVERSE SIZE SUBJECT', 'ARRIVAL', 'REVERSE ARRIVAL'):
        got = [int(n) for n in imap.uid('SORT', f'({criteria})', 'UTF-8', 'ALL')[1][0].split()]
        tap.same(got, sorted_by(criteria), f'{when}: SORT ({criteria})')


def expunge(imap, uids):
    chosen = ','.join(str(uid) for uid in uids)
    imap.uid('STORE', chosen, '+FLAGS.SILENT', '(\\Deleted)')
    imap.uid('EXPUNGE', chosen)
    for uid in uids:
        del letters[uid]


with Site() as site:
    with site.imap('bo') as imap, site.imap('bo') as other:
        imap.create('Pile')
        file(imap, FIRST)
        imap.select('Pile')
        other.select('Pile')
        check(imap, 'at first')
        tap.same([int(n) for n in imap.uid('SORT', '(SUBJECT)', 'UTF-8', 'UID', '3:40')[1][0].split()],
                 [uid for uid in sorted_by('SUBJECT') if 3 <= uid <= 40], 'a few of them')
        for turn in range(3):
            file(other, MORE)
            expunge(other, dice.sample(sorted(letters), 25))
            imap.noop()
            check(imap, f'after change {turn + 1}')

        # bodies, read ahead and not
        data = imap.uid('FETCH', '1:*', '(UID BODY.PEEK[])')[1]
        got = {int(part[0].split(b'UID ')[1].split()[0]): part[1] for part in data if isinstance(part, tuple)}
        tap.ok(got == {uid: letter.bytes for uid, letter in letters.items()}, 'all bodies come back octet for octet')
        data = imap.uid('FETCH', '1:*', '(UID BODY.PEEK[TEXT]<13.9>)')[1]
        got = {int(part[0].split(b'UID ')[1].split()[0]): part[1] for part in data if isinstance(part, tuple)}
        tap.ok(got == {uid: letter.bytes.split(b'\r\n\r\n', 1)[1][13:22] for uid, letter in letters.items()},
               'and pieces of them')

        # SELECT tells what another session has read since
        for seen in (0, 1, 7, len(letters), 3):
            uids = sorted(letters)
            imap.uid('STORE', '1:*', '-FLAGS.SILENT', '(\\Seen)')
            if seen:
                imap.uid('STORE', f'1:{uids[seen - 1]}', '+FLAGS.SILENT', '(\\Seen)')
            for _ in range(2):
                other.unselect()
                other.untagged_responses.clear()
                other.select('Pile')
                want = [None] if seen == len(uids) else [str(seen + 1).encode()]
                tap.same(other.response('UNSEEN')[1], want, f'UNSEEN when {seen} are read')
                flags = other.uid('SEARCH', None, 'SEEN')[1][0].split()
                tap.same(len(flags), seen, f'SEARCH SEEN when {seen} are read')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
