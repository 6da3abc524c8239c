#!/usr/bin/env python3
"""kill -9 at random moments under SMTP, APPEND and POST load: every acknowledged message is there once, nothing
is doubled, no number is given twice to different messages, every restart goes by itself. BATON_ROUNDS: how often."""
import json, os, random, re, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

ROUNDS = int(os.environ.get('BATON_ROUNDS') or 50)
tap = Tap()
acknowledged = []  # (Message-ID, folder, number or None)
known = {}         # (folder, number) -> Message-ID, as ever seen by a client
lock = threading.Lock()


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


def append_load(site, who, stop):
    i = 0
    try:
        c = site.imap('cem')
        while not stop.is_set():
            i += 1
            ident = f'<append.{who}.{i}@load.example>'
            typ, data = c.append('Archive', None, None, message('load', Message_ID=ident))
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


with Site() as site:
    bad = []
    for r in range(ROUNDS):
        stop = threading.Event()
        threads = [threading.Thread(target=f, args=(site, f'{r}.{k}', stop))
                   for k in range(3) for f in (smtp_load, append_load, post_load)]
        for t in threads:
            t.start()
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
        if not site.start(check=False):
            bad.append(f'round {r}: did not start again: {site.log()[-400:]}')
            break
        if r % 5 == 4 or r == ROUNDS - 1:
            bad += look(site, r)
        if bad:
            break
    tap.ok(not bad, f'{ROUNDS} times kill -9: nothing lost, doubled or renumbered', '\n'.join(bad[:20]))
    tap.ok(len(acknowledged) > ROUNDS * 3, f'{len(acknowledged)} messages were acknowledged')
    if site.daemon:
        tap.same(site.stop(), 0, 'a clean end')
        tap.same(site.faults(), '', 'baton check is clean')
tap.done()
