#!/usr/bin/env python3
"""One flipped byte anywhere in the store's files, after a clean end and after kill -9: the server refuses to start, or
stops and says which file is damaged, or serves everything unchanged; never less, never anything else. What the server
finds `baton check` finds too. BATON_ROUNDS: how often; BATON_SEED: which flips."""
import os, random, re, sys, threading
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from rawclient import Imap, Malformed, Nntp, Refused

ROUNDS = int(os.environ.get('BATON_ROUNDS') or 60)
SEED = int(os.environ.get('BATON_SEED') or random.randrange(1 << 30))
PAGE = 4096
NAMES_DAMAGE = re.compile(r'damaged|missing|not whole|wrong|cannot be (read|recovered)')
tap = Tap()


# ---- what a client sees ----

def over_imap(site, person, seen):
    with Imap(site.port('imap')) as c:
        c.login(person)
        folders = [line.split(b'"/" ')[1].strip() for line in c.command('LIST "" *')[2]
                   if line.startswith(b'* LIST') and b'Noselect' not in line and b'NonExistent' not in line]
        seen(f'{person}: folders', folders)
        for folder in folders:
            _, _, untagged = c.command(b'EXAMINE ' + folder)
            seen(f'{person} {folder}: state', sorted(line for line in untagged if re.search(rb'EXISTS|UIDVALIDITY|UIDNEXT|UNSEEN', line)))
            if any(re.match(rb'\* 0 EXISTS', line) for line in untagged):
                continue
            for _, items in c.fetch('1:*', '(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])'):
                items[b'FLAGS'].discard(b'\\Recent')
                seen(f'{person} {folder} {items[b"UID"]}', items)
            seen(f'{person} {folder}: seen', c.command('UID SEARCH SEEN')[2])


def over_news(site, person, seen):
    with Nntp(site.port('nntp'), person) as c:
        c.command('LIST ACTIVE', '215')
        groups = sorted(c.block())
        seen('groups', groups)
        for group in groups:
            name = group.split()[0].decode()
            count, low, high = c.group(name)
            seen(f'{name}: marks', (count, low, high))
            if count == 0:
                continue
            c.command(f'OVER {low}-{high}', '224')
            lines = c.block()
            seen(f'{name}: overview', lines)
            for line in lines:
                fields = line.decode('utf-8', 'replace').split('\t')
                seen(f'{name}: article {fields[0]}', c.article(fields[0]))
                seen(f'{name}: article {fields[4]}', c.article(fields[4]))


def look(site, seen):
    for person in ('ana', 'bo', 'cem'):
        over_imap(site, person, seen)
    over_news(site, 'bo', seen)


def make(site):
    """Some of everything."""
    ids = []
    with site.smtp('submission', 'bo') as c:
        for i in range(40):
            ids.append(f'<m{i}@flip.example>')
            answer = {'In_Reply_To': ids[i // 3], 'References': ids[i // 3]} if i % 4 else {}
            c.sendmail('bo@team.example', ['eng.backend@team.example', 'cem@team.example'] if i % 5 else ['doc@team.example'],
                       message(f'message {i} täg', Message_ID=ids[i], body='line\r\n' * (7 * i), **answer))
        c.sendmail('bo@team.example', ['eng.ops@team.example'], message('big', body='0123456789' * 7 + '\r\n' * 1 + 'x\r\n' * 40000))
    for person in ('ana', 'bo', 'cem'):
        with Imap(site.port('imap')) as c:
            c.login(person)
            c.command('CREATE Lists/mutt')
            for i in range(6):
                c.append('Lists/mutt', message(f'mine {i}', body='text\r\n' * 200), r'(\Flagged $Later)' if i % 2 else '')
            c.command('SELECT Topics/eng/backend')
            c.command(r'STORE 1:20 +FLAGS (\Seen)')
            c.command(r'STORE 3,5,9 +FLAGS (\Flagged \Answered work)')
            c.command('COPY 2:6 Archive')
            c.command('SELECT Archive')
            c.command('MOVE 1:2 Trash')
            c.command(r'STORE 1 +FLAGS (\Deleted)')
            c.command('EXPUNGE')
    site.baton('digest', 'run')


# ---- one flip ----

def used(path):
    """How far a file goes: log files are made longer than what is in them."""
    with open(path, 'rb') as f:
        return len(f.read().rstrip(b'\0'))


def choose(rnd, files, round_):
    """(file, offset, xor), all files in turn; every third in a page's header, every third in the first page's."""
    name = files[round_ % len(files)]
    path = os.path.join(rnd['home'], 'db', name)
    size = os.path.getsize(path)
    kind = rnd['dice'].randrange(3)
    if name.endswith('.db'):
        page = 0 if kind == 0 else rnd['dice'].randrange(size // PAGE)
        offset = page * PAGE + rnd['dice'].randrange(PAGE if kind == 2 else 80 if kind == 0 else 32)
    else:
        offset = rnd['dice'].randrange(used(path) if kind else size)
    return name, offset, rnd['dice'].randrange(1, 256)


class Different(Exception):
    pass


class Compare:
    """Takes what a client sees and stops at the first difference."""
    def __init__(self, want):
        self.want, self.count = want, 0

    def __call__(self, what, value):
        self.count += 1
        if what not in self.want:
            raise Different(f'{what}: was not there before')
        if self.want[what] != value:
            raise Different(f'{what}: was {self.want[what]!r:.300}\nis {value!r:.300}')


def serve(site, want):
    """'refused', 'damaged' or 'same', and what is wrong with that."""
    compare, error = Compare(want), None
    if not site.start(check=False):
        return 'refused', None
    try:
        look(site, compare)
        if compare.count != len(want):
            raise Different(f'{compare.count} of {len(want)} things are there')
    except Different as e:
        return 'different', str(e)
    except (Malformed, Refused, OSError) as e:
        error = e
    if error is None:
        return 'same', None
    try:
        site.daemon.wait(20)  # the store has stopped: then the daemon ends, so that a new start can verify
    except subprocess.TimeoutExpired:
        return 'damaged', f'the daemon goes on after {error}'
    code, site.daemon = site.daemon.returncode, None
    return 'damaged', None if code == 1 else f'the daemon ended with {code} after {error}'


def judge(site, name, want, check_first):
    """(what happened, what is wrong with it or None)."""
    checked = site.baton('check', check=False) if check_first else None
    happened, wrong = serve(site, want)
    log = site.log()
    if not wrong and happened in ('refused', 'damaged') and not (NAMES_DAMAGE.search(log) and name in log):
        wrong = f'{happened}, and the log does not say that {name} is damaged:\n{log[-1500:]}'
    if site.daemon and site.stop() != 0 and not wrong and name not in site.log():
        wrong = f'a bad end, and the log does not name {name}'
    checked = checked or site.baton('check', check=False)
    if wrong:
        return happened, wrong + '\n' + log[-800:]
    if checked.returncode == 0 and happened != 'same':
        return happened, f'baton check finds nothing: {checked.stdout.decode()}\n{log[-800:]}'
    if checked.returncode not in (0, 1) or checked.returncode == 1 and len(checked.stderr) < 20:
        return happened, f'baton check: exit {checked.returncode}, {checked.stderr!r}'
    return happened, None


def flip(original, files, want, round_):
    dice = random.Random(SEED * 1000 + round_)
    site = original.clone()
    try:
        name, offset, change = choose({'dice': dice, 'home': site.home}, files, round_)
        path = os.path.join(site.home, 'db', name)
        with open(path, 'r+b') as f:
            f.seek(offset)
            old = f.read(1)[0]
            f.seek(offset)
            f.write(bytes([old ^ change]))
        happened, wrong = judge(site, name, want, round_ % 4 == 3)
        return happened, wrong and f'round {round_}: {name} at {offset}: {old:#x} -> {old ^ change:#x}: {happened}\n{wrong}'
    except Exception as e:
        return 'different', f'round {round_}: {type(e).__name__}: {e}'
    finally:
        site.close()


def flips(original, how, rounds):
    """Two at a time."""
    with original.clone() as copy:
        files = sorted(n for n in os.listdir(os.path.join(copy.home, 'db')) if n not in ('lock', 'ballast', 'making'))
        want = {}
        copy.start()
        look(copy, want.__setitem__)
        copy.stop()
    tap.ok(len(want) > 150, f'{how}: an untouched copy serves {len(want)} things')
    order = list(range(rounds))
    random.Random(SEED).shuffle(files)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda r: flip(original, files, want, r), order))
    bad = [wrong for _, wrong in results if wrong]
    count = {k: sum(h == k for h, _ in results) for k in ('refused', 'damaged', 'same')}
    tap.ok(not bad, f'{how}: {rounds} flips in {len(files)} files: {count["refused"]} starts refused, {count["damaged"]} times '
           f'stopped, {count["same"]} times all the same (seed {SEED})', '\n'.join(bad))


with Site(conf='[store]\nballast = 1M\nlog-file = 1M\n') as site:
    make(site)
    site.kill()
    crashed = site.clone()
    site.start()
    site.stop()
    with crashed:
        flips(site, 'after a clean end', ROUNDS // 2)
        flips(crashed, 'after kill -9', ROUNDS - ROUNDS // 2)
tap.done()
