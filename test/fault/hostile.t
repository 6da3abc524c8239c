#!/usr/bin/env python3
"""Clients that mean harm: half lines by the thousand, trickled and endless input, huge literals, deep nesting, floods of
commands, NULs, mail built to be expensive. While and after each, another client is served and the daemon's memory stays
bounded. No time is measured but the three minutes after which something hangs."""
import os, random, re, resource, select, socket, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from rawclient import Imap, Malformed, Nntp, Refused, Stream

HANG = 180
MEGABYTES = 500
SANITIZED = 'asan' in BUILD or 'tsan' in BUILD  # their memory says nothing
LINES = ('imap', 'smtp', 'nntp', 'lmtp', 'submission')
tap = Tap()


def megabytes(site):
    with open(f'/proc/{site.daemon.pid}/status') as f:
        return int(re.search(r'VmRSS:\s+(\d+) kB', f.read()).group(1)) >> 10


def others_served(site):
    """None when a decent client is served by each protocol."""
    try:
        with Imap(site.port('imap'), HANG) as c:
            c.login('cem')
            c.append('Archive', message('decent'))
            c.command('SELECT Archive')
            c.fetch('*', '(FLAGS BODY.PEEK[])')
        with Nntp(site.port('nntp'), 'dee', HANG) as c:
            c.group('doc')
        c = smtplib.SMTP('127.0.0.1', site.port('smtp'), timeout=HANG)
        c.sendmail('x@elsewhere.example', ['cem@team.example'], message('decent', sender='x@elsewhere.example'))
        c.quit()
    except Exception as e:
        return f'{type(e).__name__}: {e}'
    return None


def after(site, name, problem=None):
    """The test point of one attack."""
    alive = site.daemon.poll() is None
    problem = problem or (others_served(site) if alive else f'the daemon has ended\n{site.log()[-1500:]}')
    used = megabytes(site) if alive else 0
    if not problem and used > MEGABYTES and not SANITIZED:
        problem = f'the daemon has {used} MB'
    tap.ok(not problem, name, problem)
    if not alive:
        site.daemon = None
        site.start()


def connection(site, service):
    s = socket.create_connection(('127.0.0.1', site.port(service)), timeout=HANG)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')  # gone at once, no TIME-WAIT
    return s


def flood(site, service, octets, enough=None):
    """Sends all of it while it reads what comes; (what came, whether the server hung up). Ends when the server hangs up,
    when all is sent and what came is enough, or when nothing moves any more."""
    s = connection(site, service)
    s.setblocking(False)
    came, sent, view, until = bytearray(), 0, memoryview(octets), time.monotonic() + HANG
    while time.monotonic() < until and not (enough and sent == len(octets) and enough(came)):
        readable, writable, _ = select.select([s], [s] if sent < len(octets) else [], [], 1)
        try:
            if readable:
                got = s.recv(1 << 18)
                if not got:
                    s.close()
                    return bytes(came), True
                came += got
                until = time.monotonic() + HANG
            if writable:
                sent += s.send(view[sent:sent + (1 << 18)])
                until = time.monotonic() + HANG
        except OSError:
            s.close()
            return bytes(came), True
    s.close()
    return bytes(came), False


# ---- many ----

def half_lines(site):
    """2,000 clients that never end their line."""
    before = megabytes(site)
    held = []
    for i in range(2000):
        s = connection(site, LINES[i % len(LINES)])
        s.sendall(b'a1 LOGIN cem ' + b'x' * (i % 50))
        held.append(s)
    problem = others_served(site)
    grown = megabytes(site) - before
    if not problem and grown > 200 and not SANITIZED:
        problem = f'grown by {grown} MB'
    for s in held:
        s.close()
    after(site, '2,000 clients that send half a line', problem)


def silent_tls(site):
    """Clients that begin TLS and say nothing, or nonsense."""
    held = [connection(site, ('imaps', 'nntps', 'submissions')[i % 3]) for i in range(300)]
    for i, s in enumerate(held):
        if i % 2:
            s.sendall(random.Random(i).randbytes(3 + i))
    problem = others_served(site)
    for s in held:
        s.close()
    after(site, '300 clients that do not shake hands', problem)


def trickles(site):
    """DATA, literals and articles that come an octet at a time, and readers that do not read."""
    held = []
    for i in range(60):
        s = Stream(site.port('smtp'))
        s.line()
        for line in ('HELO x', 'MAIL FROM:<x@elsewhere.example>', 'RCPT TO:<cem@team.example>', 'DATA'):
            s.send(line + '\r\n')
            s.line()
        held.append(s)
    for i in range(60):
        c = Imap(site.port('imap'))
        c.login('bo')
        c.send(b'x1 APPEND Drafts {100000}\r\n')
        c.line()
        held.append(c)
    with Imap(site.port('imap')) as c:
        c.login('dee')
        c.append('Archive', message('long', body='0123456789' * 7 + '\r\n' * 1 + 'abcdefgh\r\n' * 500_000))
    for i in range(30):
        c = Imap(site.port('imap'))
        c.login('dee')
        c.command('EXAMINE Archive')
        c.send(b''.join(b'y%d FETCH 1:* BODY.PEEK[]\r\n' % n for n in range(20)))
    stop, problem = time.monotonic() + 6, None
    while time.monotonic() < stop and not problem:
        for s in held:
            try:
                s.send(b'x')
            except OSError:
                pass
        problem = others_served(site)
    for s in held:
        s.close()
    time.sleep(1)
    after(site, '120 messages that come an octet at a time, 30 readers that do not read', problem)


# ---- long ----

def endless_lines(site):
    for service in LINES:
        came, ended = flood(site, service, b'x' * (40 << 20) + b'\r\nQUIT\r\nz LOGOUT\r\n')
        answered = ended and re.search(rb'(?m)^(\* BAD|50\d) ', came)
        after(site, f'a line of 40 MB over {service}', None if answered else f'{came[-200:]!r}')


def huge_literals(site):
    for size in (b'4294967295', b'4294967296', b'9223372036854775807', b'18446744073709551615', b'99999999999999999999',
                 b'2147483648+', b'4294967295+', b'99999999999999999999+', b'-1', b'', b'1e9'):
        problem = None
        for command in (b'a LOGIN {%s}\r\n', b'a LOGIN cem test-password-1\r\nb APPEND INBOX {%s}\r\n', b'a NOOP {%s}\r\n',
                        b'a LOGIN cem test-password-1\r\nb APPEND INBOX (\\Seen) "x" {%s}\r\n',
                        b'a LOGIN cem test-password-1\r\nb SEARCH SUBJECT {%s}\r\n', b'a LOGIN cem {%s}\r\n'):
            refused = re.compile(rb'(?m)^[ab] (NO|BAD)|^\* BYE')
            came, ended = flood(site, 'imap', command % size, refused.search)
            if not ended and not refused.search(came):
                problem = f'{command % size!r}: {came[-300:]!r}'
        after(site, f'literals of {size.decode() or "no"} octets', problem)


def deep_nesting(site):
    with Imap(site.port('imap'), HANG) as c:
        c.login('cem')
        c.command('SELECT Archive')
        for name, command in (('SEARCH parentheses', 'SEARCH ' + '(' * 20000 + 'ALL' + ')' * 20000),
                              ('SEARCH open parentheses', 'SEARCH ' + '(' * 60000),
                              ('SEARCH NOT', 'SEARCH ' + 'NOT ' * 15000 + 'ALL'),
                              ('SEARCH OR', 'SEARCH ' + 'OR ' * 20000 + 'ALL'),
                              ('SEARCH OR to the left', 'SEARCH ' + 'OR ' * 5000 + 'ALL ' * 5000 + 'ALL'),
                              ('FETCH parentheses', 'FETCH 1 ' + '(' * 50000),
                              ('FETCH items', 'FETCH 1 (' + 'FLAGS ' * 10000 + 'UID)'),
                              ('FETCH bodies', 'FETCH 1 (' + ' '.join(f'BODY.PEEK[]<{n}.1>' for n in range(2500)) + ')'),
                              ('a part number', 'FETCH 1 BODY[' + '1.' * 25000 + '1]'),
                              ('header fields', 'FETCH 1 BODY.PEEK[HEADER.FIELDS (' + 'X ' * 20000 + 'Y)]'),
                              ('a sequence set', 'FETCH ' + ','.join(map(str, range(1, 12000))) + ' UID'),
                              ('ranges', 'UID FETCH ' + ','.join(['1:4294967295'] * 4000) + ' FLAGS'),
                              ('wildcards', 'LIST "" "' + '*%' * 400 + 'b"'),
                              ('keywords', 'STORE 1 +FLAGS (' + ' '.join(f'k{n}' for n in range(9000)) + ')'),
                              ('a folder', 'CREATE ' + 'a/' * 20000 + 'a'), ('a long folder', 'CREATE ' + 'a' * 60000),
                              ('ID', 'ID ' + '(' * 30000), ('STATUS', 'STATUS INBOX ' + '(' * 30000),
                              ('SEARCH words', 'SEARCH ' + 'TEXT x ' * 8000)):
            problem = None
            try:
                c.command(command, check=False)
                c.command('NOOP')
            except (OSError, Malformed, Refused) as e:
                problem = f'{type(e).__name__}: {e}'[:500]
                c = Imap(site.port('imap'), HANG)
                c.login('cem')
                c.command('SELECT Archive')
            after(site, f'IMAP: {name}', problem)
    with Nntp(site.port('nntp'), 'dee', HANG) as c:
        problem = None
        c.group('doc')
        for command in ('LIST ACTIVE ' + '*a' * 200 + 'b', 'NEWNEWS ' + '*?' * 200 + ' 20000101 000000',
                        'NEWNEWS ' + ','.join(['!*'] * 200) + ' 20000101 000000', 'XPAT Subject 1- ' + '*e' * 200 + 'x',
                        'HDR ' + 'x' * 400 + ' 1-', 'OVER 99999999999999999999-1', 'GROUP ' + 'a.' * 200):
            try:
                if c.command(command)[:3] in ('215', '230', '221', '225', '224'):
                    c.block()
            except (OSError, Malformed) as e:
                problem = f'{command:.80}: {type(e).__name__}: {e}'
                break
        after(site, 'news: wildmats and ranges', problem)


# ---- much ----

def floods(site):
    for service, octets, pattern, count in (
            ('imap', b''.join(b'%d NOOP\r\n' % n for n in range(30000)) + b'z LOGOUT\r\n', rb'(?m)^\d+ OK', 30000),
            ('imap', b'a LOGIN cem test-password-1\r\n' + b''.join(b'%d SELECT Archive\r\n' % n for n in range(3000)) + b'z LOGOUT\r\n',
             rb'(?m)^\d+ OK', 3000),
            ('nntp', b'DATE\r\n' * 30000 + b'QUIT\r\n', rb'(?m)^111 ', 30000),
            ('smtp', b'EHLO x\r\n' + b'RSET\r\n' * 30000 + b'QUIT\r\n', rb'(?m)^250 ', 30001),
            ('lmtp', b'LHLO x\r\n' + b'NOOP\r\n' * 30000 + b'QUIT\r\n', rb'(?m)^250 ', 30001)):
        came, ended = flood(site, service, octets)
        got = len(re.findall(pattern, came))
        told = re.search(rb'(?m)^(421|400|\* BYE)', came)
        after(site, f'{service}: {count} commands at once',
              None if ended and (got == count or told) else f'{got} answers; {came[-200:]!r}')
    for service, octets, last in (('imap', b'a FROB\r\n', b'a LOGOUT\r\n'), ('nntp', b'FROB\r\n', b'QUIT\r\n'),
                                  ('smtp', b'FROB\r\n', b'QUIT\r\n')):
        came, ended = flood(site, service, octets * 20000 + last)
        after(site, f'{service}: 20,000 unknown commands', None if came else 'no answer')


def recipients(site):
    octets = b'EHLO x\r\nMAIL FROM:<x@elsewhere.example>\r\n' + b'RCPT TO:<cem@team.example>\r\n' * 1_000_000 + b'QUIT\r\n'
    came, ended = flood(site, 'smtp', octets)
    accepted = len(re.findall(rb'(?m)^250 2\.1\.5', came))
    after(site, 'a million recipients', None if ended and accepted <= 1000 else f'{accepted} accepted; {came[-200:]!r}')


def binary(site):
    problem = None
    for service in LINES:
        for octets in (b'\0' * 100 + b'\r\n', b'a\0LOGIN cem x\r\n', b'NOOP\0\r\n', bytes(range(256)) * 20 + b'\r\n',
                       b'\r\n' * 3000, b'\n' * 3000, b'\r' * 3000 + b'\n', b'\xff\xfe' * 500 + b'\r\n', b'\x16\x03\x01' + bytes(200)):
            came, ended = flood(site, service, octets + b'\r\nQUIT\r\nz LOGOUT\r\n')
            if not came or not ended:
                problem = f'{service}: {octets[:30]!r}: no answer, or no end'
    after(site, 'NULs, bare line ends, TLS and random octets as commands', problem)


# ---- mail that is expensive to read ----

def heavy_mail():
    head = b'From: x@elsewhere.example\r\nTo: cem@team.example\r\nSubject: heavy\r\nMIME-Version: 1.0\r\n'
    deep = b''.join(b'Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n' % (n, n) for n in range(10000))
    rfc822 = b'Content-Type: message/rfc822\r\n\r\n' * 20000
    yield 'nested multiparts', head + deep + b'\r\nx\r\n'
    yield 'nested messages', head + rfc822 + b'Subject: x\r\n\r\nx\r\n'
    yield 'parts', head + b'Content-Type: multipart/mixed; boundary=b\r\n\r\n' + b'--b\r\n\r\nx\r\n' * 100_000 + b'--b--\r\n'
    yield 'a folded field', head + b'X-Long: ' + b'a\r\n ' * 200_000 + b'\r\n\r\nx\r\n'
    yield 'fields', head + b''.join(b'X-%d: y\r\n' % n for n in range(100_000)) + b'\r\nx\r\n'
    yield 'addresses', head + b'Cc: ' + b',\r\n '.join(b'a%d@b.example' % n for n in range(50_000)) + b'\r\n\r\nx\r\n'
    yield 'comments', head + b'Cc: ' + b'(' * 900 + b'\r\n' + (b' ' + b'(' * 900 + b'\r\n') * 60 + b'\r\nx\r\n'
    yield 'groups', head + b'Cc: ' + b'g:' * 400 + b'\r\n' + (b' ' + b'g:' * 400 + b'\r\n') * 60 + b'\r\nx\r\n'
    yield 'references', head + b'References: ' + b'\r\n '.join(b'<%d@r.example>' % n for n in range(50_000)) + b'\r\n\r\nx\r\n'
    yield 'encoded words', head + b'Comments: ' + b'\r\n '.join([b'=?utf-8?q?=41=42?='] * 50_000) + b'\r\n\r\nx\r\n'
    names = b';\r\n '.join(b'p%d*%d*=x' % (n, n) for n in range(30_000))
    yield 'parameters', head + b'Content-Type: text/plain;\r\n ' + names + b'\r\n\r\nx\r\n'
    yield 'HTML', head + b'Content-Type: text/html\r\n\r\n' + b'<div><b>' * 50_000 + b'x\r\n'
    yield 'Markdown', head + b'\r\n' + b'![[]()' * 30 + b'\r\n' + (b'![[]()' * 100 + b'\r\n') * 300
    yield 'quotes', head + b'\r\n' + (b'>' * 900 + b' x\r\n') * 1000
    yield 'dots', head + b'\r\n' + b'.\r\n.\r\n' * 10 + b'..x\r\n' * 300_000


def heavy(site):
    for name, octets in heavy_mail():
        problem = None
        try:
            with Imap(site.port('imap'), HANG) as c:
                c.login('cem')
                try:
                    uid = c.append('Junk', octets)
                    c.command('EXAMINE Junk')
                    items = c.fetch(uid, '(ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[1.MIME])')[0][1]
                    if items[b'BODY[]'] != octets:
                        problem = 'it is not what was sent'
                    c.command('SEARCH TEXT nowhere')
                except Refused as e:
                    problem = None if ' NO [' in str(e) else str(e)[-300:]
            c = smtplib.LMTP('127.0.0.1', site.port('lmtp'), timeout=HANG)
            try:
                c.sendmail('x@elsewhere.example', ['cem@team.example', 'open@team.example'], octets)
            except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused):
                pass  # refused with a reason
            c.close()
            with Nntp(site.port('nntp'), 'dee', HANG) as n:
                count, low, high = n.group('open')
                if count:
                    n.command(f'OVER {high}', '224')
                    n.block()
        except Exception as e:
            problem = f'{type(e).__name__}: {str(e)[:500]}'
        after(site, f'a message with too many {name}', problem)


def resets(site):
    """Clients that go in the middle of anything."""
    dice = random.Random(1)
    for i in range(300):
        service = LINES[i % len(LINES)]
        s = connection(site, service)
        text = {'imap': b'a LOGIN cem test-password-1\r\nb SELECT Archive\r\nc FETCH 1:* (BODY.PEEK[] ENVELOPE)\r\n'
                        b'd APPEND Archive {9+}\r\nSubject:',
                'nntp': b'AUTHINFO USER dee\r\nAUTHINFO PASS test-password-1\r\nGROUP doc\r\nPOST\r\nFrom: x\r\n\r\n'}.get(
            service, b'EHLO x\r\nMAIL FROM:<x@elsewhere.example>\r\nRCPT TO:<cem@team.example>\r\n'
                     b'DATA\r\nSubject: x\r\n\r\nx\r\n')
        s.sendall(text[:dice.randrange(1, len(text))])
        s.close()
    after(site, '300 clients that go in the middle')


resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
with Site(conf='[store]\ncache = 32M\n[limits]\nworkers = 256\n') as site:
    site.baton('topic', 'add', 'open', '--about', 'For everybody', '--access', 'open')
    site.baton('subscribe', 'dee', 'open')
    for attack in (half_lines, silent_tls, trickles, endless_lines, huge_literals, deep_nesting, floods, recipients, binary,
                   heavy, resets):
        attack(site)
    tap.same(site.stop(), 0, 'a clean end')
    tap.ok('"faults": 0' in site.baton('check', '--json'), 'baton check is clean')
tap.done()
