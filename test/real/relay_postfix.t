#!/usr/bin/env python3
"""Postfix as the next hop: what it takes arrives there once, what it puts off is tried again, what it refuses is
reported. Needs root, as Postfix does; its instance lives in a temporary folder."""
import os, shutil, socket, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import Site, Tap, message, skip_all
from outward import drained, queue

postfix = shutil.which('postfix') or '/usr/sbin/postfix'
if not os.path.exists(postfix) or not os.path.exists('/etc/postfix/master.cf'):
    skip_all('no Postfix here')
if os.geteuid():
    skip_all('Postfix starts as root only')

t = Tap()
MAIN = '''compatibility_level = 3.6
queue_directory = {top}/spool
data_directory = {top}/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = hop.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{bad@away.example = 550 5.1.1 Nobody}},
    {{grey@away.example = 450 4.2.0 Later}} }}, permit
default_transport = discard:ok
alias_maps =
alias_database =
maillog_file = {top}/log
maillog_file_prefixes = /tmp, /var
'''


def start(top):
    s = socket.create_server(('127.0.0.1', 0))
    port = s.getsockname()[1]
    s.close()
    os.chmod(top, 0o755)
    for name in 'etc', 'spool', 'data':
        os.mkdir(os.path.join(top, name))
    shutil.chown(os.path.join(top, 'data'), 'postfix')
    with open(os.path.join(top, 'etc', 'main.cf'), 'w') as f:
        f.write(MAIN.format(top=top))
    with open('/etc/postfix/master.cf') as f:
        lines = f.read().splitlines()
    with open(os.path.join(top, 'etc', 'master.cf'), 'w') as f:
        for line in lines:
            words = line.split()
            if len(words) >= 8 and not line.startswith(('#', ' ')):
                if words[1] == 'inet':
                    continue
                words[4] = 'n'  # without chroot
                line = ' '.join(words)
            f.write(line + '\n')
        f.write(f'127.0.0.1:{port} inet n - n - - smtpd\n')
    subprocess.run([postfix, '-c', os.path.join(top, 'etc'), 'start'], stderr=subprocess.DEVNULL, timeout=300, check=True)
    until = time.time() + 180
    while time.time() < until:
        try:
            socket.create_connection(('127.0.0.1', port), 60).close()
            return port
        except OSError:
            time.sleep(0.1)
    raise RuntimeError('Postfix does not listen')


top = tempfile.mkdtemp(prefix='baton-postfix-')
try:
    port = start(top)
    conf = f'\n[relay]\nrelay = 127.0.0.1:{port}\nretry-first = 1s\nretry-most = 1s\ngive-up = 5s\nwarn = 1h\n'
    with Site(conf=conf) as site:
        with site.smtp('submission', 'bo') as c:
            for i in range(50):
                to = [f'x{i}@away.example'] + ['bad@away.example'] * (i == 7)
                c.sendmail('bo@team.example', to, message(f'x {i}'))
            c.sendmail('bo@team.example', ['grey@away.example'], message('grey'))
        t.ok(drained(site), 'nothing is left in the queue', queue(site))
        until = time.time() + 180
        sent = []
        while len(sent) < 50 and time.time() < until:
            time.sleep(0.2)
            with open(os.path.join(top, 'log')) as f:
                sent = [line.split('to=<')[1].split('>')[0] for line in f if 'status=sent' in line]
        t.same(sorted(sent), sorted(f'x{i}@away.example' for i in range(50)), 'what it took arrived, once each')
        c = site.imap('bo')
        c.select('INBOX')
        t.same(c.search(None, 'SUBJECT', '"Not delivered: x 7"')[1][0], b'1', 'what it refused is reported')
        t.same(len(c.search(None, 'SUBJECT', '"Not delivered: grey"')[1][0].split()), 1, 'and what was given up')
        c.logout()
        with open(os.path.join(top, 'log')) as f:
            log = f.read()
        t.ok(log.count(' connect from') < 25, 'over few connections', log.count(' connect from'))
        t.ok('improper command pipelining' not in log, 'and in good manners')
        t.same(site.faults(), '', 'check finds nothing')
finally:
    subprocess.run([postfix, '-c', os.path.join(top, 'etc'), 'stop'], stderr=subprocess.DEVNULL, timeout=300)
    shutil.rmtree(top, ignore_errors=True)
t.done()
