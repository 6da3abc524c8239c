#!/usr/bin/env python3
"""Somebody's mail that calls itself a card by its Message-ID is none: whoever drags it to a board opens a task, and moves no other.
A card that comes back as its octets, as mbsync brings it, still is one, and so is the message that opened the task."""
import email, os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()
ANA, BO = 'ana@team.example', 'bo@team.example'


def cards(site, column):
    with site.imap('bo') as imap:
        imap.select(f'"Boards/doc/{column}"', readonly=True)
        return [imap.fetch(i, '(BODY.PEEK[])')[1][0][1] for i in imap.search(None, 'ALL')[1][0].split()]


def subjects(site, column):
    return [email.message_from_bytes(card)['Subject'] for card in cards(site, column)]


with Site() as site:
    with site.smtp('submission', 'ana') as s:
        s.sendmail(ANA, ['doc+task@team.example'], message('One', ANA, 'doc+task@team.example', 'x\r\n', Message_ID='<one@t>'))
    with site.smtp('smtp') as s:
        s.sendmail('eve@o.example', [BO], message('Please look', 'eve@o.example', BO, 'x\r\n', Message_ID='<card.T-1.1@team.example>'))
    with site.imap('bo') as imap:
        imap.select('INBOX')
        tap.same(imap.copy('1', '"Boards/doc/4 Done"')[0], 'OK', 'Bo drags mail from outside to the board')
    tap.same((subjects(site, '1 To do'), subjects(site, '4 Done')), (['T-1 One'], ['T-2 Please look']), 'a task is opened, and no other is moved')
    card, = cards(site, '1 To do')
    with site.imap('bo') as imap:
        tap.same(imap.append('"Boards/doc/2 Doing"', None, None, card)[0], 'OK', 'a real card is appended')
    tap.same((subjects(site, '1 To do'), subjects(site, '2 Doing')), ([], ['T-1 One']), 'and has moved')
    with site.imap('bo') as imap:
        imap.select('Topics/doc', readonly=True)
        opening = imap.fetch('1', '(BODY.PEEK[])')[1][0][1]
        tap.same(imap.append('"Boards/doc/3 Waiting"', None, None, opening)[0], 'OK', 'the message that opened it is appended, as it was read')
        tap.same((subjects(site, '2 Doing'), subjects(site, '3 Waiting')), ([], ['T-1 One']), 'and moves it')
        other = opening[opening.index(b'From: '):].replace(b'\r\nx\r\n', b'\r\ny\r\n')
        tap.same(imap.append('"Boards/doc/3 Waiting"', None, None, other)[0], 'OK', 'one with other words under its id is appended')
        tap.same(sorted(subjects(site, '3 Waiting')), ['T-1 One', 'T-3 One'], 'and opens a task')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
