#!/usr/bin/env python3
"""What is exported is imported again to the same octets, dates and flags; and other programs read it."""
import csv, io, mailbox, os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()
BODIES = ['Hello.\r\n', 'From here on\r\n>From there\r\n>>From nowhere\r\n\r\nFrom ana Tue Nov 24 07:30:00 2026\r\n',
          'ends in blank lines\r\n\r\n\r\n', '.\r\n..dots\r\n', 'x' * 900 + '\r\n', 'Grüße aus Köln\r\n',
          ''.join(f'line {i}\r\n' for i in range(5_000))]


def all_of(site, folder, person='cem'):
    """In order: octets, as the bodies and subjects are, and when each came."""
    with site.imap(person) as imap:
        imap.select(folder, readonly=True)
        _, data = imap.fetch('1:*', '(INTERNALDATE FLAGS BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (Subject From Message-ID X-Odd)])')
    found, last = [], None
    for item in data:
        if isinstance(item, tuple):
            if b'INTERNALDATE' in item[0]:
                date = re.search(rb'INTERNALDATE "([^"]*)"', item[0]).group(1)
                flags = re.search(rb'FLAGS \(([^)]*)\)', item[0]).group(1).replace(b'\\Recent', b'').split()
                last = [date, sorted(flags), item[1]]
                found.append(last)
            else:
                last.append(item[1])
    return found


def raw(site, folder, person='ana'):
    """All octets of a folder of one's own, which has no prefix."""
    with site.imap(person) as imap:
        imap.select(folder, readonly=True)
        _, data = imap.fetch('1:*', '(FLAGS BODY.PEEK[])')
    return [item[1] for item in data if isinstance(item, tuple)]


with Site() as site:
    at = lambda name: os.path.join(site.folder, name)
    with site.smtp('submission', 'bo') as c:
        for i, body in enumerate(BODIES):
            c.sendmail('bo@team.example', ['eng.backend@team.example'],
                       message(f'number {i}', body='', X_Odd=' a  b').replace(b'\r\n\r\n', b'\r\n\r\n' + body.encode(), 1))
    with site.imap('ana') as imap:
        for i, body in enumerate(BODIES):
            imap.append('Archive', ['', '\\Seen', '(\\Flagged \\Answered)', '(\\Seen \\Draft)'][i % 4], imaplib.Time2Internaldate(1_700_000_000 + 60 * i),
                        message('mine', body='').rstrip() + b'\r\n\r\n' + body.encode())
        imap.append('Archive', None, imaplib.Time2Internaldate(1_700_000_000), b'Message-ID: <short@x.example>\r\n\r\nno more header than this\r\n')
    want, mine = all_of(site, 'Topics/eng/backend'), raw(site, 'Archive')
    tap.same(len(want), len(BODIES), 'all were posted')

    tap.ok('7 messages written' in site.baton('export', 'mbox', '--topic', 'eng.backend', at('a.mbox')), 'a topic as mbox')
    site.baton('import', 'mbox', '--topic', 'eng.ops', at('a.mbox'))
    strip = lambda rows: [[row[0], *row[2:]] for row in rows]  # imported is history: seen
    tap.same(strip(all_of(site, 'Topics/eng/ops')), strip(want), 'imported again: the same')
    out = site.baton('export', 'mbox', '--topic', 'eng.ops', '-', binary=True)
    tap.same(out, open(at('a.mbox'), 'rb').read(), 'exported again, to standard output: the same')
    tap.same([m['Subject'] for m in mailbox.mbox(at('a.mbox'))], [f'number {i}' for i in range(len(BODIES))], "Python's mailbox reads it")

    site.baton('export', 'maildir', '--topic', 'eng.backend', at('md'))
    site.baton('import', 'maildir', '--topic', 'doc', at('md'))
    tap.same(strip(all_of(site, 'Topics/doc')), strip(want), 'a topic as Maildir and back: the same')

    for way, path in (('mbox', at('mine.mbox')), ('maildir', at('mine'))):
        site.baton('export', way, '--user', 'ana', '--folder', 'Archive', path)
        site.baton('import', way, '--user', 'ana', '--folder', f'Back/{way}', path)
        back = raw(site, f'Back/{way}')
        tap.ok(back == mine, f'a folder as {way} and back: the same octets',
               next((f'got  {g[-300:]}\nwant {w[-300:]}' for g, w in zip(back, mine) if g != w), f'{len(back)} of {len(mine)}'))
    flags = lambda name: [[row[0], [f for f in row[1] if f != b'\\Seen']] for row in all_of(site, name, 'ana')]  # history is seen
    tap.same(flags('Back/maildir'), flags('Archive'), 'Maildir keeps flags and dates')
    files = os.listdir(at('mine/cur'))
    tap.same(sorted(int(os.stat(os.path.join(at('mine/cur'), f)).st_mtime) for f in files),
             sorted([1_700_000_000 + 60 * i for i in range(len(BODIES))] + [1_700_000_000]), 'the time of a file is when the message came')
    tap.same(sorted(m.get_flags() for m in mailbox.Maildir(at('mine'))), sorted(['', 'S', 'FR', 'DS', '', 'S', 'FR', '']), "Python's mailbox reads the flags")

    empty = site.baton('export', 'mbox', '--user', 'dee', '--folder', 'Trash', at('empty.mbox'))
    tap.ok('0 messages' in empty and os.path.getsize(at('empty.mbox')) == 0, 'nothing gives an empty file')
    for what, args, code in (('a file that is there', ('mbox', '--topic', 'doc', at('a.mbox')), 1), ('a folder that is full', ('maildir', '--topic', 'doc', at('md')), 1),
                             ('no source', ('mbox', '-'), 2), ('two sources', ('mbox', '--topic', 'doc', '--user', 'bo', '-'), 2),
                             ('no such topic', ('mbox', '--topic', 'dock', '-'), 1), ('no such folder', ('mbox', '--user', 'bo', '--folder', 'X', '-'), 1)):
        r = site.baton('export', *args, check=False)
        tap.ok(r.returncode == code and r.stderr.startswith(b'baton: '), f'refused: {what}', f'{r.returncode} {r.stderr}')
    tap.same(out, open(at('a.mbox'), 'rb').read(), 'a file that was there is as it was')

    rows = list(csv.reader(io.StringIO(site.baton('export', 'csv', '-', binary=True).decode(), newline='')))
    tap.same(rows[0], 'number topic title status assignees start due labels priority waits opened changed closed'.split(), 'tasks as CSV')
    site.stop()
    tap.same(site.baton('export', 'mbox', '--topic', 'eng.ops', '-', binary=True), out, 'without batond, too')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
