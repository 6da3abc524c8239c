#!/usr/bin/env python3
"""COMPRESS DEFLATE on IMAP (RFC 4978) and NNTP (RFC 8054), in the clear and under TLS, with clients that behave and that do not."""
import os, socket, ssl, sys, time, zlib
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE


class Client:
    def __init__(self, port, tls=False):
        self.s = socket.create_connection(('127.0.0.1', port), 180)
        if tls:
            self.s = trusting.wrap_socket(self.s)
        self.inflate = self.deflate = None
        self.data, self.raw = b'', 0
        self.line()

    def squeeze(self):
        self.inflate, self.deflate = zlib.decompressobj(-15), zlib.compressobj(6, zlib.DEFLATED, -15)
        assert not self.data

    def send(self, octets, flush=zlib.Z_SYNC_FLUSH):
        if self.deflate:
            octets = self.deflate.compress(octets) + self.deflate.flush(flush)
        self.s.sendall(octets)

    def line(self):
        while b'\n' not in self.data:
            got = self.s.recv(65536)
            if not got:
                raise EOFError
            self.raw += len(got)
            self.data += self.inflate.decompress(got) if self.inflate else got
        line, self.data = self.data.split(b'\n', 1)
        return line.rstrip(b'\r').decode()

    def say(self, line):
        self.send(line.encode() + b'\r\n')
        return self.line()

    def until(self, line, *ends):
        if line is not None:
            self.send(line.encode() + b'\r\n')
        got = [self.line()]
        while not got[-1].startswith(ends):
            got.append(self.line())
        return got

    def closed(self):
        try:
            while self.s.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def end(self):
        self.s.close()


def imap(site, tls=False, squeeze=True):
    c = Client(site.port('imaps' if tls else 'imap'), tls)
    tap.capability = c.until(f'a LOGIN bo {PASSWORD}', 'a ')[-1]
    if squeeze:
        assert c.say('z COMPRESS DEFLATE').startswith('z OK')
        c.squeeze()
    return c


def nntp(site, tls=False):
    c = Client(site.port('nntps' if tls else 'nntp'), tls)
    c.say('AUTHINFO USER bo'), c.say('AUTHINFO PASS ' + PASSWORD)
    assert c.say('COMPRESS DEFLATE').startswith('206')
    c.squeeze()
    return c


with Site(people=PEOPLE[:2]) as site:
    with site.smtp('smtp') as s:
        for n in range(200):
            s.sendmail('x@elsewhere.example', ['bo@team.example'], message(f'Letter {n}', sender='x@elsewhere.example', to='bo@team.example', body='words and words\r\n' * 200))
    c = Client(site.port('imap'))
    tap.ok('COMPRESS' not in ''.join(c.until('a CAPABILITY', 'a ')) and c.say('b COMPRESS DEFLATE').startswith('b BAD'), 'IMAP: nothing for strangers')
    c.end()
    c = imap(site, squeeze=False)
    tap.ok('COMPRESS=DEFLATE' in tap.capability, 'IMAP: offered after login')
    tap.ok(c.say('b COMPRESS LZW').startswith('b NO') and c.say('c COMPRESS').startswith('c BAD') and c.say('d COMPRESS DEFLATE x').startswith('d BAD'),
           'IMAP: another algorithm, none, too much')
    c.end()
    for tls in False, True:
        how = 'under TLS' if tls else 'in the clear'
        c = imap(site, tls)
        tap.ok(c.say('b COMPRESS DEFLATE').startswith('b NO [COMPRESSIONACTIVE]'), f'IMAP {how}: not twice')
        tap.ok('COMPRESS' not in c.until('b CAPABILITY', 'b ')[0], f'IMAP {how}: and not offered twice')
        c.until('c SELECT INBOX', 'c ')
        before = c.raw
        got = c.until('d FETCH 1:* BODY.PEEK[]', 'd ')
        tap.ok(sum(l.startswith('words') for l in got) == 40000 and c.raw - before < 400000, f'IMAP {how}: 200 messages, squeezed', str(c.raw - before))
        body = b'Subject: by append\r\n\r\n' + os.urandom(40000).hex().encode() + b'\r\n'
        c.send(f'e APPEND Drafts {{{len(body)}+}}\r\n'.encode() + body + b'\r\nf NOOP\r\n')
        got = c.until(None, 'f ')
        tap.ok(any(l.startswith('e OK') for l in got), f'IMAP {how}: APPEND and what is pipelined behind it', str(got))
        c.send(f'g APPEND Drafts {{{len(body)}}}\r\n'.encode())
        tap.ok(c.line().startswith('+'), f'IMAP {how}: a literal that waits')
        for at in range(0, len(body), 7000):
            c.send(body[at:at + 7000])
            time.sleep(0.01)
        tap.ok(any('g OK' in l for l in c.until('', 'g ')), f'IMAP {how}: and comes in pieces')
        for _ in range(5):  # idle between: both sides go on where they were
            time.sleep(0.05)
            c.send(b'h NO', zlib.Z_NO_FLUSH)
            time.sleep(0.05)
            c.send(b'OP\r\n')
            if not c.line().startswith('h OK'):
                break
        else:
            tap.ok(True, f'IMAP {how}: commands that come in parts, with silence between')
        c.say('i IDLE')
        with site.smtp('smtp') as s:
            s.sendmail('x@elsewhere.example', ['bo@team.example'], message('New', sender='x@elsewhere.example', to='bo@team.example'))
        tap.ok('EXISTS' in c.until(None, '* ')[-1], f'IMAP {how}: IDLE is told')
        tap.ok(c.until('DONE', 'i ')[-1].startswith('i OK'), f'IMAP {how}: IDLE ends')
        c.send(b''.join(b'j%d NOOP\r\n' % n for n in range(1000)))
        tap.ok(c.until(None, 'j999 ')[-1].startswith('j999 OK'), f'IMAP {how}: a thousand commands in one')
        c.until('k LOGOUT', 'k ')
        tap.ok(c.closed(), f'IMAP {how}: LOGOUT')
    c = imap(site)
    c.send(b'a' * 100_000_000 + b'\r\nb NOOP\r\n')
    tap.ok('[TOOBIG]' in c.line() and c.line().startswith('b OK'), 'a bomb: one line of 100 MB is dropped as it comes')
    with open(f'/proc/{site.daemon.pid}/status') as f:
        peak = next(int(l.split()[1]) for l in f if l.startswith('VmHWM'))
    tap.ok(peak < 400_000, 'and takes no memory', f'{peak} KB')
    c.s.sendall(b'\xff\xff\xffNOOP\r\n')
    tap.ok(c.closed(), 'what is not deflate ends the connection')
    c = imap(site, squeeze=False)
    c.send(b'z COMPRESS DEFLATE\r\n' + b'y NOOP\r\n')
    tap.ok(c.line().startswith('z OK') and c.closed(), 'clear text behind COMPRESS is not obeyed')
    c = imap(site)
    c.send(b'a NOOP\r\n', zlib.Z_FINISH)
    tap.ok(c.line().startswith('a OK') and c.closed(), "the client's stream ends: so does the session")

    for tls in False, True:
        how = 'under TLS' if tls else 'in the clear'
        n = nntp(site, tls)
        labels = [l.split()[0] for l in n.until('CAPABILITIES', '.')]
        tap.ok(not {'COMPRESS', 'STARTTLS', 'AUTHINFO', 'SASL'} & set(labels), f'NNTP {how}: neither offered again, nor login or STARTTLS', str(labels))
        tap.same([n.say(w)[:3] for w in ('COMPRESS DEFLATE', 'STARTTLS', 'AUTHINFO USER bo', 'DATE')], ['502', '502', '502', '111'], f'NNTP {how}: nor obeyed')
        for size in 10, 5000, 300000:  # InterNetNews/inn#269: the article lies inflated while the socket is silent
            tap.ok(n.say('POST').startswith('340'), f'NNTP {how}: POST')
            article = f'From: bo@team.example\r\nNewsgroups: eng.ops\r\nSubject: {size} {how}\r\n\r\n' + ('y' * 70 + '\r\n') * (size // 70 + 1) + '.\r\nDATE\r\n'
            n.send(article.encode())
            tap.ok(n.line().startswith('240') and n.line().startswith('111'), f'NNTP {how}: {size} octets, and DATE behind')
        n.say('GROUP eng.ops')
        got = n.until('ARTICLE 3', '.')
        tap.same(sum(l == 'y' * 70 for l in got), 300000 // 70 + 1, f'NNTP {how}: ARTICLE')
        tap.ok(n.say('QUIT').startswith('205') and n.closed(), f'NNTP {how}: QUIT')
    n = Client(site.port('nntp'))
    tap.ok(n.say('COMPRESS DEFLATE').startswith('480'), 'NNTP: nothing for strangers')
    n.end()
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
