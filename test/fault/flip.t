#!/usr/bin/env python3
"""One flipped byte anywhere in the store's files, a page of zeros, a file cut short or gone, after a clean end and after
kill -9: the server refuses to start, or
stops and says which file is damaged, or serves everything unchanged; never less, never anything else. What the server
finds `baton check` finds too. BATON_ROUNDS: how often; BATON_SEED: which flips."""
import os, random, re, sys, threading
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from rawclient import Imap, Malformed, Nntp, Refused

ROUNDS = int(os.environ.get('BATON_ROUNDS') or 100)
SEED = seed()
PAGE = 4096
NAMES_DAMAGE = re.compile(r'damaged|missing|not whole|wrong|cut short|fails its checksum|cannot be (read|recovered)')
# what a failed environment holds is left to the end of the process, on purpose
os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
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
            state = [line for line in untagged if re.search(rb'EXISTS|UIDVALIDITY|UIDNEXT|UNSEEN', line)]
            seen(f'{person} {folder}: state', sorted(state))
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
        for _ in range(4):
            noise = ''.join(random.randbytes(35).hex() + '\r\n' for _ in range(8000))
            c.sendmail('bo@team.example', ['eng.ops@team.example'], message('big', body=noise))
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
    """How far a file goes: log files are made longer than what is in them. Of one that is all zeros (a log file made
    ready for later): all of it."""
    with open(path, 'rb') as f:
        return len(f.read().rstrip(b'\0')) or os.path.getsize(path)


def flip_byte(path, dice):
    """Every third in a page's header, every third in the first page's."""
    kind, size = dice.randrange(3), os.path.getsize(path)
    if path.endswith('.db'):
        page = 0 if kind == 0 else dice.randrange(size // PAGE)
        offset = page * PAGE + dice.randrange(PAGE if kind == 2 else 80 if kind == 0 else 32)
    else:
        offset = dice.randrange(used(path) if kind else size)
    with open(path, 'r+b') as f:
        f.seek(offset)
        old = f.read(1)[0]
        new = old ^ dice.randrange(1, 256)
        f.seek(offset)
        f.write(bytes([new]))
    return f'at {offset}: {old:#x} -> {new:#x}'


def zero_page(path, dice):
    end = used(path)
    page = dice.randrange((end + PAGE - 1) // PAGE)
    with open(path, 'r+b') as f:
        f.seek(page * PAGE)
        f.write(bytes(min(PAGE, os.path.getsize(path) - page * PAGE)))
    return f'page {page} made zeros'


def cut_short(path, dice):
    keep = dice.choice([0, dice.randrange(used(path)), dice.randrange(used(path)) // PAGE * PAGE])
    os.truncate(path, keep)
    return f'cut to {keep}'


def remove(path, dice):
    os.unlink(path)
    return 'removed'


def damage(path, dice):
    """One of these; says which."""
    return dice.choice([flip_byte] * 7 + [zero_page] * 2 + [cut_short, remove])(path, dice)


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
    if isinstance(error, TimeoutError):
        return 'damaged', f'hangs: {error}'
    try:
        site.daemon.wait(5)  # a damaged page ends the store, and that the daemon; one damaged record does not
    except subprocess.TimeoutExpired:
        return 'damaged', None
    code, site.daemon = site.daemon.returncode, None
    return 'damaged', None if code == 1 else f'the daemon ended with {code} after {error}'


def names(log, name):
    return NAMES_DAMAGE.search(log) and (name in log or name.startswith('log.') and 'log files are missing' in log)


def judge(site, name, want, check_first):
    """(what happened, what is wrong with it or None)."""
    checked = site.baton('check', check=False) if check_first else None
    happened, wrong = serve(site, want)
    log = site.log()
    if not wrong and happened in ('refused', 'damaged') and not names(log, name):
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
        name = files[round_ % len(files)]
        what = damage(os.path.join(site.home, 'db', name), dice)
        happened, wrong = judge(site, name, want, round_ % 4 == 3)
        return happened, wrong and f'round {round_}: {name} {what}: {happened}\n{wrong}'
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
    tap.ok(not bad, f'{how}: {rounds} faults in {len(files)} files: {count["refused"]} starts refused, '
           f'{count["damaged"]} times stopped, {count["same"]} times all the same (seed {SEED})', '\n'.join(bad))


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
