#!/usr/bin/env python3
"""SCRAM-SHA-256 (RFC 5802, RFC 7677) over SMTP, IMAP and NNTP, and -PLUS, bound to TLS by tls-server-end-point (RFC 5929) and
tls-exporter (RFC 9266): a client of our own, and gsasl where it is installed."""
import base64, hashlib, hmac, os, shutil, socket, ssl, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()


def b64(octets):
    return base64.b64encode(octets if isinstance(octets, bytes) else octets.encode()).decode()


class Scram:
    """The client's half, with everything that can be done wrong."""

    def __init__(self, user, password, header='n,,', nonce='fyko+d2lbbFgONRv9qkxdawL'):
        self.password, self.header = password, header
        self.bare = f'n={user.replace("=", "=3D").replace(",", "=2C")},r={nonce}'

    def first(self):
        return b64(self.header + self.bare)

    channel = b''  # what binds: of the connection

    def last(self, challenge, nonce=None, binding=None, flip=False, channel=None):
        self.server = base64.b64decode(challenge).decode()
        self.fields = dict(f.split('=', 1) for f in self.server.split(','))
        salted = hashlib.pbkdf2_hmac('sha256', self.password.encode(), base64.b64decode(self.fields['s']), int(self.fields['i']))
        key = hmac.digest(salted, b'Client Key', 'sha256')
        binds = (binding or self.header).encode() + (self.channel if channel is None else channel)
        last = f'c={b64(binds)},r={nonce or self.fields["r"]}'
        text = f'{self.bare},{self.server},{last}'.encode()
        proof = bytes(a ^ b for a, b in zip(key, hmac.digest(hashlib.sha256(key).digest(), text, 'sha256')))
        if flip:
            proof = bytes([proof[0] ^ 1]) + proof[1:]
        self.signature = 'v=' + b64(hmac.digest(hmac.digest(salted, b'Server Key', 'sha256'), text, 'sha256'))
        return b64(f'{last},p={b64(proof)}')

    def verify(self, challenge):
        return base64.b64decode(challenge).decode() == self.signature


class Line:
    def __init__(self, port, tls=None):
        self.s = socket.create_connection(('127.0.0.1', port), 180)
        if tls:
            self.s = tls.wrap_socket(self.s, server_hostname='localhost')
        self.f = self.s.makefile('rwb')
        self.get()

    def get(self):
        return self.f.readline().decode().rstrip('\r\n')

    def say(self, line):
        self.f.write(line.encode() + b'\r\n')
        self.f.flush()
        return self.get()

    def until(self, line, end):
        got = [self.say(line)]
        while not got[-1].startswith(end):
            got.append(self.get())
        return '\n'.join(got)

    def end(self):
        self.f.close()
        self.s.close()


KINDS = {  # protocol: (port, how it begins, what a challenge begins with, what success begins with)
    'smtp': ('submission', 'AUTH SCRAM-SHA-256 ', '334 ', '235 '),
    'imap': ('imap', 'a AUTHENTICATE SCRAM-SHA-256 ', '+ ', 'a OK'),
    'nntp': ('nntp', 'AUTHINFO SASL SCRAM-SHA-256 ', '383 ', '283 '),
}


TLS_PORTS = {'smtp': 'submissions', 'imap': 'imaps', 'nntp': 'nntps'}


def end_point(line):
    """tls-server-end-point: the certificate is signed with ECDSA and SHA-256."""
    return hashlib.sha256(line.s.getpeercert(True)).digest()


def login(site, kind, scram, tls=None, **wrong):
    """The last reply, and whether the server has proven itself. Under TLS (a context): -PLUS for who says p=."""
    port, begin, go_on, success = KINDS[kind]
    line = Line(site.port(TLS_PORTS[kind] if tls else port), tls)
    if scram.header.startswith('p=') and tls:
        begin = begin.replace('-256 ', '-256-PLUS ')
        scram.channel = end_point(line)
    if kind == 'smtp':
        line.until('EHLO client.example', '250 ')
    try:
        got = line.say(begin + scram.first())
        if not got.startswith(go_on):
            return got, False
        got = line.say(scram.last(got[len(go_on):], **wrong))
        if kind == 'nntp':
            return got, got.startswith('283 ') and scram.verify(got[4:])
        if not got.startswith(go_on):
            return got, False
        proven = scram.verify(got[len(go_on):])
        return line.say(''), proven
    finally:
        line.end()


with Site(people=PEOPLE[:2], topics=[], conf='\n[login]\nlogin-failures = 1000\ncleartext-login = never\n') as site:
    smtp, imap, nntp = Line(site.port('submission')), Line(site.port('imap')), Line(site.port('nntp'))
    tap.ok('250-AUTH SCRAM-SHA-256\n' in smtp.until('EHLO x', '250 '), 'SMTP offers SCRAM alone where passwords are not taken')
    tap.ok(smtp.say('AUTH PLAIN ' + b64('\0bo\0' + PASSWORD)).startswith('538'), 'SMTP: and PLAIN is refused')
    tap.ok(' AUTH=SCRAM-SHA-256 LOGINDISABLED' in imap.until('a CAPABILITY', 'a OK'), 'IMAP offers SCRAM alone, and LOGINDISABLED')
    tap.ok(imap.say('b AUTHENTICATE PLAIN ' + b64('\0bo\0' + PASSWORD)).startswith('b NO [PRIVACYREQUIRED]'), 'IMAP: and PLAIN is refused')
    tap.ok('\nSASL SCRAM-SHA-256\n' in nntp.until('CAPABILITIES', '.'), 'NNTP offers SCRAM alone')
    for kind, (_, _, _, success) in KINDS.items():
        got, proven = login(site, kind, Scram('bo', PASSWORD))
        tap.ok(got.startswith(success) and proven, f'{kind}: login, and the server knows the password', got)
        got, proven = login(site, kind, Scram('BO@team.example', PASSWORD, header='y,a=bo,'))
        tap.ok(got.startswith(success) and proven, f'{kind}: by address, as oneself, "y" for no channel binding', got)
        refusal = {'smtp': '535', 'imap': 'a NO [AUTHENTICATIONFAILED]', 'nntp': '481'}[kind]
        malformed = {'smtp': '501', 'imap': 'a BAD', 'nntp': '504'}[kind]
        for name, scram, wrong, want in (
                ('a wrong password', Scram('bo', 'wrong'), {}, refusal),
                ('nobody', Scram('nobody', PASSWORD), {}, refusal),
                ('a flipped proof', Scram('bo', PASSWORD), {'flip': True}, refusal),
                ('a wrong nonce', Scram('bo', PASSWORD), {'nonce': 'fyko+d2lbbFgONRv9qkxdawLxx'}, refusal),
                ('a changed header', Scram('bo', PASSWORD, header='y,,'), {'binding': 'n,,'}, malformed),
                ('channel binding', Scram('bo', PASSWORD, header='p=tls-unique,,'), {}, malformed),
                ('an extension', Scram('bo', PASSWORD, header='n,,m=x,'), {}, malformed),
                ('a bad name', Scram('bo', PASSWORD, header='n,a=b=o,'), {}, malformed),
                ('an empty nonce', Scram('bo', PASSWORD, nonce=''), {}, malformed)):
            got, proven = login(site, kind, scram, **wrong)
            tap.ok(got.startswith(want) and not proven, f'{kind}: {name} is refused', got)
        got, _ = login(site, kind, Scram('bo', PASSWORD, header='n,a=ana,'))
        tap.ok(got.startswith('a NO [AUTHORIZATIONFAILED]' if kind == 'imap' else refusal), f'{kind}: to act for another is refused', got)
    trusting = ssl.create_default_context(cafile=os.path.join(site.home, 'tls/certificate.pem'))
    older = ssl.create_default_context(cafile=os.path.join(site.home, 'tls/certificate.pem'))
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    for name in 'localhost', '127.0.0.1', 'team.example':
        with socket.create_connection(('127.0.0.1', site.port('imaps')), 180) as s, trusting.wrap_socket(s, server_hostname=name) as t:
            tap.ok(t.version() == 'TLSv1.3', f'the certificate of a site to try out is for {name}')
    smtp, imap, nntp = (Line(site.port(TLS_PORTS[kind]), trusting) for kind in ('smtp', 'imap', 'nntp'))
    tap.ok('250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN\n' in smtp.until('EHLO x', '250 '), 'SMTP offers -PLUS under TLS')
    tap.ok(' AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN' in imap.until('a CAPABILITY', 'a OK'), 'IMAP offers -PLUS under TLS')
    tap.ok('\nSASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN\n' in nntp.until('CAPABILITIES', '.'), 'NNTP offers -PLUS under TLS')
    for kind, (_, begin, _, success) in KINDS.items():
        refusal = {'smtp': '535', 'imap': 'a NO [AUTHENTICATIONFAILED]', 'nntp': '481'}[kind]
        malformed = {'smtp': '501', 'imap': 'a BAD', 'nntp': '504'}[kind]
        bound = 'p=tls-server-end-point,,'
        for name, tls in ('TLS 1.3', trusting), ('TLS 1.2', older):
            got, proven = login(site, kind, Scram('bo', PASSWORD, header=bound), tls)
            tap.ok(got.startswith(success) and proven, f'{kind}, {name}: login bound to the certificate', got)
            got, proven = login(site, kind, Scram('bo', PASSWORD), tls)
            tap.ok(got.startswith(success) and proven, f'{kind}, {name}: login that is not bound', got)
        for name, scram, wrong, want in (
                ('a wrong password', Scram('bo', 'wrong', header=bound), {}, refusal),
                ("another's certificate", Scram('bo', PASSWORD, header=bound), {'channel': hashlib.sha256(b'').digest()}, refusal),
                ('no binding where one was promised', Scram('bo', PASSWORD, header=bound), {'channel': b''}, refusal),
                ('a binding of another kind than was said', Scram('bo', PASSWORD, header='p=tls-exporter,,'), {}, refusal),
                ('an unknown kind', Scram('bo', PASSWORD, header='p=tls-unique,,'), {}, malformed),
                ('"y", though -PLUS is offered', Scram('bo', PASSWORD, header='y,,'), {}, malformed)):
            got, proven = login(site, kind, scram, trusting, **wrong)
            tap.ok(got.startswith(want) and not proven, f'{kind}, -PLUS: {name} is refused', got)
        got, _ = login(site, kind, Scram('bo', PASSWORD, header='p=tls-exporter,,'), older)
        tap.ok(got.startswith(malformed), f'{kind}, TLS 1.2: tls-exporter is refused', got)
        line = Line(site.port(KINDS[kind][0]))
        if kind == 'smtp':
            line.until('EHLO x', '250 ')
        got = line.say(begin.replace('-256 ', '-256-PLUS ') + Scram('bo', PASSWORD, header=bound).first())
        tap.ok(got.startswith({'smtp': '504', 'imap': 'a NO [CANNOT]', 'nntp': '503'}[kind]), f'{kind}: no -PLUS without TLS', got)
        line.end()
        line = Line(site.port(TLS_PORTS[kind]), trusting)
        if kind == 'smtp':
            line.until('EHLO x', '250 ')
        got = line.say(begin.replace('-256 ', '-256-PLUS ') + Scram('bo', PASSWORD).first())
        tap.ok(got.startswith(malformed), f'{kind}: no -PLUS that is not bound', got)
        line.end()
    one, two, three = Scram('nobody', 'x'), Scram('nobody', 'x'), Scram('bo', 'x')
    for scram in one, two, three:
        login(site, 'imap', scram)
    tap.ok(one.fields['s'] == two.fields['s'] and one.fields['i'] == three.fields['i'] and
           len(one.fields['s']) == len(three.fields['s']), "nobody's salt is always the same and looks like a real one")
    site.stop()
    site.start()
    login(site, 'imap', two)
    tap.same(one.fields['s'], two.fields['s'], 'also after a restart')
    site.baton('user', 'passwd', 'bo', '--password-stdin', input='Pass, Pas\u00df, \u2168\n')
    tap.ok(login(site, 'imap', Scram('bo', 'Pass, Pas\u00df, IX'))[0].startswith('a OK'), 'a new password counts at once, normalised (RFC 4013)')
    tap.ok(login(site, 'imap', Scram('bo', PASSWORD))[0].startswith('a NO'), 'and the old one does not')
    site.baton('user', 'disable', 'bo')
    tap.ok(login(site, 'imap', Scram('bo', 'Pass, Pas\u00df, IX'))[0].startswith('a NO'), 'who is disabled does not log in')
    line = Line(site.port('imap'))
    line.say('a AUTHENTICATE SCRAM-SHA-256')
    tap.ok(line.say('*').startswith('a BAD'), 'the client may cancel')
    tap.ok(line.say('a AUTHENTICATE SCRAM-SHA-256').startswith('+') and
           line.say(Scram('ana', PASSWORD).first()).startswith('+ '), 'without an initial response')
    line.end()
    for service, options in (('imap', ['--imap']), ('submission', ['--smtp'])):
        if not shutil.which('gsasl'):
            tap.skip(f'gsasl over {service}', 'gsasl is not installed')
            continue
        done = subprocess.run(['gsasl', *options, f'--connect=127.0.0.1:{site.port(service)}', '--no-starttls', '--mechanism=SCRAM-SHA-256',
                               '--authentication-id=ana', f'--password={PASSWORD}', '--no-cb'],
                              input='', capture_output=True, text=True, timeout=300)
        tap.ok('client authentication finished (server trusted)' in (done.stdout + done.stderr).lower(),
               f'gsasl over {service}', done.stdout[-600:] + done.stderr[-600:])
    for service, options in (('imap', ['--imap']), ('submission', ['--smtp'])):
        if not shutil.which('gsasl'):
            tap.skip(f'gsasl over {service}, -PLUS', 'gsasl is not installed')
            continue
        done = subprocess.run(['gsasl', *options, f'--connect=127.0.0.1:{site.port(service)}', '--starttls', '--x509-ca-file=',
                               '--mechanism=SCRAM-SHA-256-PLUS', '--authentication-id=ana', f'--password={PASSWORD}'],
                              input='', capture_output=True, text=True, timeout=300)
        said = done.stdout + done.stderr
        tap.ok('client authentication finished (server trusted)' in said.lower() and b64('p=tls-exporter,,')[:18] in said,
               f'gsasl over {service}: -PLUS by tls-exporter', said[-1500:])
    if shutil.which('msmtp'):
        done = subprocess.run(['msmtp', '--host=127.0.0.1', f'--port={site.port("submission")}', '--auth=scram-sha-256', '--user=ana', '--tls=off',
                               f'--passwordeval=echo {PASSWORD}', '--from=ana@team.example', 'ana@team.example'],
                              input=message('By msmtp', sender='ana@team.example', to='ana@team.example').decode(), capture_output=True, text=True, timeout=300)
        tap.ok(done.returncode == 0, 'msmtp', done.stderr[-600:])
    else:
        tap.skip('msmtp', 'msmtp is not installed')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
