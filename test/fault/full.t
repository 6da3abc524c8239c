#!/usr/bin/env python3
"""A disk that fills: new mail is refused early, with a reason, by every way in; reading goes on; when there is room again
mail is taken again. A disk without an octet left, also under load and with kill -9: the site starts, and what was
acknowledged is there. Skips where no file system can be mounted."""
import os, random, re, signal, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from rawclient import Imap, Nntp, Refused

SIZE, RESERVE, BALLAST = 96, 24, 4  # MB
CONF = f'[store]\nreserve = {RESERVE}M\nballast = {BALLAST}M\nlog-file = 1M\ncache = 16M\n'
tap = Tap()
acknowledged = {}  # Message-ID -> folder of ana
lock = threading.Lock()


class Disk:
    """A small file system of its own."""
    def __init__(self):
        self.path = tempfile.mkdtemp(prefix='baton-disk-')
        r = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE}m', 'none', self.path], capture_output=True)
        if r.returncode:
            os.rmdir(self.path)
            skip_all(f'no file system can be mounted here: {r.stderr.decode().strip()}')
        self.filler = os.path.join(self.path, 'filler')

    def free(self):
        s = os.statvfs(self.path)
        return s.f_bavail * s.f_frsize

    def fill(self, keep):
        """Until only so many octets are free."""
        with open(self.filler, 'ab', buffering=0) as f:
            try:
                while (room := self.free() - keep) > 0:
                    f.write(bytes(min(room, 1 << 20)))
            except OSError:
                pass

    def make_room(self):
        os.unlink(self.filler)

    def close(self):
        subprocess.run(['umount', '-l', self.path], check=True)
        os.rmdir(self.path)


def ack(ident, folder):
    with lock:
        acknowledged[ident] = folder


def ident_of():
    return f'<{time.time_ns()}.{random.randrange(1 << 30)}@full.example>'


def noise(size):
    """Lines that do not compress."""
    return ''.join(random.randbytes(36).hex() + '\r\n' for _ in range(size // 74 + 1))


def by_smtp(site, service='submission', size=200):
    ident = ident_of()
    with site.smtp(service, 'bo' if service == 'submission' else None) as c:
        sender = 'bo@team.example' if service == 'submission' else 'x@elsewhere.example'
        to = 'eng.backend@team.example' if service == 'submission' else 'ana@team.example'
        try:
            c.sendmail(sender, [to], message('full', sender=sender, Message_ID=ident, body=noise(size)))
        except smtplib.SMTPRecipientsRefused as e:
            code, why = next(iter(e.recipients.values()))
            return f'{code} {why.decode()}'
        except smtplib.SMTPResponseException as e:
            return f'{e.smtp_code} {e.smtp_error.decode()}'
    ack(ident, 'Topics/eng/backend' if service == 'submission' else 'INBOX')
    return '250'


def by_lmtp(site):
    return by_smtp(site, 'lmtp')


def by_append(site):
    ident = ident_of()
    with Imap(site.port('imap')) as c:
        c.login('ana')
        try:
            c.append('Archive', message('full', Message_ID=ident))
        except Refused as e:
            return str(e).split(': ', 1)[1]
    ack(ident, 'Archive')
    return 'OK'


def by_post(site):
    ident = ident_of()
    with Nntp(site.port('nntp'), 'bo') as c:
        answer = c.command('POST')
        if answer.startswith('340'):
            c.send(message('full', Newsgroups='eng.ops', Message_ID=ident) + b'.\r\n')
            answer = c.line().decode()
    if answer.startswith('240'):
        ack(ident, 'Topics/eng/ops')
    return answer


def by_pipe(site):
    ident = ident_of()
    r = site.baton('deliver', '--from', 'x@elsewhere.example', 'ana@team.example', check=False,
                   input=message('full', sender='x@elsewhere.example', Message_ID=ident))
    if r.returncode == 0:
        ack(ident, 'INBOX')
    return f'{r.returncode} {r.stderr.decode()}'


WAYS = [('submission', by_smtp, r'250', r'452 .{10}'), ('LMTP', by_lmtp, r'250', r'452 .{10}'),
        ('APPEND', by_append, r'OK', r'a\d+ NO \[[A-Z]+\] .{10}'), ('POST', by_post, r'240', r'(400|403|440|441) .{10}'),
        ('baton deliver', by_pipe, r'0 ', r'(73|75) .{10}')]


def all_taken(site, when):
    for name, way, good, _ in WAYS:
        answer = way(site)
        tap.ok(re.match(good, answer), f'{when}: {name} takes a message', answer)


def all_refused(site, when):
    for name, way, _, bad in WAYS:
        answer = way(site)
        tap.ok(re.match(bad, answer, re.S), f'{when}: {name} refuses with a reason', answer)


def there(site):
    """What of the acknowledged is not there, or twice."""
    bad = []
    with Imap(site.port('imap')) as c:
        c.login('ana')
        for folder in ('Topics/eng/backend', 'Topics/eng/ops', 'Archive', 'INBOX'):
            c.command(f'EXAMINE {folder}')
            found = [re.search(rb'<[^>]*>', next(v for k, v in items.items() if k != b'UID')).group(0).decode()
                     for _, items in c.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])')]
            bad += [f'{i} doubled in {folder}' for i in set(found) if found.count(i) > 1]
            bad += [f'{i} lost from {folder}' for i, f in list(acknowledged.items()) if f == folder and i not in found]
    return bad


def same_there(site, when):
    try:
        bad = there(site)
    except Exception as e:
        bad = [f'{type(e).__name__}: {e}', site.log()[-1500:]]
    tap.ok(not bad, f'{when}: all {len(acknowledged)} acknowledged are there once', '\n'.join(bad[:20]))


def wait_room(site):
    """A second or two after room was made mail is taken again."""
    for _ in range(900):
        answer = by_smtp(site)
        if answer == '250':
            return True
        time.sleep(0.2)
    return False


def wait_ballast(site):
    """The file that is given up for recovery comes back when there is room."""
    path = os.path.join(site.home, 'db', 'ballast')
    for _ in range(900):
        if os.path.exists(path) and os.stat(path).st_blocks * 512 >= BALLAST << 20:
            return True
        time.sleep(0.2)
    return False


def until_refused(site):
    """The server looks now and then how much room there is."""
    until = time.monotonic() + PATIENCE
    while by_smtp(site) == '250' and time.monotonic() < until:
        time.sleep(0.1)


def below_reserve(site, disk):
    disk.fill((RESERVE - 2) << 20)
    until_refused(site)
    all_refused(site, 'below the reserve')
    same_there(site, 'below the reserve')
    with Imap(site.port('imap')) as c:
        c.login('ana')
        c.command('SELECT Topics/eng/backend')
        status, text, _ = c.command(r'STORE 1 +FLAGS (\Seen \Flagged)', check=False)
        tap.ok(status == 'OK', 'below the reserve: marks can be set', text)
        status, text, _ = c.command('UID COPY 1 Trash', check=False)
        tap.ok(status == 'OK' or re.match(r'\[[A-Z]+\] ', text), 'below the reserve: a copy is made or refused with a reason', text)
    disk.make_room()
    tap.ok(wait_room(site), 'with room again, mail is taken again')
    all_taken(site, 'with room again')


def by_mail(site):
    """Mail itself fills the disk: it is refused before the store has no room to work."""
    for _ in range(1000):
        answer = by_smtp(site, size=300_000)
        if answer != '250':
            break
        time.sleep(0.02)
    tap.ok(re.match('452 ', answer), 'filled by mail: refused early', answer)
    same_there(site, 'filled by mail')
    tap.ok(site.daemon.poll() is None, 'filled by mail: the daemon lives')


def to_the_last_octet(site, disk):
    disk.fill(0)
    until_refused(site)
    all_refused(site, 'no octet free')
    same_there(site, 'no octet free')
    with Imap(site.port('imap')) as c:
        c.login('ana')
        c.command('SELECT Topics/eng/backend')
        status, text, _ = c.command(r'STORE 2 +FLAGS (\Seen)', check=False)
        tap.ok(status == 'OK' or re.match(r'\[[A-Z]+\] ', text), 'no octet free: a mark is set, or refused with a reason', text)
    site.kill()
    tap.ok(site.start(check=False), 'no octet free: starts after kill -9', site.log()[-1500:])
    same_there(site, 'no octet free, after kill -9')
    disk.fill(0)
    site.stop()
    tap.ok(site.start(check=False), 'no octet free: starts after an end', site.log()[-1500:])
    same_there(site, 'no octet free, after an end')
    disk.make_room()
    tap.ok(wait_room(site), 'with room again, mail is taken again')
    tap.ok(wait_ballast(site), 'with room again, the ballast comes back')


def under_load(site, disk, kill):
    """The disk fills in the middle of transactions."""
    stop = threading.Event()

    def load(way):
        while not stop.is_set():
            try:
                way(site)
            except Exception:
                time.sleep(0.05)

    ways = [lambda s: by_smtp(s, size=random.randrange(100, 300_000)), by_smtp, by_append, by_post]
    threads = [threading.Thread(target=load, args=(way,)) for way in ways]
    for t in threads:
        t.start()
    time.sleep(0.3)
    disk.fill(0)
    time.sleep(1)
    if kill:
        site.kill()
    stop.set()
    for t in threads:
        t.join()
    name = 'full under load' + (', kill -9' if kill else '')
    if site.daemon and site.daemon.poll() is not None:
        site.daemon = None
        print('# the daemon has ended: ' + site.log()[-600:].replace('\n', '\n#   '))
    if site.daemon is None and not site.start(check=False):
        tap.ok('no room on the disk to recover' in site.log(), f'{name}: no start, with the reason', site.log()[-1500:])
        disk.make_room()
        tap.ok(site.start(check=False), f'{name}: starts with room', site.log()[-1500:])
    same_there(site, name)
    if os.path.exists(disk.filler):
        disk.make_room()
    tap.ok(wait_room(site), f'{name}: with room again, mail is taken again', site.log()[-1500:])
    tap.ok(wait_ballast(site), f'{name}: with room again, the ballast comes back', site.log()[-1500:])


disk = Disk()
try:
    with Site(home=os.path.join(disk.path, 'site'), conf=CONF) as site:
        all_taken(site, 'with room')
        below_reserve(site, disk)
        to_the_last_octet(site, disk)
        for kill in (False, True, True):
            under_load(site, disk, kill)
        by_mail(site)
        tap.same(site.stop(), 0, 'filled by mail: a clean end')
        r = site.baton('check', check=False)
        tap.ok(r.returncode == 0, 'baton check is clean', r.stderr.decode())
finally:
    disk.close()
tap.done()
