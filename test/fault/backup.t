#!/usr/bin/env python3
"""Backups that are taken under load restore to a site in which every message that was acknowledged before the backup
began is there once, under its number; that checks clean; and that gives no number again. A damaged page is not copied
over, a damaged backup is not restored, nothing is written over, what fails leaves nothing behind."""
import glob, os, re, shutil, sys, tempfile, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

ROUNDS = max(2, int(os.environ.get('BATON_ROUNDS') or 12) // 4)
SKIPPED = 1000  # article numbers of a restored topic: no more than these may be given after the backup
STEP = 700 // ROUNDS  # messages between two backups
tap = Tap()


def load(site, who, acknowledged, taken, stop):
    i = 0
    with site.smtp('submission', 'bo') as c:
        while not stop.is_set():
            if len(acknowledged) >= STEP * (len(taken) + 2):
                time.sleep(0.02)
                continue
            i += 1
            ident = f'<{who}.{i}@load.example>'
            body = 'y\r\n' * random.randrange(900) if i % 50 else 'long line\r\n' * 100_000
            c.sendmail('bo@team.example', ['eng.backend@team.example'], message('load', Message_ID=ident, body=body))
            acknowledged.append(ident)


def restored(site, backup):
    """The site of a backup, on the same ports: the first one must not be running."""
    copy = object.__new__(Site)
    copy.folder = tempfile.mkdtemp(prefix='baton-', dir=site.folder)
    copy.home, copy.base, copy.daemon = os.path.join(copy.folder, 'home'), site.base, None
    copy.said = copy.baton('restore', backup)
    return copy


def messages(site):
    """number -> Message-ID, and what tells that numbers mean something else."""
    with site.imap('cem') as imap:
        imap.select('Topics/eng/backend', readonly=True)
        validity = int(imap.response('UIDVALIDITY')[1][0])
        _, data = imap.uid('FETCH', '1:*', '(BODY.PEEK[HEADER.FIELDS (Message-ID)])')
    found = {int(re.search(rb'UID (\d+)', item[0]).group(1)): re.search(rb'<[^>]*>', item[1]).group(0).decode()
             for item in data if isinstance(item, tuple)}
    return found, validity


def damage(path, at=None):
    with open(path, 'r+b') as f:
        f.seek(os.path.getsize(path) // 2 if at is None else at)
        octets = f.read(64)
        f.seek(-len(octets), 1)
        f.write(bytes(255 - b for b in octets))


with Site(conf='[store]\ncache = 4M\nlog-file = 1M\n') as site:
    acknowledged, stop, taken = [], threading.Event(), []
    threads = [threading.Thread(target=load, args=(site, k, acknowledged, taken, stop)) for k in range(4)]
    for t in threads:
        t.start()
    came = 0
    while len(taken) < ROUNDS or (not came and len(taken) < 10 * ROUNDS):
        while len(acknowledged) < STEP * (len(taken) + 1):
            time.sleep(0.02)
        before = list(acknowledged)
        folder = os.path.join(site.folder, f'backup-{len(taken)}')
        site.baton('backup', folder)
        taken.append((folder, before))
        came += len(acknowledged) - len(before)
    tap.ok(came, 'mail came while backups were made')
    stop.set()
    for t in threads:
        t.join()
    again = site.baton('backup', folder, check=False)
    tap.ok(again.returncode == 1 and b'not empty' in again.stderr, 'a backup does not write over another', again.stderr)
    live, validity = messages(site)
    site.stop()

    bad = []
    for r, (folder, before) in enumerate(taken):
        copy = restored(site, folder)
        if faults := copy.faults():
            bad.append(f'backup {r}: {faults}')
        copy.start()
        found, new = messages(copy)
        if len(set(found.values())) != len(found):
            bad.append(f'backup {r}: doubled')
        if missing := set(before) - set(found.values()):
            bad.append(f'backup {r}: {len(missing)} lost of {len(before)}')
        bad += [f'backup {r}: number {n} is another message' for n in found if live[n] != found[n]]
        if new <= validity:
            bad.append(f'backup {r}: UIDVALIDITY {new}, was {validity}')
        with copy.nntp('dee') as nntp:
            nntp.post(message('new', sender='dee@team.example', Newsgroups='eng.backend').splitlines(True))
            if nntp.group('eng.backend')[3] <= min(max(live), max(found) + SKIPPED):
                bad.append(f'backup {r}: an article number is given again')
        copy.stop()
        if 'slot' in copy.log() or copy.faults():
            bad.append(f'backup {r}: after a further start: {copy.log()[-500:]}')
        last = copy
    tap.ok(not bad, f'{len(taken)} backups restore whole', '\n'.join(bad[:10]))

    refused = last.baton('restore', folder, check=False)
    tap.ok(refused.returncode == 1 and b'not empty' in refused.stderr and last.faults() == '', 'a site is not restored over',
           refused.stderr)
    site.baton('backup', os.path.join(site.folder, 'cold'))
    cold = restored(site, os.path.join(site.folder, 'cold'))
    tap.same(cold.faults(), '', 'a backup without batond restores, too')
    tap.same(len(set(live.values())), int(re.search(r'Messages: +(\d+)', cold.baton('check')).group(1)), 'all of it is there')

    for name in ('body.db', 'log.*'):
        broken = os.path.join(site.folder, 'broken-' + name[:3])
        shutil.copytree(folder, broken)
        damage(sorted(glob.glob(os.path.join(broken, 'db', name)))[0])
        try:
            restored(site, broken)
            tap.ok(False, f'a backup with a damaged {name} is not restored')
        except RuntimeError as e:
            tap.ok('exit 1' in str(e) and 'Restored' not in str(e), f'a backup with a damaged {name} is not restored', e)
    os.unlink(os.path.join(broken, 'backup'))
    try:
        restored(site, broken)
        tap.ok(False, 'an incomplete backup is not restored')
    except RuntimeError as e:
        tap.ok('no complete backup' in str(e), 'an incomplete backup is not restored', e)

    damage(os.path.join(cold.home, 'db', 'body.db'), 4096 * 9 + 100)
    target = os.path.join(site.folder, 'of-damaged')
    r = cold.baton('backup', target, check=False)
    tap.ok(r.returncode == 1 and b'damaged' in r.stderr, 'a damaged page is not backed up', r.stderr)
    tap.ok(not os.path.exists(target), 'what fails leaves nothing behind')
tap.done()
