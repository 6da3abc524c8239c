#!/usr/bin/env python3
"""The columns of a board, changed by who looks after the topic from programs that people have: neomutt's list of folders, plain
IMAP while others move cards, mbsync of one who was away."""
import os, re, shutil, subprocess, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from screen import Screen

tap = Tap()
BOARD = 'Boards/eng/backend'


def names(site, person='bo'):
    with site.imap(person) as imap:
        return sorted(re.search(rb'"Boards/eng/backend/([^"]+)"', line)[1].decode() for line in imap.list('""', f'{BOARD}/%')[1] if line)


def open_task(site, title, column):
    with site.imap() as imap:
        code, said = imap.append(f'"{BOARD}/{column}"', None, None, message(title))
        assert code == 'OK', said


def cards(site, person='dee'):
    """{title: [(column, what the card says of its status)]}"""
    out = {}
    with site.imap(person) as imap:
        for name in names(site, person):
            imap.select(f'"{BOARD}/{name}"', readonly=True)
            for part in imap.fetch('1:*', '(BODY.PEEK[])')[1] or []:
                if isinstance(part, tuple):
                    title = re.search(rb'(?mi)^Subject: T-\d+ ([^\r(]+?) *[\r(]', part[1])[1].decode()
                    out.setdefault(title, []).append((name, re.search(rb'status=([^;\s]+)', part[1])[1].decode()))
    return out


def neomutt(site):
    open_task(site, 'Mend the fan', '2 Doing')
    home = os.path.join(site.folder, 'mutt')
    os.makedirs(home)
    with open(home + '/rc', 'w') as f:
        f.write(f'set folder="imap://ana@127.0.0.1:{site.port("imap")}/{BOARD}/"\nset spoolfile="imap://ana@127.0.0.1:{site.port("imap")}/INBOX"\nset imap_pass="{PASSWORD}"\nset ssl_starttls=no\nset ssl_force_tls=no\n'
                'bind editor <space> noop\nset sleep_time=0\nset wait_key=no\nset quit=yes\n')
    with Screen(f'neomutt -n -F {home}/rc', env={'HOME': home}) as s:
        s.until('INBOX')
        s.keys('c', '?')
        s.until('Mailboxes')
        s.keys('Tab')
        if not tap.ok(s.until('2 Doing'), 'neomutt: a board is a folder with its columns', s.text()):
            return
        s.keys('/')
        s.until('Search for')
        s.keys('-l', '2 Doing')
        s.keys('Enter')
        s.keys('r')
        if not tap.ok(s.until('Rename mailbox'), 'neomutt: r renames', s.text()):
            return
        s.keys('C-u')
        s.keys('-l', f'{BOARD}/2 In work')
        s.keys('Enter')
        tap.ok(s.until('(?s)^(?!.*2 Doing).*2 In work'), 'neomutt: it is renamed', s.text())
        s.keys('C')
        s.until('Create mailbox')
        s.keys('C-u')
        s.keys('-l', f'{BOARD}/4 Review')
        s.keys('Enter')
        tap.ok(s.until('5 Done'), 'neomutt: another is added', s.text())
    tap.same(names(site), ['1 To do', '2 In work', '3 Waiting', '4 Review', '5 Done'], 'neomutt: everybody has the columns so')
    tap.same(cards(site).get('Mend the fan'), [('2 In work', 'in-work')], 'neomutt: a card lies where it lay and says what it is called now')


def while_others_move(site):
    """Cards are moved by one, opened by another, while the columns are called otherwise: each lies in one column that says its status."""
    for i in range(6):
        open_task(site, f'Card {i}', '1 To do')
    gate, wrong, name = threading.Barrier(2), [], names(site)[1][2:]

    def move():
        with site.imap('bo') as imap:
            gate.wait(30)
            for i in range(30):
                here, there = [n for n in names(site) if n[0] in ('23' if i % 2 else '12')]
                if imap.select(f'"{BOARD}/{here}"')[0] != 'OK':
                    continue  # it was called otherwise meanwhile
                code, said = imap.uid('MOVE', '*', f'"{BOARD}/{there}"')
                if code != 'OK' and not any(w in said[0] for w in (b'TRYCREATE', b'NONEXISTENT')):
                    wrong.append(said)
    t = threading.Thread(target=move)
    t.start()
    with site.imap('ana') as imap:
        gate.wait(30)
        for i in range(12):
            before, after = [(name, 'Under way'), ('Under way', name)][i % 2]
            code, said = imap.rename(f'"{BOARD}/2 {before}"', f'"{BOARD}/2 {after}"')
            if code != 'OK':
                wrong.append(said)
    t.join()
    tap.same(wrong, [], 'columns are renamed while cards are moved')
    lies = {t: c for t, c in cards(site).items() if t.startswith('Card')}
    tap.same(len(lies), 6, 'no card is lost')
    tap.same([c for c in lies.values() if len(c) != 1 or c[0][0][2:].lower().replace(' ', '-') != c[0][1]], [], 'each is in one column, and says which')


def mbsync(site):
    top = os.path.join(site.folder, 'copy')
    os.makedirs(top)
    with open(top + '/rc', 'w') as f:
        f.write(f'IMAPAccount b\nHost 127.0.0.1\nPort {site.port("imap")}\nUser dee\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n'
                f'IMAPStore far\nAccount b\n\nMaildirStore near\nSubFolders Verbatim\nPath {top}/\nInbox {top}/INBOX\n\nChannel c\nFar :far:\nNear :near:\n'
                f'Patterns "{BOARD}/*"\nCreate Near\nRemove Near\nSync All\nExpunge Both\nSyncState {top}/state-\n')

    def sync():
        r = subprocess.run(['mbsync', '-c', top + '/rc', 'c'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        return '' if r.returncode == 0 else r.stdout.decode()

    def held(column):
        at = os.path.join(top, BOARD, column)
        return sum(len(os.listdir(os.path.join(at, d))) for d in ('cur', 'new'))
    with site.imap() as imap:
        imap.create(f'"{BOARD}/3 Asleep"')
    open_task(site, 'Read the meter', '3 Asleep')
    tap.same((sync(), held('3 Asleep')), ('', 1), 'mbsync: a column comes down')
    with site.imap() as imap:
        tap.same(imap.rename(f'"{BOARD}/3 Asleep"', f'"{BOARD}/4 Blocked"')[0], 'OK', 'it is renamed and moved')
    sync()  # the old one is gone: some versions complain once
    tap.same((sync(), held('4 Blocked')), ('', 1), 'mbsync: it comes under its new name')
    tap.same(cards(site)['Read the meter'], [('4 Blocked', 'blocked')], 'mbsync: and nothing is done to its card')


def listed(site):
    """Nobody's list lacks a column while it is called otherwise: who keeps a copy would drop it."""
    counts, renamed, gate = set(), threading.Event(), threading.Barrier(4)

    def look():
        with site.imap('bo') as imap:
            counts.add(len(imap.list('""', f'{BOARD}/%')[1]))
            gate.wait(120)
            while not renamed.is_set():
                counts.add(len(imap.list('""', f'{BOARD}/%')[1]))
    lookers = [threading.Thread(target=look) for _ in range(3)]
    all_there, name = len(names(site)), names(site)[0][2:]
    for t in lookers:
        t.start()
    with site.imap('ana') as imap:
        gate.wait(120)
        for i in range(100):
            before, after = [(name, 'At first'), ('At first', name)][i % 2]
            imap.rename(f'"{BOARD}/1 {before}"', f'"{BOARD}/1 {after}"')
    renamed.set()
    for t in lookers:
        t.join()
    tap.same(counts, {all_there}, 'a list has all columns while one is renamed')


with Site() as site:
    for part in (neomutt, while_others_move, listed, mbsync):
        missing = [p for p in {mbsync: ['mbsync'], neomutt: ['neomutt', 'tmux']}.get(part, []) if not shutil.which(p)]
        if missing:
            tap.skip(part.__name__, f'{missing[0]} is not installed')
            continue
        part(site)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
