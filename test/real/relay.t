#!/usr/bin/env python3
"""Mail leaves the house: a smart host that refuses, delays, hangs up and lies at every stage. Nothing is lost,
nothing is sent twice but where RFC 5321 lets it, and who sent it is told what became of it."""
import json, os, shutil, socket, ssl, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import Site, Tap, message
from hop import Hop, ENOUGH, HANG_UP, KEEP_THEN_HANG_UP, GARBAGE
from outward import drained, notices, queue, send, set_relay, status_of, waits

t = Tap()


def listens(port):
    try:
        socket.create_connection(('127.0.0.1', port), 60).close()
        return True
    except OSError:
        return False


with Site() as site:
    # ---- closed until it is opened
    for service, person in ('submission', 'bo'), ('smtp', None):
        with site.smtp(service, person) as c:
            c.ehlo()
            c.mail('bo@team.example' if person else 'x@away.example')
            t.same(c.rcpt('far@away.example')[0], 550, f'no relay is configured: refused at {service}')

    hop = Hop()
    set_relay(site, hop.port)
    with site.smtp('smtp') as c:
        c.ehlo()
        c.mail('x@away.example')
        t.same(c.rcpt('far@away.example')[0], 550, 'a stranger is not relayed for')
    with site.smtp('submission', 'bo') as c:
        c.ehlo()
        c.mail('somebody@else.example')
        t.same(c.rcpt('far@away.example')[0], 550, 'nor is a sender who is somebody else')

    # ---- the plain way
    body = 'One\r\n.two\r\n..three\r\n\r\nwith \u00fcml\u00e4uts\r\n.\u00fc\r\nend\r\n'
    data = send(site, ['far@away.example', 'ana@team.example', 'eng.backend@team.example'], 'Both sides', body=body)
    got = hop.wait('far@away.example')
    t.same(len(got), 1, 'it arrives outside')
    t.ok(got and got[0][2].endswith(data) and got[0][2].startswith(b'Received: '),
         'octet for octet, behind a Received field', got and got[0][2][:300])
    t.same(got and got[0][0], 'bo@team.example', 'under the sender\'s address')
    c = site.imap('ana')
    t.same(c.select('INBOX')[1][0], b'1', 'and inside')
    c.logout()
    t.ok(drained(site), 'the queue is empty then')
    t.same(site.faults(), '', 'check finds nothing')
    t.ok(any('BODY=8BITMIME' in x and 'SIZE=' in x for x in hop.commands), 'SIZE and BODY are said', hop.commands)

    # ---- one connection for many
    before = hop.connections
    set_relay(site, hop.port)
    for i in range(20):
        send(site, f'many{i}@away.example')
    t.ok(drained(site) and all(len(hop.got(f'many{i}@away.example')) == 1 for i in range(20)), 'twenty arrive once each')
    t.ok(hop.connections - before < 20, 'over fewer connections', hop.connections - before)
    hop.close()

    hop = Hop(plan=lambda s, a, n: '450 4.2.1 Full' if s == 'rcpt' and a < 'crowd40' and n == 1 else None)
    set_relay(site, hop.port)
    crowd = [f'crowd{i:02}@away.example' for i in range(60)]
    send(site, crowd, 'crowd')
    t.ok(drained(site) and [len(hop.got(w)) for w in crowd] == [1] * 60, 'sixty recipients, in lots: each once')
    hop.close()

    # ---- later, at every stage
    stages = ['mail', 'rcpt', 'data', 'dot']
    for stage in ['connect', 'ehlo'] + stages:
        hop = Hop(plan=lambda s, a, n: '451 4.3.0 Not now' if s == stage and n <= 2 else None)
        set_relay(site, hop.port)
        send(site, 'later@away.example', f'4yz at {stage}')
        t.same(len(hop.wait('later@away.example')), 1, f'4yz at {stage}: arrives after all')
        t.ok(drained(site) and len(hop.got('later@away.example')) == 1, f'4yz at {stage}: once')
        hop.close()

    # ---- hung up upon, at every stage
    for stage in ['connect', 'ehlo'] + stages:
        hop = Hop(plan=lambda s, a, n: HANG_UP if s == stage and n <= 2 else None)
        set_relay(site, hop.port)
        send(site, 'gone@away.example', f'hang-up at {stage}')
        t.same(len(hop.wait('gone@away.example')), 1, f'hang-up at {stage}: arrives after all')
        t.ok(drained(site) and len(hop.got('gone@away.example')) == 1, f'hang-up at {stage}: once')
        hop.close()
    hop = Hop(plan=lambda s, a, n: KEEP_THEN_HANG_UP if s == 'dot' and n == 1 else None)
    set_relay(site, hop.port)
    send(site, 'twice@away.example')
    t.ok(drained(site) and len(hop.got('twice@away.example')) == 2, 'taken, but not said: sent again, as RFC 5321 has it')
    hop.close()
    t.same(notices(site), [], 'and nobody is troubled with any of that')

    # ---- never, at every stage
    for stage in stages:
        hop = Hop(plan=lambda s, a, n: '550 5.7.1 We do not want that' if s == stage else None)
        set_relay(site, hop.port)
        send(site, f'never.{stage}@away.example', f'5yz at {stage}')
        t.ok(drained(site), f'5yz at {stage}: it does not stay')
        found = notices(site, 'bo', f'never.{stage}@')
        t.same(len(found), 1, f'5yz at {stage}: one report')
        if found:
            n, text = found[0], status_of(found[0])
            t.ok('Action: failed' in text and 'Status: 5.7.1' in text and 'We do not want that' in text,
                 f'5yz at {stage}: it says why', text)
            t.ok(n['Auto-Submitted'] == 'auto-replied' and n['Return-Path'] == '<>' and n['To'] == '<bo@team.example>'
                 and n.get_param('report-type') == 'delivery-status', f'5yz at {stage}: as RFC 3464 wants it', n.as_string()[:900])
        t.same(len(hop.messages), 0, f'5yz at {stage}: nothing was taken')
        hop.close()
    hop = Hop(plan=lambda s, a, n: '550 5.7.1 No' if s == 'rcpt' else None)
    set_relay(site, hop.port)
    with site.smtp('submission', 'bo') as c:
        c.sendmail('', ['null@away.example'], message('null', sender='bo@team.example', to='null@away.example'))
    t.ok(drained(site) and not notices(site, 'bo', 'null@away.example'), 'the null sender gets no report')
    hop.close()

    # ---- said no in the middle of the message, and closed: the reply is read all the same
    hop = Hop(plan=lambda s, a, n: ENOUGH if s == 'data' else None)
    set_relay(site, hop.port)
    send(site, 'enough@away.example', body=('y' * 70 + '\r\n') * 100_000)
    t.ok(drained(site), '552 while the message is sent: it does not stay')
    found = notices(site, 'bo', 'enough@')
    t.ok(len(found) == 1 and 'Too much of it' in status_of(found[0]), 'and the report says why', found and status_of(found[0]))
    hop.close()

    # ---- recipients differ
    def mixed(stage, arg, n):
        if stage == 'rcpt':
            return {'b5': '550 5.1.1 Nobody', 'b4': '450 4.2.1 Full' if n < 3 else None,
                    'm': '452 4.5.3 Too many' if n == 1 else None}.get(arg.split('@')[0])
    for pipelining in True, False:
        hop = Hop(plan=mixed, extensions=['8BITMIME'] + ['PIPELINING'] * pipelining)
        set_relay(site, hop.port)
        who = [f'{x}@away{pipelining}.example'.lower() for x in ('a', 'b4', 'b5', 'c', 'm')]
        send(site, who, 'mixed')
        t.ok(drained(site), f'mixed recipients (pipelining {pipelining}): all is settled', queue(site))
        t.same([len(hop.got(w)) for w in who], [1, 1, 0, 1, 1], f'mixed (pipelining {pipelining}): each once, the refused one never')
        found = notices(site, 'bo', who[2])
        t.ok(len(found) == 1 and who[0] not in status_of(found[0]) and who[1] not in status_of(found[0]),
             f'mixed (pipelining {pipelining}): one report, about the refused one', found and status_of(found[0]))
        hop.close()

    # ---- what the next hop cannot take
    hop = Hop(extensions=['SIZE 2000'])
    set_relay(site, hop.port)
    send(site, 'eight@away.example', 'eight', body='\u00fc\r\n')
    send(site, 'big@away.example', 'big', body='x' * 70 + '\r\n' + 'y' * 3000 + '\r\n')
    t.ok(drained(site), 'neither stays')
    t.ok(['Status: 5.6.3' in status_of(n) for n in notices(site, 'bo', 'eight@')] == [True], 'no 8BITMIME: reported')
    t.ok(['Status: 5.3.4' in status_of(n) for n in notices(site, 'bo', 'big@')] == [True], 'too big: reported')
    hop.close()

    # ---- TLS
    certificate = os.path.join(site.home, 'tls', 'certificate.pem')
    other = os.path.join(site.folder, 'other')
    os.mkdir(other)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', other + '/key.pem', '-out',
                    other + '/certificate.pem', '-subj', '/CN=localhost', '-days', '2', '-addext',
                    'subjectAltName=DNS:localhost,IP:127.0.0.1'], check=True, stderr=subprocess.DEVNULL)
    good = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    good.load_cert_chain(other + '/certificate.pem', other + '/key.pem')
    bad = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    bad.load_cert_chain(certificate, os.path.join(site.home, 'tls', 'key.pem'))
    hop = Hop(tls=good)
    set_relay(site, hop.port, relay_tls='must', relay_roots=other + '/certificate.pem')
    send(site, 'tls@away.example')
    t.ok(hop.wait('tls@away.example') and hop.secure == 1, 'must: over TLS with a right certificate')
    set_relay(site, hop.port, relay_tls='never')
    send(site, 'clear@away.example')
    t.ok(hop.wait('clear@away.example') and hop.secure == 1, 'never: in the clear')
    drained(site)
    hop.close()
    for name, server in ('a certificate nobody vouches for', Hop(tls=bad)), ('no STARTTLS', Hop()), \
            ('a broken handshake', Hop(tls=good, plan=lambda s, a, n: GARBAGE if s == 'starttls' else None)):
        set_relay(site, server.port, relay_tls='must', relay_roots=other + '/certificate.pem')
        send(site, 'must@away.example', name)
        waits(site, lambda: [r['attempts'] > 0 for r in queue(site)] == [True])
        rows = queue(site)
        t.ok(len(rows) == 1 and rows[0]['attempts'] >= 1 and 'TLS' in rows[0]['reply'] and not server.messages,
             f'must: {name}: it waits, and says why', rows)
        if rows:
            site.baton('queue', 'drop', str(rows[0]['id']))
        t.same(queue(site), [], 'dropped')
        server.close()
    hop = Hop(tls=bad)
    set_relay(site, hop.port)
    send(site, 'may@away.example')
    t.ok(hop.wait('may@away.example') and hop.secure == 1, 'may: TLS with any certificate')
    drained(site)
    hop.close()

    # ---- a login
    secret = os.path.join(site.folder, 'secret')
    with open(secret, 'w') as f:
        f.write('open sesame\n')
    hop = Hop(extensions=['AUTH PLAIN LOGIN', 'PIPELINING'])
    set_relay(site, hop.port, relay_user='team', relay_password_file=secret)
    send(site, 'login@away.example')
    t.ok(hop.wait('login@away.example'), 'after a login')
    import base64
    t.ok(hop.logins and base64.b64decode(hop.logins[0].split()[-1]) == b'\0team\0open sesame', 'with name and password', hop.logins)
    drained(site)
    hop.close()

    # ---- late, and given up
    hop = Hop(plan=lambda s, a, n: '450 4.2.0 Come again' if s == 'rcpt' else None)
    set_relay(site, hop.port, warn='1s', give_up='20s')
    send(site, 'slow@away.example', 'slow')
    t.ok(drained(site), 'given up in the end')
    found = [status_of(n) for n in notices(site, 'bo', 'slow@away.example')]
    t.same([len([x for x in found if f'Action: {a}' in x]) for a in ('delayed', 'failed')], [1, 1],
           'the sender is told once that it is late, and once that it failed')
    t.ok(all('4.2.0' in x for x in found), 'and why', found)
    hop.close()

    # ---- the operator's hand
    hop = Hop()
    set_relay(site, 1, retry_first='1h', retry_most='1h')  # nobody listens there
    send(site, 'held@away.example', 'held')
    send(site, 'kept@away.example', 'kept')
    waits(site, lambda: all(r['attempts'] for r in queue(site)))
    rows = {r['waiting'][0]: r for r in queue(site)}
    t.ok(len(rows) == 2 and all('refused' in r['reply'] for r in rows.values()), 'nobody listens: both wait', rows)
    held, kept = str(rows['held@away.example']['id']), str(rows['kept@away.example']['id'])
    t.ok('held' in site.baton('queue', 'hold', held), 'one is held')
    set_relay(site, hop.port, retry_first='1h', retry_most='1h')
    site.baton('queue', 'run')
    t.ok(hop.wait('kept@away.example'), 'run: the other leaves at once')
    time.sleep(1)
    t.same([hop.got('held@away.example'), [r['hold'] for r in queue(site)]], [[], [True]], 'the held one stays')
    t.ok(site.baton('queue', 'run', held, check=False).returncode == 1, 'and cannot be run')
    shown = json.loads(site.baton('queue', 'show', held, '--json'))
    t.ok(shown['subject'] == 'held' and shown['hold'], 'show tells it', shown)
    site.baton('queue', 'release', held)
    t.ok(hop.wait('held@away.example'), 'released, it leaves')
    t.ok(drained(site), 'nothing is left')
    t.same(site.baton('queue', 'list').strip(), 'Nothing waits to leave.', 'and the list says so')
    t.same(site.baton('queue', 'show', '999', check=False).returncode, 1, 'what is not there cannot be shown')
    hop.close()

    # ---- sent twice by the client, once by us
    hop = Hop()
    set_relay(site, 1)
    data = message('again', to='again@away.example')
    send(site, 'again@away.example', data=data)
    send(site, 'again@away.example', data=data)
    t.same(len(queue(site)), 1, 'the same mail waits once')
    set_relay(site, hop.port)
    t.ok(drained(site) and len(hop.got('again@away.example')) == 1, 'and arrives once')
    hop.close()

    # ---- kill -9 while it sends
    count = 120
    hop = Hop(delay=0.02)
    set_relay(site, 1)
    for i in range(count):
        send(site, [f'kill{i}@away.example', 'ana@team.example'] if i % 3 == 0 else f'kill{i}@away.example', f'kill {i}')
    set_relay(site, hop.port)
    kills = 0
    while kills < 6 and queue(site):
        time.sleep(0.4)
        site.kill()
        kills += 1
        site.start()
    t.ok(drained(site), 'killed again and again: the queue is emptied', len(queue(site)))
    missing = [i for i in range(count) if not hop.got(f'kill{i}@away.example')]
    twice = sum(len(hop.got(f'kill{i}@away.example')) - 1 for i in range(count))
    t.same(missing, [], 'nothing is lost')
    t.ok(twice <= 4 * kills, f'sent twice: what was on its way then ({twice} of {count}, {kills} kills)')
    t.same(site.faults(), '', 'check finds nothing')
    n = site.log().count('Sanitizer')
    t.same(n, 0, 'no sanitizer speaks up')
    hop.close()

    # ---- stopped while it sends: nothing twice
    hop = Hop(delay=0.3)
    set_relay(site, hop.port)
    for i in range(12):
        send(site, f'stop{i}@away.example')
    time.sleep(0.4)
    t.same(site.stop(), 0, 'stopped in the middle')
    site.start()
    t.ok(drained(site) and [len(hop.got(f'stop{i}@away.example')) for i in range(12)] == [1] * 12, 'each arrives once')
    hop.close()

    # ---- Postfix's sink
    sink = shutil.which('smtp-sink') or '/usr/sbin/smtp-sink'
    if os.path.exists(sink):
        s = socket.create_server(('127.0.0.1', 0))
        port = s.getsockname()[1]
        s.close()
        p = subprocess.Popen([sink, '-c', f'127.0.0.1:{port}', '100'] if os.geteuid() else
                             [sink, '-u', 'nobody', '-c', f'127.0.0.1:{port}', '100'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        waits(site, lambda: p.poll() is not None or listens(port))
        set_relay(site, port)
        for i in range(50):
            send(site, f'sink{i}@away.example')
        t.ok(drained(site) and p.poll() is None, 'smtp-sink takes fifty', site.log()[-500:])
        p.terminate()
        p.wait()
    else:
        t.skip('smtp-sink takes fifty', 'no smtp-sink here')
    t.same(site.faults(), '', 'check finds nothing at the end')
t.done()
