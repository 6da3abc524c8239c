#!/usr/bin/env python3
"""Mail that lay there without having been obeyed (somebody else put it there, or the server ended between filing and obeying)
is obeyed when it comes once more, whatever its author did to the task before; and then only once."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()
ANA = 'ana@team.example'


def send(site, to, mail):
    with site.smtp('submission', 'ana') as s:
        s.sendmail(ANA, [to], mail)


def count(site, folder):
    with site.imap('ana') as imap:
        return int(imap.select(f'"{folder}"', readonly=True)[1][0])


with Site() as site:
    send(site, 'doc+task@team.example', message('Again', ANA, 'doc+task@team.example', 'Labels: one\r\n', Message_ID='<first@t>'))
    mail = message('go', ANA, 'T-1@team.example', '/start\r\n', Message_ID='<again@t>', Date='Sat, 21 Nov 2026 10:00:00 +0000')
    with site.imap('bo') as imap:
        tap.same(imap.append('Topics/doc', None, None, mail)[0], 'OK', 'Bo puts a copy of mail of Ana into the topic')
    tap.same((count(site, 'Topics/doc'), count(site, 'Boards/doc/2 Doing')), (2, 0), 'which commands nothing')
    send(site, 'T-1@team.example', mail)
    tap.same((count(site, 'Topics/doc'), count(site, 'Boards/doc/2 Doing')), (3, 1), 'the same mail from Ana does, and is filed no second time')
    send(site, 'T-1@team.example', message('back', ANA, 'T-1@team.example', '/reopen\r\n', Message_ID='<back@t>'))
    send(site, 'T-1@team.example', mail)
    tap.same((count(site, 'Topics/doc'), count(site, 'Boards/doc/2 Doing')), (5, 0), 'it comes a third time: it has been obeyed')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
