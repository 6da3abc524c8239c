#!/usr/bin/env python3
"""kill -9 at random moments while three people move cards over IMAP: an acknowledged move stands, every card lies in
exactly one column, each event has its journal, and the tables agree. BATON_ROUNDS: how often."""
import os, random, re, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

ROUNDS = int(os.environ.get('BATON_ROUNDS') or 20)
COLUMNS = ['1 To do', '2 Doing', '3 Waiting', '4 Done']
CARDS = 4   # of each person, moved by nobody else
PEOPLE_HERE = ['ana', 'bo', 'cem']
tap = Tap()
may_be = {}  # (person, card) -> the columns in which it may be
moved = 0


def board(column):
    return f'"Boards/eng/backend/{column}"'


def find(imap, column):
    """Title -> UIDs of the cards in a column."""
    found = {}
    imap.select(board(column))
    _, data = imap.uid('FETCH', '1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
    for item in data:
        if isinstance(item, tuple):
            number = int(re.search(rb'UID (\d+)', item[0]).group(1))
            title = re.search(rb'T-\d+ (\S+)', item[1]).group(1).decode()
            found.setdefault(title, []).append(number)
    return found


def move_load(site, who, stop):
    global moved
    try:
        imap = site.imap(who)
        while not stop.is_set():
            source, target = random.sample(COLUMNS, 2)
            for title, numbers in find(imap, source).items():
                if not title.startswith(who):
                    continue
                may_be[title] = may_be[title] | {target}
                typ, _ = imap.uid('MOVE', str(numbers[0]), board(target))
                if typ == 'OK':
                    may_be[title] = {target}
                    moved += 1
                break
    except Exception:
        pass


def look(site, round_):
    bad = []
    with site.imap('ana') as imap:
        lies = {}
        for column in COLUMNS:
            for title, numbers in find(imap, column).items():
                lies.setdefault(title, []).extend([column] * len(numbers))
        for title, columns in may_be.items():
            found = lies.get(title, [])
            if len(found) != 1 or found[0] not in columns:
                bad.append(f'round {round_}: {title} is in {found}, may be in {columns}')
    return bad


with Site() as site:
    bad = []
    for who in PEOPLE_HERE:
        with site.imap(who) as imap:
            for n in range(CARDS):
                title = f'{who}.{n}'
                typ, _ = imap.append(board(COLUMNS[0]), None, None, message(title, sender=f'{who}@team.example'))
                assert typ == 'OK', typ
                may_be[title] = {COLUMNS[0]}
    for r in range(ROUNDS):
        stop = threading.Event()
        threads = [threading.Thread(target=move_load, args=(site, who, stop)) for who in PEOPLE_HERE]
        for t in threads:
            t.start()
        until = time.monotonic() + PATIENCE
        while moved <= r and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.4))
        site.kill()
        stop.set()
        for t in threads:
            t.join()
        if not site.start(check=False):
            bad.append(f'round {r}: did not start again: {site.log()[-400:]}')
            break
        bad += look(site, r)
        if bad:
            break
    tap.ok(not bad, f'{ROUNDS} times kill -9: every card is in one column, where it was moved', '\n'.join(bad[:20]))
    tap.ok(moved >= ROUNDS, f'{moved} moves were acknowledged')
    if site.daemon:
        with site.imap('ana') as imap:
            imap.select('Topics/eng/backend', readonly=True)
            _, data = imap.uid('SEARCH', 'HEADER', 'Message-ID', '<journal.T-')
            journals = len(data[0].split())
        tap.ok(journals >= moved, f'{journals} journals tell of {moved} moves')
        tap.same(site.stop(), 0, 'a clean end')
        tap.same(site.faults(), '', 'baton check is clean')
tap.done()
