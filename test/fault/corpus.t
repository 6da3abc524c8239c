#!/usr/bin/env python3
"""A real list's 2,336 messages: imported, every one of them is there once, octet for octet over IMAP and news, the
replies have found their parents, the store checks clean, and a second import files nothing. Skips where the shared
test material is not."""
import json, os, re, shutil, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from rawclient import Imap, Nntp

COUNT, REPLIES, JOINED = 2336, 1744, 1593  # joined: by the last of References, In-Reply-To where there is none
TOPIC = 'eng.backend'
tap = Tap()


def mbox_messages(octets):
    """The messages of an mboxrd file in CRLF form, without its quoting."""
    assert octets.endswith(b'\n\n')  # the blank line behind a message is none of it
    for one in re.split(rb'(?:\A|\n)From [^\n]*\n', octets[:-1])[1:]:
        one = re.sub(rb'^>(>*From )', rb'\1', one, flags=re.M)
        yield one.replace(b'\n', b'\r\n')


def over_imap(site):
    """number -> octets."""
    found = {}
    with Imap(site.port('imap')) as c:
        c.login('ana')
        c.command('EXAMINE Topics/eng/backend')
        for low in range(1, COUNT + 200, 200):
            for _, items in c.fetch(f'{low}:{low + 199}', '(UID RFC822.SIZE BODY.PEEK[])'):
                found[items[b'UID']] = items[b'BODY[]']
                if items[b'RFC822.SIZE'] != len(items[b'BODY[]']):
                    tap.ok(False, f'RFC822.SIZE of {items[b"UID"]} is the number of its octets')
    return found


def over_news(site):
    found = {}
    with Nntp(site.port('nntp'), 'bo') as c:
        count, low, high = c.group(TOPIC)
        for n in range(low, high + 1):
            found[n] = c.article(n)
    return found


def report(site):
    return json.loads(site.baton('check', '--json'))


def imported(site, path):
    return site.baton('import', 'mbox', path, '--topic', TOPIC)


packed = shared('corpora', 'docs.mbox.zst')
if not packed or not os.path.exists(packed):
    skip_all('the shared corpora are not here')
if not shutil.which('zstd'):
    skip_all('there is no zstd program')

with Site() as site:
    path = os.path.join(site.folder, 'docs.mbox')
    subprocess.run(['zstd', '-qdf', packed, '-o', path], check=True)
    with open(path, 'rb') as f:
        want = list(mbox_messages(f.read()))
    tap.same(len(want), COUNT, 'the file holds as many messages as it should')
    imported(site, path)
    mail = over_imap(site)
    tap.same(len(mail), COUNT, 'all of them are there over IMAP')
    tap.same(sorted(mail), list(range(1, COUNT + 1)), 'numbered from 1 without a gap')
    bad = [n for n, octets in sorted(mail.items()) if not octets.endswith(want[n - 1])]
    tap.ok(not bad, 'octet for octet behind the prefix, in the order of the file',
           f'{len(bad)} differ: {bad[:20]}')
    bad = [n for n, octets in sorted(mail.items())
           if not re.fullmatch(rb'(?:[A-Za-z-]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+', octets[:len(octets) - len(want[n - 1])])]
    tap.ok(not bad, 'the prefix is header fields', f'{len(bad)} are not: {bad[:20]}')
    news = over_news(site)
    tap.same(len(news), COUNT, 'all of them are there over news')
    bad = [n for n in sorted(mail) if mail[n] != news.get(n)]
    tap.ok(not bad, 'the same octets over IMAP and news', f'{len(bad)} differ: {bad[:20]}')
    first = report(site)
    tap.same(first['faults'], 0, 'baton check is clean')
    tap.same((first['replies'], first['replies_joined']), (REPLIES, JOINED), 'replies, and those whose parent is here')
    imported(site, path)
    again = report(site)
    tap.same(again, first, 'importing again files nothing')
    site.stop()
    site.start()
    tap.ok(over_imap(site) == mail, 'the same after a restart')
    tap.same(site.stop(), 0, 'a clean end')
    imported(site, path)
    tap.same(report(site), first, 'nor does importing without the daemon')
tap.done()
