#!/usr/bin/env python3
"""What an administrator can get wrong: bad lines in baton.conf, ports in use, two daemons, a second init, a missing key,
a reload with good and bad settings, an end under load. Each is said with the place and the reason, and nothing breaks."""
import os, re, shutil, signal, socket, ssl, subprocess, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import baton
from baton import *

tap = Tap()


def settings(site):
    return os.path.join(site.home, 'baton.conf')


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def write(path, octets):
    with open(path, 'wb') as f:
        f.write(octets)


def refusal(site, home=None):
    """(exit status, what it says) of a start that ends by itself; None, '' when it serves or hangs."""
    try:
        r = subprocess.run([os.path.join(baton.BUILD, 'batond'), '--home', home or site.home, '--foreground'],
                           capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return None, 'still there after 300 s'
    return r.returncode, r.stdout.decode(errors='replace') + r.stderr.decode(errors='replace')


BAD = [  # what is appended to baton.conf; the line behind its own first that is wrong; what the reason says
    ('unknown key', b'[limits]\nconections = 5\n', 1, r"no key 'conections'.*connections"),
    ('key of another section', b'[limits]\ndomain = x.example\n', 1, r'domain belongs into \[site\]'),
    ('unknown section', b'[limit]\n', 0, r'no section'),
    ('unclosed section', b'[limits\nworkers = 4\n', 0, r"']'"),
    ('no equals sign', b'[limits]\nworkers 4\n', 1, r'key = value'),
    ('not a number', b'[limits]\nworkers = many\n', 1, r"number from 2 to 4096, not 'many'"),
    ('negative', b'[limits]\nworkers = -4\n', 1, r"not '-4'"),
    ('number out of range', b'[limits]\nworkers = 99999999999999999999999\n', 1, r'number from'),
    ('size without sense', b'[limits]\nmessage-size = 50Q\n', 1, r'size like'),
    ('size that overflows', b'[limits]\nmessage-size = 18446744073709551615G\n', 1, r'size'),
    ('size too small', b'[store]\ncache = 1k\n', 1, r'must lie between'),
    ('time without sense', b'[limits]\nidle-imap = soon\n', 1, r'time like'),
    ('empty value', b'[limits]\nworkers =\n', 1, r'number'),
    ('key twice', b'[limits]\nworkers = 5\nworkers = 6\n', 2, r'twice'),
    ('domain twice', b'[site]\ndomain = other.example\n', 1, r'domain.*twice'),
    ('listener twice', b'[listen imap]\n', 0, r'twice'),
    ('listener without a name', b'[listen]\n', 0, r'name'),
    ('unknown listener without protocol', b'[listen strange]\nport = 19999\n', 0, r'protocol'),
    ('unknown protocol', b'[listen strange]\nprotocol = gopher\n', 1, r'gopher'),
    ('port out of range', b'[listen strange]\nprotocol = imap\nport = 70000\n', 2, r"1 to 65535, not '70000'"),
    ('yes or no', b'[listen strange]\nprotocol = imap\nport = 19999\ntls = perhaps\n', 3, r'yes or no'),
    ('cleartext-login', b'[login]\ncleartext-login = sometimes\n', 1, r'loopback, never or always'),
    ('log level', b'[site]\nlog = loud\n', 1, r'errors, warnings, notes or details'),
    ('separator', b'[site]\nseparator = @\n', 1, r'separator'),
    ('NUL', b'[limits]\nwork\0ers = 5\n', 1, r'not text'),
    ('bad domain', b'[site]\nhost = -x..y\n', 1, r'not a domain name'),
]


def bad_lines(site):
    good = read(settings(site))
    first = good.count(b'\n') + 1
    for name, text, line, reason in BAD:
        write(settings(site), good + text)
        code, said = refusal(site)
        tap.ok(code == 1 and re.search(rf'baton\.conf:{first + line}: .*(?i:{reason})', said),
               f'bad settings: {name}', f'exit {code}: {said}')
    write(settings(site), re.sub(rb'(?m)^domain = .*\n', b'', good))
    code, said = refusal(site)
    tap.ok(code == 1 and 'domain' in said, 'bad settings: no domain', f'exit {code}: {said}')
    write(settings(site), good)


def without(site):
    """What a start needs and does not find."""
    code, said = refusal(site, os.path.join(site.folder, 'nowhere'))
    tap.ok(code == 1 and 'init' in said, 'no site there', f'exit {code}: {said}')
    good = read(settings(site))
    for name in ('key.pem', 'certificate.pem'):
        path = os.path.join(site.home, 'tls', name)
        os.rename(path, path + '.away')
        code, said = refusal(site)
        tap.ok(code == 1 and path in said, f'no {name}', f'exit {code}: {said}')
        write(path, b'not PEM\n')
        code, said = refusal(site)
        tap.ok(code == 1 and path in said, f'a {name} that is none', f'exit {code}: {said}')
        os.rename(path + '.away', path)
    write(settings(site), good + b'[site]\nuser = nobody-of-this-name\n')
    code, said = refusal(site)
    tap.ok(code == 1 and 'nobody-of-this-name' in said, 'no such user', f'exit {code}: {said}')
    write(settings(site), good)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', site.port('nntp')))
        s.listen()
        code, said = refusal(site)
        tap.ok(code == 1 and str(site.port('nntp')) in said and 'in use' in said, 'a port in use', f'exit {code}: {said}')
    code, said = refusal(site, '/dev/null')
    tap.ok(code == 1, 'a home that is no folder', f'exit {code}: {said}')


def second(site):
    """Beside a running daemon."""
    code, said = refusal(site)
    tap.ok(code == 1 and 'another batond' in said, 'a second daemon in the same home', f'exit {code}: {said}')
    before = read(settings(site))
    r = site.baton('init', '--domain', 'other.example', check=False)
    tap.ok(r.returncode == 1 and b'already' in r.stderr and read(settings(site)) == before, 'a second init changes nothing',
           f'exit {r.returncode}: {r.stderr}')
    with site.imap('ana') as c:
        tap.same(c.select('INBOX')[0], 'OK', 'the first daemon serves on')


def certificate(site):
    """Of the IMAP listener with TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(('127.0.0.1', site.port('imaps')), timeout=PATIENCE)) as s:
        return s.getpeercert(binary_form=True)


def reload(site):
    """Sends SIGHUP; what the log says about it."""
    before = len(site.log())
    site.daemon.send_signal(signal.SIGHUP)
    for _ in range(1800):
        said = site.log()[before:]
        if re.search(r'reload: (done|.*stay)', said):
            return said
        time.sleep(0.1)
    return 'nothing: ' + said


def send(site, size):
    """The answer to a message of about that size."""
    with site.smtp('lmtp') as c:
        try:
            c.sendmail('x@elsewhere.example', ['ana@team.example'],
                       message('size', sender='x@elsewhere.example', body=('x' * 70 + '\r\n') * (size // 72)))
            return 250
        except smtplib.SMTPResponseException as e:
            return e.smtp_code
        except smtplib.SMTPRecipientsRefused as e:
            return next(iter(e.recipients.values()))[0]


def reloads(site):
    good = read(settings(site))
    idle = site.imap('bo')
    idle.select('INBOX')
    tap.same(send(site, 200000), 250, 'a message of 200 kB is taken')
    write(settings(site), good + b'[limits]\nmessage-size = 100k\n')
    tap.ok('reload: done' in reload(site), 'SIGHUP reads new settings', site.log()[-500:])
    tap.ok(send(site, 200000) in (552, 554), 'and they count: a message of 200 kB is too big')
    write(settings(site), good + b'[limits]\nmessage-size = 2T0M\n')
    said = reload(site)
    line = good.count(b'\n') + 2
    tap.ok(f'baton.conf:{line}:' in said and 'stay' in said, 'SIGHUP with bad settings: the old ones stay', said)
    tap.ok(send(site, 200000) in (552, 554) and send(site, 2000) == 250, 'and serve on')
    write(settings(site), good.replace(b'team.example', b'moved.example'))
    tap.ok('domain' in reload(site), 'SIGHUP with another domain is refused')
    os.rename(settings(site), settings(site) + '.away')
    tap.ok('stay' in reload(site), 'SIGHUP without the file: the old settings stay', site.log()[-500:])
    os.rename(settings(site) + '.away', settings(site))
    write(settings(site), good)
    reload(site)
    tap.same(send(site, 200000), 250, 'SIGHUP with the first settings: they count again')
    tap.same(idle.noop()[0], 'OK', 'a client that was connected all the while still is')
    idle.logout()
    certificates(site)


def certificates(site):
    first = certificate(site)
    tls = os.path.join(site.home, 'tls')
    shutil.copytree(tls, tls + '.first')
    write(os.path.join(tls, 'key.pem'), b'not PEM\n')
    tap.ok('old certificate stays' in reload(site) and certificate(site) == first, 'SIGHUP with a broken key: the old one stays',
           site.log()[-500:])
    with tempfile.TemporaryDirectory() as other:
        home = os.path.join(other, 'site')
        subprocess.run([os.path.join(baton.BUILD, 'baton'), '--home', home, 'init', '--domain', 'team.example',
                        '--port-base', '2000'], check=True, stdout=subprocess.DEVNULL)
        for name in ('key.pem', 'certificate.pem'):
            write(os.path.join(tls, name), read(os.path.join(home, 'tls', name)))
    reload(site)
    tap.ok(certificate(site) != first, 'SIGHUP takes a new certificate')


def end_under_load(site):
    """SIGTERM while clients write: a clean end, and what was acknowledged is there."""
    acknowledged, stop = [], threading.Event()

    def load(who):
        n = 0
        try:
            with site.smtp('submission', 'bo') as c:
                while not stop.is_set():
                    ident = f'<{who}.{n}@load.example>'
                    c.sendmail('bo@team.example', ['doc@team.example'], message('load', Message_ID=ident))
                    acknowledged.append(ident)
                    n += 1
        except Exception:
            pass

    threads = [threading.Thread(target=load, args=(k,)) for k in range(6)]
    idle = site.imap('cem')
    half = socket.create_connection(('127.0.0.1', site.port('imap')))
    half.sendall(b'a1 LOGIN {10}\r\n')
    for t in threads:
        t.start()
    until = time.monotonic() + PATIENCE
    while len(acknowledged) < 50 and time.monotonic() < until:
        time.sleep(0.02)
    code = site.stop()
    stop.set()
    for t in threads:
        t.join()
    tap.ok(code == 0, 'SIGTERM under load: a clean end', f'exit {code}: {site.log()[-1500:]}')
    try:
        farewell = idle.readline()
    except OSError:
        farewell = b''
    tap.ok(farewell.startswith(b'* BYE') or farewell == b'', 'a client that was idle is told or put out', farewell)
    half.close()
    tap.ok(not os.path.exists(os.path.join(site.home, 'run', 'pid')), 'its pid file is gone')
    site.start()
    with site.imap('bo') as c:
        c.select('Topics/doc', readonly=True)
        _, data = c.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])')
        there = [re.search(rb'<[^>]*>', d[1]).group(0).decode() for d in data if isinstance(d, tuple)]
    lost = set(acknowledged) - set(there)
    tap.ok(acknowledged and not lost and len(set(there)) == len(there), f'all of {len(acknowledged)} acknowledged are there once',
           f'lost {sorted(lost)[:10]}')


def options(site):
    for words, code in ((['--nonsense'], 2), (['--ready-fd', '77'], 2), (['--help'], 0), (['--version'], 0)):
        r = subprocess.run([os.path.join(baton.BUILD, 'batond'), *words], capture_output=True, timeout=300)
        tap.ok(r.returncode == code and r.stdout + r.stderr, f'batond {" ".join(words)}: exit {code}', f'{r}')


with Site() as site:
    second(site)
    reloads(site)
    end_under_load(site)
    tap.same(site.stop(), 0, 'a clean end')
    bad_lines(site)
    without(site)
    options(site)
    site.start()
    tap.ok(site.imap('ana').select('INBOX')[0] == 'OK', 'after all of it the site starts and serves')
    tap.same(site.stop(), 0, 'and ends')
tap.done()
