#!/usr/bin/env python3
"""OpenSMTPD as the next hop: what it takes arrives there once, what it puts off is tried again, what it refuses is
reported. Where it offers TLS, too: Debian 12's cannot shake hands with its OpenSSL, so it is also a server whose TLS is
broken in earnest. Its package excludes other mail servers, so an unpacked one will do: OPENSMTPD names the
folder (dpkg -x opensmtpd_*.deb FOLDER). Needs root, and a mount namespace: its users and spool are this test's own."""
import json, os, shutil, socket, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import Site, Tap, skip_all
from outward import drained, notices, queue, send, set_relay, waits

folder = os.environ.get('OPENSMTPD', '/')
smtpd = os.path.join(folder, 'usr/sbin/smtpd')
if not os.path.exists(smtpd) or b'OpenSMTPD' not in subprocess.run([smtpd, '-h'], capture_output=True).stderr:
    skip_all('no OpenSMTPD here')
if os.geteuid() or subprocess.run(['unshare', '-m', 'true'], capture_output=True).returncode:
    skip_all('OpenSMTPD starts as root only, and here in a mount namespace')

t = Tap()
CONF = '''pki hop.example cert "{top}/certificate.pem"
pki hop.example key "{top}/key.pem"
table bad {{ "bad@away.example" }}
listen on 127.0.0.1 port {port} tls pki hop.example hostname hop.example
listen on 127.0.0.1 port {clear} hostname hop.example
action "keep" maildir "{top}/mail/%{{rcpt.user}}" user opensmtpd virtual {{ "@" = opensmtpd }}
match from any for rcpt-to <bad> reject
match from any for any action "keep"
'''
# What it looks for lies over the system's own, for this process alone.
START = '''set -e
mount --bind {top}/passwd /etc/passwd
mount --bind {top}/group /etc/group
mkdir -p {top}/lib/empty {top}/spool {top}/run
chmod 711 {top}/lib {top}/lib/empty {top}/spool
mount -t tmpfs tmpfs /var/spool && mkdir -m 711 /var/spool/smtpd
mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/opensmtpd/empty && chmod -R 711 /var/lib/opensmtpd
mount -t tmpfs tmpfs /run
mkdir -p /usr/libexec
[ {folder} = / ] || {{ mount -t tmpfs tmpfs /usr/libexec && cp -r {folder}/usr/libexec/opensmtpd /usr/libexec/; }}
exec {smtpd} -d -v -f {top}/smtpd.conf
'''


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def mails(top):
    """The subjects of what was delivered, sorted."""
    out = []
    for where, _, files in os.walk(os.path.join(top, 'mail')):
        for f in files:
            if os.path.basename(where) == 'new':
                with open(os.path.join(where, f), errors='replace') as m:
                    out += [line.split(': ', 1)[1].strip() for line in m if line.startswith('Subject: ')]
    return sorted(out)


top = tempfile.mkdtemp(prefix='baton-opensmtpd-')
process = None
try:
    os.chmod(top, 0o755)
    port, clear = free_port(), free_port()
    for name in 'passwd', 'group':
        with open(f'/etc/{name}') as f, open(os.path.join(top, name), 'w') as out:
            kept = [line for line in f if not line.startswith('opensmtp')]
            for user, number in ('opensmtpd', 64990), ('opensmtpq', 64991):
                rest = f'{number}:{number}::/var/lib/opensmtpd/empty:/usr/sbin/nologin' if name == 'passwd' else f'{number}:'
                kept.append(f'{user}:x:{rest}\n')
            out.writelines(kept)
    os.mkdir(os.path.join(top, 'mail'))
    os.chown(os.path.join(top, 'mail'), 64990, 64990)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', top + '/key.pem', '-out', top + '/certificate.pem',
                    '-subj', '/CN=localhost', '-days', '2', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], check=True,
                   stderr=subprocess.DEVNULL)
    os.chmod(top + '/key.pem', 0o600)
    with open(os.path.join(top, 'smtpd.conf'), 'w') as f:
        f.write(CONF.format(top=top, port=port, clear=clear))
    os.chmod(os.path.join(top, 'smtpd.conf'), 0o600)
    with open(os.path.join(top, 'log'), 'w') as log:
        process = subprocess.Popen(['unshare', '-m', '--kill-child', '-p', '-f', 'sh', '-c', START.format(top=top, folder=folder, smtpd=smtpd)],
                                   stdout=log, stderr=log)

    def listens():
        try:
            socket.create_connection(('127.0.0.1', port), 60).close()
            return True
        except OSError:
            return process.poll() is not None

    waits(None, listens)
    if process.poll() is not None:
        with open(os.path.join(top, 'log')) as f:
            skip_all('OpenSMTPD does not start here: ' + f.read()[-300:].replace('\n', ' '))
    with Site() as site:
        for which, number in ('tls', port), ('clear', clear):
            set_relay(site, number)
            with open(os.path.join(top, 'log')) as f:
                before = f.read()
            for i in range(50):
                send(site, [f'x{i}@away.example'] + ['bad@away.example'] * (i == 7), f'{which} {i}', body='.dots\r\n..\r\n.\r\nend\r\n')
            t.ok(drained(site), f'{which}: nothing is left in the queue', queue(site))
            want = sorted(f'{which} {i}' for i in range(50))
            t.ok(waits(site, lambda: len([m for m in mails(top) if m.startswith(which)]) >= 50), f'{which}: all are delivered there')
            t.same([m for m in mails(top) if m.startswith(which)], want, f'{which}: each once')
            t.same(len([n for n in notices(site, 'bo', 'bad@away.example') if n['Subject'] == f'Not delivered: {which} 7']), 1,
                   f'{which}: what it refused is reported')
            with open(os.path.join(top, 'log')) as f:
                log = f.read()[len(before):]
            connected, secure = log.count(' smtp connected'), log.count(' smtp tls')
            print(f'# {which}: {connected} connections, {secure} under TLS')
            t.ok(connected < 25, f'{which}: over few connections', connected)
        t.same(site.faults(), '', 'check finds nothing')
finally:
    if process:
        process.terminate()
        process.wait()
    if os.environ.get('BATON_KEEP'):
        print('# kept', top, file=sys.stderr)
    else:
        shutil.rmtree(top, ignore_errors=True)
t.done()
