#!/usr/bin/env python3
"""701 hard messages (broken MIME, odd charsets, bounces, hostile headers) by LMTP, APPEND and the pipe: each is filed or
refused with a reason at once, the daemon lives, and whatever was filed can be read in every way, with an ENVELOPE,
BODYSTRUCTURE and overview that keep the grammar. Skips where the shared test material is not."""
import os, re, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import baton
from baton import *
from rawclient import Imap, Malformed, Nntp, Refused, Stream, parts

AT_MOST = 60  # seconds for one message
EX_REFUSED = (65, 67, 77)
tap = Tap()
slow = []


def crlf(octets):
    octets = re.sub(rb'(?<!\r)\n', b'\r\n', octets)
    return octets


def whole_lines(octets):
    """As a mail server sends it: the last line has an end."""
    return octets if octets.endswith(b'\r\n') else octets + b'\r\n'


def timed(name, how, run):
    start = time.monotonic()
    result = run()
    if time.monotonic() - start > AT_MOST:
        slow.append(f'{name} by {how}: {time.monotonic() - start:.1f} s')
    return result


class Lmtp(Stream):
    def __init__(self, port):
        super().__init__(port)
        self.reply()
        self.ask('LHLO test.example')

    def reply(self):
        text = ''
        while True:
            line = self.line().decode(errors='replace')
            text += line
            if re.match(r'\d{3} ', line):
                return text
            if not re.match(r'\d{3}-', line):
                raise Malformed(f'an LMTP reply: {line!r}')

    def ask(self, text):
        self.send(text + '\r\n')
        return self.reply()

    def deliver(self, octets, to):
        for line in ('MAIL FROM:<someone@elsewhere.example>', f'RCPT TO:<{to}>', 'DATA'):
            answer = self.ask(line)
            if answer[0] not in '23':
                return answer
        self.send(re.sub(rb'(?m)^\.', b'..', octets) + b'.\r\n')
        return self.reply()


def by_lmtp(site):
    """The messages that were filed, in order; complains about every other answer than 250 and 5xx with a reason."""
    filed, bad, refused = [], [], []
    c = Lmtp(site.port('lmtp'))
    for name, octets in files:
        octets = whole_lines(octets)
        try:
            answer = timed(name, 'LMTP', lambda: c.deliver(octets, 'open@team.example'))
        except (OSError, Malformed) as e:
            bad.append(f'{name}: {e}')
            c = Lmtp(site.port('lmtp'))
            continue
        if answer.startswith('250 '):
            filed.append((name, octets))
        elif re.match(r'5\d\d 5\.\d+\.\d+ .{10}', answer):
            refused.append(f'{name}: {answer.strip()}')
        else:
            bad.append(f'{name}: {answer!r}')
    tap.ok(not bad, f'LMTP: {len(filed)} filed, {len(refused)} refused with a reason', '\n'.join(bad))
    return filed


def by_append(site):
    filed, bad, refused = [], [], []
    c = Imap(site.port('imap'))
    c.login('cem')
    for name, octets in files:
        try:
            uid = timed(name, 'APPEND', lambda: c.append('Archive', octets))
            filed.append((name, octets))
            if uid != len(filed):
                bad.append(f'{name}: UID {uid}, wanted {len(filed)}')
        except Refused as e:
            refused.append(name)
            if not re.search(r' NO \[[A-Z-]+\] .{10}', str(e)):
                bad.append(f'{name}: {e}')
        except (OSError, Malformed) as e:
            bad.append(f'{name}: {e}')
            c = Imap(site.port('imap'))
            c.login('cem')
    tap.ok(not bad, f'APPEND: {len(filed)} filed, {len(refused)} refused with a reason', '\n'.join(bad))
    return filed


def by_pipe(site):
    filed, bad, refused = [], [], []
    for name, octets in files:
        try:
            r = timed(name, 'baton deliver', lambda: subprocess.run(
                [os.path.join(baton.BUILD, 'baton'), '--home', site.home, 'deliver', '--from', 'a@elsewhere.example',
                 'bo@team.example'], input=octets, capture_output=True, timeout=300))
        except subprocess.TimeoutExpired:
            bad.append(f'{name}: hangs')
            continue
        if r.returncode == 0:
            filed.append((name, octets))
        elif r.returncode in EX_REFUSED and len(r.stderr) > 20:
            refused.append(name)
        else:
            bad.append(f'{name}: exit {r.returncode}, {r.stderr!r}')
    tap.ok(not bad, f'baton deliver: {len(filed)} filed, {len(refused)} refused with a reason', '\n'.join(bad))
    return filed


def look_at_parts(c, uid, octets, structure, bad):
    """Every part that the structure names can be had, and is as long as it says."""
    wanted = [p for p in parts(structure) if p['number']]
    sections = ' '.join(f'BODY.PEEK[{p["number"]}] BODY.PEEK[{p["number"]}.MIME]' for p in wanted[:200])
    sections += ''.join(f' BODY.PEEK[{p["number"]}.HEADER] BODY.PEEK[{p["number"]}.TEXT]' for p in wanted[:200] if 'body' in p)
    found = c.fetch(uid, f'(BODY.PEEK[HEADER] BODY.PEEK[TEXT]{" " if sections else ""}{sections})')
    if len(found) != 1:
        bad.append(f'{uid}: {len(found)} answers to a FETCH of its parts')
        return
    items = found[0][1]
    if items[b'BODY[HEADER]'] + items[b'BODY[TEXT]'] != octets:
        bad.append(f'{uid}: HEADER and TEXT are not the whole')
    for p in wanted[:200]:
        number = p['number'].encode()
        for section in [b''] + [b'.MIME'] + ([b'.HEADER', b'.TEXT'] if 'body' in p else []):
            if items.get(b'BODY[' + number + section + b']') is None:
                bad.append(f'{uid}: no BODY[{p["number"]}{section.decode()}]')
        content = items.get(b'BODY[' + number + b']') or b''
        if 'octets' in p and p['octets'] != len(content):
            bad.append(f'{uid}: part {p["number"]} has {len(content)} octets, BODYSTRUCTURE says {p["octets"]}')
        if content not in octets:
            bad.append(f'{uid}: part {p["number"]} is not in the message')
        if 'body' in p and (items.get(b'BODY[' + number + b'.HEADER]') or b'') \
                + (items.get(b'BODY[' + number + b'.TEXT]') or b'') != content:
            bad.append(f'{uid}: HEADER and TEXT of part {p["number"]} are not the whole')


def look(site, person, folder, filed, exact):
    """Reads all of a folder; filed: what must be there, in this order."""
    want, bad = [], []
    for name, octets in filed:  # the same octets twice are one message, but not where a client put them
        if exact or octets not in (w[0] for w in want):
            want.append((octets, name))
    with Imap(site.port('imap')) as c:
        c.login(person)
        c.command(f'EXAMINE "{folder}"')
        found = c.fetch('1:*', '(UID RFC822.SIZE)')
        if len(found) != len(want):
            bad.append(f'{len(found)} messages, {len(want)} were filed')
        for (octets, name), (_, known) in zip(want, found):
            uid, start = known[b'UID'], time.monotonic()
            try:
                items = c.fetch(uid, '(ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[] RFC822.SIZE)')[0][1]
                got = items[b'BODY[]']
                if items[b'RFC822.SIZE'] != len(got) or known[b'RFC822.SIZE'] != len(got):
                    bad.append(f'{uid} {name}: RFC822.SIZE {items[b"RFC822.SIZE"]}, octets {len(got)}')
                if got != octets if exact else not got.endswith(octets):
                    bad.append(f'{uid} {name}: not the octets that were sent')
                look_at_parts(c, uid, got, items[b'BODYSTRUCTURE'], bad)
            except (Malformed, Refused, OSError, IndexError, KeyError) as e:
                bad.append(f'{uid} {name}: {type(e).__name__} {e}')
                c.close()
                c = Imap(site.port('imap'))
                c.login(person)
                c.command(f'EXAMINE "{folder}"')
            if time.monotonic() - start > AT_MOST:
                slow.append(f'{name} over IMAP')
    tap.ok(not bad, f'{folder} of {person}: every message and part can be read, by the grammar', '\n'.join(bad))


def look_over_news(site, filed):
    bad = []
    with Nntp(site.port('nntp'), 'dee') as c, Imap(site.port('imap')) as imap:
        imap.login('dee')
        imap.command('EXAMINE Topics/open')
        _, low, high = c.group('open')
        c.command(f'OVER {low}-{high}', '224')
        lines = c.block()
        for line in lines:
            fields = line[:-2].split(b'\t')
            if len(fields) < 9 or re.search(rb'[\x00-\x08\x0a-\x1f\x7f]', line[:-2]):
                bad.append(f'overview: {line!r:.200}')
            elif not re.fullmatch(rb'<[^<>\s]+>', fields[4]):
                bad.append(f'overview: Message-ID {fields[4]!r}')
        numbers = [int(line.split(b'\t')[0]) for line in lines]
        if numbers != list(range(low, high + 1)):
            bad.append(f'overview: {len(numbers)} lines for {low} to {high}')
        for n in range(low, high + 1):
            try:
                article = c.article(n)
            except (Malformed, Refused) as e:
                bad.append(f'{n}: {e}')
                continue
            if article != whole_lines(imap.fetch(n, '(BODY.PEEK[])')[0][1][b'BODY[]']):
                bad.append(f'{n}: other octets than over IMAP')
            if int(lines[n - low].split(b'\t')[6] or 0) != len(article):
                bad.append(f'{n}: overview says {lines[n - low].split(bytes([9]))[6]} octets, has {len(article)}')
    tap.ok(not bad, 'news: all overview lines and articles', '\n'.join(bad))


folder = shared('corpora', 'nasty')
if not folder or not os.path.isdir(folder):
    skip_all('the shared corpora are not here')
files = []
for where, _, names in sorted(os.walk(folder)):
    for name in sorted(names):
        with open(os.path.join(where, name), 'rb') as f:
            files.append((os.path.relpath(os.path.join(where, name), folder), crlf(f.read())))
tap.same(len(files), 701, 'all hard messages are here')

with Site() as site:
    site.baton('topic', 'add', 'open', '--about', 'For everybody', '--access', 'open')
    site.baton('subscribe', 'dee', 'open')
    daemon = site.daemon.pid
    mailed, appended, piped = by_lmtp(site), by_append(site), by_pipe(site)
    look(site, 'dee', 'Topics/open', mailed, False)
    look(site, 'cem', 'Archive', appended, True)
    look(site, 'bo', 'INBOX', [(n, whole_lines(re.sub(rb'\A>?From [^\n]*\n', b'', o))) for n, o in piped], False)
    look_over_news(site, mailed)
    tap.ok(not slow, f'nothing took more than {AT_MOST} s', '\n'.join(slow))
    tap.ok(site.daemon.poll() is None and site.daemon.pid == daemon, 'the daemon lives')
    tap.ok('"faults": 0' in site.baton('check', '--json'), 'baton check is clean')
    tap.same(site.stop(), 0, 'a clean end')
tap.done()
