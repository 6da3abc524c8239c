#!/usr/bin/env python3
"""kill -9 at random moments under load by SMTP, APPEND, POST, STORE and MOVE, in the start, too: every acknowledged
message is there once, nothing is doubled, no number is given twice to different messages, an acknowledged flag stays, a
message that is moved is in one of two folders, every restart goes by itself. BATON_ROUNDS: how often."""
import json, os, random, re, subprocess, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

ROUNDS = int(os.environ.get('BATON_ROUNDS') or 50)
tap = Tap()
acknowledged = []  # (Message-ID, folder, number or None)
known = {}         # (folder, number) -> Message-ID, as ever seen by a client
lock = threading.Lock()
flags = {}         # number in bo's Drafts -> the states that it may be in


def ack(ident, folder, number=None):
    with lock:
        acknowledged.append((ident, folder, number))


def smtp_load(site, who, stop):
    i = 0
    try:
        c = site.smtp('submission', 'bo')
        while not stop.is_set():
            i += 1
            ident = f'<smtp.{who}.{i}@load.example>'
            c.sendmail('bo@team.example', ['eng.backend@team.example'],
                       message('load', Message_ID=ident, body='x' * 70 + '\r\n' + 'y\r\n' * random.randrange(900)))
            ack(ident, 'Topics/eng/backend')
    except Exception:
        pass


def long_text():
    """So long that it is filed in several transactions."""
    return random.randbytes(4 << 20).hex('\n', 40).replace('\n', '\r\n') + '\r\n'


def append_load(site, who, stop):
    i = 0
    try:
        c = site.imap('cem')
        while not stop.is_set():
            i += 1
            ident = f'<append.{who}.{i}@load.example>'
            body = 'Hello.\r\n' if random.randrange(40) else long_text()
            typ, data = c.append('Archive', None, None, message('load', Message_ID=ident, body=body))
            if typ == 'OK':
                ack(ident, 'Archive', int(re.search(rb'APPENDUID \d+ (\d+)', data[0]).group(1)))
    except Exception:
        pass


def post_load(site, who, stop):
    i = 0
    try:
        c = site.nntp('dee')
        while not stop.is_set():
            i += 1
            ident = f'<post.{who}.{i}@load.example>'
            article = message('load', sender='dee@team.example', Newsgroups='eng.ops', Message_ID=ident)
            if c.post(article.splitlines(True)).startswith('240'):
                ack(ident, 'Topics/eng/ops')
    except Exception:
        pass


MARKED = 20


def mark_load(site, who, stop):
    """Sets and clears a keyword; while the answer has not come it may be either."""
    try:
        c = site.imap('bo')
        c.select('Drafts')
        while not stop.is_set():
            n, on = random.randrange(1, MARKED + 1), random.random() < 0.5
            flags[n] = flags[n] | {on}
            if c.uid('STORE', str(n), '+FLAGS.SILENT' if on else '-FLAGS.SILENT', 'Later')[0] == 'OK':
                flags[n] = {on}
    except Exception:
        pass


def move_load(site, who, stop):
    """Moves twenty messages of ana's there and back."""
    try:
        c = site.imap('ana')
        while not stop.is_set():
            for here, there in (('Archive', 'Trash'), ('Trash', 'Archive')):
                c.select(here)
                for _ in range(random.randrange(1, MARKED)):
                    c.uid('MOVE', '*', there)
    except Exception:
        pass


def folder(imap, name):
    """number -> Message-ID of all messages, read by a client."""
    imap.select(name, readonly=True)
    found = {}
    typ, data = imap.uid('FETCH', '1:*', '(BODY.PEEK[HEADER.FIELDS (Message-ID)])')
    for item in data:
        if isinstance(item, tuple):
            number = int(re.search(rb'UID (\d+)', item[0]).group(1))
            found[number] = re.search(rb'<[^>]*>', item[1]).group(0).decode()
    return found


def look(site, round_):
    bad = []
    with lock:  # what comes meanwhile may be too late for this look
        promised = list(acknowledged)
    with site.imap('cem') as imap:
        for name in ('Topics/eng/backend', 'Topics/eng/ops', 'Archive'):
            found = folder(imap, name)
            idents = list(found.values())
            if len(set(idents)) != len(idents):
                bad.append(f'round {round_}: doubled in {name}')
            have = set(idents)
            for ident, where, number in promised:
                if where != name:
                    continue
                if ident not in have:
                    bad.append(f'round {round_}: lost {ident} from {name}')
                elif number and found.get(number) != ident:
                    bad.append(f'round {round_}: {ident} is not under its number {number}')
            for number, ident in found.items():
                if known.setdefault((name, number), ident) != ident:
                    bad.append(f'round {round_}: number {number} of {name} was {known[(name, number)]}, now {ident}')
    return bad


def look_at_flags(site, round_):
    with site.imap('bo') as imap:
        imap.select('Drafts', readonly=True)
        _, data = imap.uid('SEARCH', 'KEYWORD', 'Later')
        on = set(map(int, data[0].split()))
    return [f'round {round_}: keyword of {n} is {n in on}, may be {may}' for n, may in flags.items() if (n in on) not in may]


def look_at_moved(site, round_):
    with site.imap('ana') as imap:
        found = sorted([*folder(imap, 'Archive').values(), *folder(imap, 'Trash').values()])
    want = sorted(f'<moved.{n}@load.example>' for n in range(MARKED))
    return [] if found == want else [f'round {round_}: of {MARKED} messages that are moved to and fro there are {found}']


def heard(count):
    """Waits until so many messages were acknowledged."""
    until = time.monotonic() + PATIENCE
    while len(acknowledged) < count and time.monotonic() < until:
        time.sleep(0.01)


def kill_in_the_start(site):
    """A start that is killed before it serves, while it recovers."""
    command = [os.path.join(BUILD, 'batond'), '--home', site.home, '--foreground']
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0, 0.12))
    p.kill()
    p.wait()


# a small cache and small logs: there are checkpoints all the time, and log files come and go
with Site(conf=random.choice(['', '[store]\ncache = 4M\nlog-file = 1M\n'])) as site:
    bad = []
    for n in range(1, MARKED + 1):
        site.imap('bo').append('Drafts', None, None, message('marked'))
        site.imap('ana').append('Archive', None, None, message('moved', Message_ID=f'<moved.{n - 1}@load.example>'))
        flags[n] = {False}
    for r in range(ROUNDS):
        stop = threading.Event()
        threads = [threading.Thread(target=f, args=(site, f'{r}.{k}', stop))
                   for k in range(3) for f in (smtp_load, append_load, post_load)]
        threads += [threading.Thread(target=f, args=(site, r, stop)) for f in (mark_load, move_load)]
        for t in threads:
            t.start()
        if r % 2:  # in every other round not before all of them are at work
            heard(len(acknowledged) + 10)
        time.sleep(random.uniform(0.05, 0.6))
        if r % 7 == 3:  # what a client was shown while it ran must stay so
            try:
                bad += look(site, f'{r} (running)')
            except Exception:
                pass
        site.kill()
        stop.set()
        for t in threads:
            t.join()
        if r % 3 == 1:
            kill_in_the_start(site)
        if not site.start(check=False):
            bad.append(f'round {r}: did not start again: {site.log()[-400:]}')
            break
        bad += look_at_flags(site, r) + look_at_moved(site, r)
        if r % 5 == 4 or r == ROUNDS - 1:
            bad += look(site, r)
        if bad:
            break
    tap.ok(not bad, f'{ROUNDS} times kill -9: nothing lost, doubled or renumbered', '\n'.join(bad[:20]))
    tap.ok(len(acknowledged) >= ROUNDS // 2 * 10, f'{len(acknowledged)} messages were acknowledged')
    if site.daemon:
        tap.same(site.stop(), 0, 'a clean end')
        tap.same(site.faults(), '', 'baton check is clean')
tap.done()
