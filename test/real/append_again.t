#!/usr/bin/env python3
"""What a client has read in a topic and appends to one again is served with one prefix; the author's octets stay."""
import os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()
OWN = (b'Received: from far away by another.example; Sun, 22 Nov 2020 10:00:00 +0000\r\nList-Id: <other.list.example>\r\n'
       b'From: Bo <bo@team.example>\r\nTo: eng.backend@team.example, ana@team.example\r\nSubject: Again\r\n'
       b'Message-ID: <again@x.example>\r\nDate: Sun, 22 Nov 2020 10:00:00 +0000\r\nBaton-Kind: of my own\r\nXref: mine\r\n\r\n'
       b'Path: in the text\r\nBaton-Topic: eng.backend\r\n')
NAMES = b'Xref: mine\r\nBaton-Reason: mine\r\n' + message('For Ana', to='ana@team.example', Message_ID='<names@x.example>')


def read(imap, folder, number='*'):
    imap.select(folder, readonly=True)
    return imap.fetch(number, '(BODY.PEEK[])')[1][0][1]


def names(octets, own=OWN):
    header = octets[:len(octets) - len(own)]
    return re.findall(rb'^([!-9;-~]+):', header, re.M)


def same_twice(found):
    return [n for n in set(found) if found.count(n) > 1]


def put(site, imap):
    with site.smtp('submission', 'bo') as s:
        s.sendmail('bo@team.example', ['eng.backend@team.example'], OWN)
        s.sendmail('bo@team.example', ['eng.backend@team.example'], NAMES)
    served = read(imap, 'Topics/eng/backend', '1')
    tap.ok(served.endswith(OWN) and b'Xref' in names(served), 'a topic serves its prefix and the octets', served)
    return served


def again(imap, served):
    for topic in ('eng/ops', 'eng/backend'):
        imap.append(f'Topics/{topic}', None, None, served)
        got = read(imap, f'Topics/{topic}')
        tap.ok(got.endswith(OWN), f'appended to {topic}: the author\'s octets are the same', got)
        tap.same(same_twice(names(got)), [], f'appended to {topic}: no field twice')
        tap.ok(b'\r\nBaton-Topic: ' + topic.replace('/', '.').encode() + b'\r\n' in got and b' ' + topic.replace('/', '.').encode() + b':' in got,
               f'appended to {topic}: the fields are of where it lies', got)
    # as older copies lie there: one prefix upon another
    imap.append('Topics/eng/ops', None, None, read(imap, 'Topics/eng/ops')[:-len(OWN)] + served)
    got = read(imap, 'Topics/eng/ops')
    tap.ok(got.endswith(OWN) and not same_twice(names(got)), 'appended with two prefixes: served with one', got)


def named(imap):
    """INBOX shows who is named the same fields, and why."""
    inbox = read(imap, 'INBOX')
    tap.ok(b'Baton-Reason: named' in inbox, 'INBOX says why', inbox)
    imap.append('Topics/eng/ops', None, None, inbox)
    got = read(imap, 'Topics/eng/ops')
    tap.ok(got.endswith(b'\r\n' + NAMES) and not same_twice(names(got, NAMES)) and b'Baton-Reason' not in names(got, NAMES),
           'appended from INBOX: one prefix, and what the author wrote like it', got)


def others(imap, served):
    """Nothing else goes."""
    imap.append('Archive', None, None, served)
    tap.same(read(imap, 'Archive'), served, 'a folder of one\'s own keeps every octet')
    imap.select('Archive')
    imap.copy('1', 'Topics/eng/ops')
    got = read(imap, 'Topics/eng/ops')
    tap.ok(got.endswith(OWN) and not same_twice(names(got)), 'copied from there to a topic: one prefix', got)
    imap.select('Archive')
    tap.same(imap.copy('1', '"Boards/doc/1 To do"')[0], 'OK', 'copied to a board')
    got = read(imap, 'Topics/doc')
    tap.ok(got.endswith(OWN) and not same_twice(names(got)), 'it opens its thread as a task: one prefix', got)
    prefix = served[:len(served) - len(OWN)]
    for what, mine in (('another site', prefix.replace(b'team.example', b'team.invalid')),
                       ('another topic in Baton-Topic', prefix.replace(b'Baton-Topic: eng.backend', b'Baton-Topic: eng.web')),
                       ('no Baton-Topic', re.sub(rb'Baton-Topic: .*\r\n', b'', prefix)),
                       ('no List-Id', re.sub(rb'List-Id: .*\r\n', b'', prefix)),
                       ('a field of another\'s among them', prefix.replace(b'List-Post', b'X-List-Post')),
                       ('a field of another\'s before them', b'Received: by another.example; Sun, 22 Nov 2020 10:00:00 +0000\r\n' + prefix),
                       ('one that is not there', re.sub(rb'Archived-At: .*\r\n', b'', prefix)),
                       ('one that is there twice', re.sub(rb'(List-Help: .*\r\n)', rb'\1\1', prefix)),
                       ('another order', re.sub(rb'(List-Post: .*\r\n)(List-Subscribe: .*\r\n)', rb'\2\1', prefix))):
        imap.append('Topics/eng/ops', None, None, mine + OWN)
        got = read(imap, 'Topics/eng/ops')
        tap.ok(got.endswith(mine + OWN), f'{what}: all octets stay', got)


def only(imap, served):
    prefix = served[:len(served) - len(OWN)]
    imap.append('Topics/eng/ops', None, None, prefix)
    got = read(imap, 'Topics/eng/ops')
    tap.ok(got.endswith(prefix), 'nothing but a prefix is a message, too', got)


with Site() as site:
    with site.imap('ana') as imap:
        served = put(site, imap)
        again(imap, served)
        named(imap)
        others(imap, served)
        only(imap, served)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
