#!/usr/bin/env python3
"""Clients that are allowed in and want everything: a hundred connections of one person full of searches, headers of whole
topics, wrong passwords by the hundred, a hundred sections of a megabyte each.
Meanwhile another person's commands are answered, and memory stays bounded. Whole seconds count only where a server that
lets itself be taken needs minutes."""
import os, random, re, socket, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from rawclient import Imap, Nntp, Refused

MANY, PATIENCE = 100, 60
SANITIZED = 'asan' in BUILD or 'tsan' in BUILD  # their memory says nothing
tap = Tap()


def megabytes(site, what='VmRSS'):
    with open(f'/proc/{site.daemon.pid}/status') as f:
        return int(re.search(what + r':\s+(\d+) kB', f.read()).group(1)) >> 10


def fill(site, person, folders, count):
    body = ('lorem ipsum dolor sit amet ' * 20 + '\r\n') * 8
    with Imap(site.port('imap'), 300) as c:
        c.login(person)
        for start in range(0, count, 50):
            mails = [message(f'm{start + i}', body=body) for i in range(50)]
            for folder in folders:
                c.command('NOOP')
                c.send(b'q APPEND %s' % folder.encode() + b''.join(b' {%d+}\r\n' % len(m) + m for m in mails) + b'\r\n')
                while not c.line().startswith(b'q OK'):
                    pass


def searches(site):
    c = Imap(site.port('imap'), 300)
    c.login('bo')
    c.command('SELECT Archive')
    c.send(b''.join(b'x%d SEARCH OR TEXT zzyzx BODY aaaab\r\n' % n for n in range(300)))
    return c


def headers(site):
    c = Nntp(site.port('nntp'), 'bo', 300)
    c.group('doc')
    c.send(b'HDR X-Foo 1-\r\n' * 300)
    return c


def guesses(site):
    c = Imap(site.port('imap'), 300)
    c.send(b''.join(b'g%d LOGIN bo wrong%d\r\n' % (n, random.randrange(10**9)) for n in range(20)))
    return c


def served(site):
    """None when the other person's commands are answered, and quickly."""
    try:
        start = time.monotonic()
        with Imap(site.port('imap'), PATIENCE) as c:
            c.login('cem')
            for i in range(10):
                c.command('STATUS INBOX (MESSAGES)')
        with Nntp(site.port('nntp'), 'cem', PATIENCE) as c:
            c.group('doc')
        took = time.monotonic() - start
    except (OSError, Refused) as e:
        return f'{type(e).__name__}: {e}'
    return f'it took {took:.1f} s' if took > PATIENCE else None


def crowd(site, name, make):
    held, lock = [], threading.Lock()

    def one():
        try:
            c = make(site)
        except OSError:
            return
        with lock:
            held.append(c)

    threads = [threading.Thread(target=one, daemon=True) for _ in range(MANY)]
    for t in threads:
        t.start()
    until = time.monotonic() + 5
    problem = None
    while time.monotonic() < until and not problem:
        problem = served(site)
    tap.ok(not problem and site.daemon.poll() is None, name, problem)
    site.kill()  # the searches would go on for minutes
    for c in held:
        c.close()
    site.start()
    served(site)  # what is right is known again


def sections(site):
    """What one FETCH gathers for a client that does not read."""
    with Imap(site.port('imap'), 300) as c:
        c.login('dee')
        c.append('Archive', b''.join(b'X-%d: %s\r\n' % (n, b'y' * 900) for n in range(1000)) + b'\r\nx\r\n')
    before, held = megabytes(site), []
    for i in range(8):
        c = Imap(site.port('imap'), 300)
        c.login('dee')
        c.command('EXAMINE Archive')
        c.send('f FETCH 1 (' + ' '.join('BODY.PEEK[HEADER.FIELDS.NOT (A)]' for _ in range(100)) + ')\r\n')
        held.append(c)
    time.sleep(2)
    grown = megabytes(site, 'VmHWM') - before
    problem = None if grown < 100 or SANITIZED else f'grown by {grown} MB'
    c = held[0]
    try:
        while b' NIL' not in (line := c.line()) and not line.startswith(b'f '):
            pass
        problem = problem or (None if line.startswith(b'f OK') else f'{line!r}')
    except OSError as e:
        problem = problem or f'{type(e).__name__}: {e}'
    for c in held:
        c.close()
    tap.ok(not problem, 'a hundred sections of a megabyte, and nobody reads', problem)


with Site(conf='[login]\nlogin-failures = 100000\n') as site:
    fill(site, 'bo', ['Archive', 'Topics/doc'], 1000)
    served(site)
    sections(site)
    crowd(site, 'one person searches a hundred times 300 times', searches)
    crowd(site, 'one person wants all headers a hundred times 300 times', headers)
    crowd(site, 'wrong passwords, 2,000 of them at once', guesses)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
