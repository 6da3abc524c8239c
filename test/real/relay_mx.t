#!/usr/bin/env python3
"""Mail goes to each domain's own servers (RFC 5321 5.1): which are asked, in which order, what a domain without them means,
and that none that is dead, slow, broken or this very server holds others back, loses mail or doubles it."""
import os, ssl, subprocess, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import Site, Tap
from hop import Hop, HANG_UP, GARBAGE
from nameserver import NameServer
from outward import drained, notices, queue, send, set_relay, status_of, waits

t = Tap()
DEAD = '127.0.0.99'  # nobody listens there
first = Hop(address='127.0.0.2', name='one.hosts.example')
PORT = first.port
second = Hop(address='127.0.0.3', port=PORT, name='two.hosts.example')
hops = [first, second]


def once(who, hop):
    """It arrived there, and nowhere else, and once."""
    return [len(h.got(who)) for h in hops] == [int(h is hop) for h in hops]


def failed(site, who):
    found = notices(site, 'bo', who)
    return [status_of(n) for n in found]


zone = {
    'one.hosts.example': {'A': ['127.0.0.2']},
    'two.hosts.example': {'A': ['127.0.0.3']},
    'dead.hosts.example': {'A': [DEAD]},
    'many.hosts.example': {'A': [DEAD, '127.0.0.3'], 'AAAA': ['::1']},
    'nowhere.hosts.example': {},
    'alias.hosts.example': {'CNAME': 'two.hosts.example'},
    'order.example': {'MX': [(20, 'two.hosts.example'), (10, 'one.hosts.example')]},
    'backup.example': {'MX': [(10, 'dead.hosts.example'), (20, 'gone.hosts.example'), (30, 'two.hosts.example')]},
    'addresses.example': {'MX': [(10, 'many.hosts.example')]},
    'implicit.example': {'A': ['127.0.0.2']},
    'alias.example': {'CNAME': 'order.example'},
    'aliashost.example': {'MX': [(10, 'alias.hosts.example')]},
    'null.example': {'MX': [(0, '.')]},
    'root.example': {'MX': [(0, '.'), (10, 'two.hosts.example')]},
    'unusable.example': {'MX': [(0, 'gone.hosts.example'), (5, 'nowhere.hosts.example')]},
    'empty.example': {},
    'ours.example': {'MX': [(10, 'team.example'), (20, 'one.hosts.example')]},
    'oursequal.example': {'MX': [(10, 'one.hosts.example'), (10, 'TEAM.example')]},
    'oursbackup.example': {'MX': [(10, 'one.hosts.example'), (20, 'team.example'), (30, 'two.hosts.example')]},
    'evil.example': {'MX': [(0, 'a b\r\nx.example')]},
    'crowd.example': {'MX': [(i, f'{"x" * 40}{i}.hosts.example') for i in range(3, 90)] + [(2, 'two.hosts.example')]},
    'sick.example': 'SERVFAIL', 'mute.example': 'SILENCE', 'noise.example': 'GARBAGE',
}
for i in range(100):
    zone[f'd{i}.example'] = {'MX': [(10, 'one.hosts.example'), (10, 'two.hosts.example')]}
dns = NameServer(zone)
MX = dict(mx_port=PORT, resolver=dns.address)

with Site() as site:
    site.stop()  # as many senders as there are by MX
    set_relay(site, 'mx', **MX)
    site.start()

    # ---- who is asked
    for domain, hop, what in [('order', first, 'the preferred host'), ('backup', second, 'a dead one, one without address, then the third'),
                              ('addresses', second, 'each address of a host'), ('implicit', first, 'no MX: the domain itself'),
                              ('alias', first, 'a domain that is an alias'), ('aliashost', second, 'a host that is an alias'),
                              ('root', second, 'the root among others is none'), ('crowd', second, 'the best of ninety, over TCP'),
                              ('oursbackup', first, 'those before us'), ('ORDER', first, 'capitals')]:
        send(site, f'{domain}@{domain}.example', domain)
        t.ok(drained(site), f'{what}: it leaves', queue(site))
        t.ok(once(f'{domain}@{domain.lower()}.example', hop), f'{what}: there, once', [h.messages for h in hops])
    send(site, 'literal@[127.0.0.3]', 'literal')
    t.ok(drained(site) and once('literal@[127.0.0.3]', second), 'an address instead of a domain', queue(site))
    t.same(notices(site), [], 'no report of any of that')

    # ---- who cannot be asked, ever
    for domain, status, words in [('null', '5.1.10', 'takes no mail'), ('absent', '5.1.2', 'no such domain'), ('unusable', '5.4.4', 'No server'),
                                  ('empty', '5.4.4', 'No server'), ('ours', '5.4.6', 'come back'), ('oursequal', '5.4.6', 'come back')]:
        who = f'never@{domain}.example'
        send(site, [who, f'also@{domain}.example'], domain)
        t.ok(drained(site), f'{domain}: it does not stay', queue(site))
        found = failed(site, who)
        t.ok(len(found) == 1 and f'Status: {status}' in found[0] and 'Remote-MTA' not in found[0] and found[0].count('Action: failed') == 2,
             f'{domain}: one report, {status}', found)
        t.ok(words in notices(site, 'bo', who)[0].as_string(), f'{domain}: it says why')
        t.same([len(h.got(who)) for h in hops], [0, 0], f'{domain}: sent nowhere')
    greeter = Hop(address='127.0.0.4', port=PORT, name='team.example')
    zone['mirror.example'] = {'A': ['127.0.0.4']}
    send(site, 'x@mirror.example')
    t.ok(drained(site) and ['5.4.6' in x for x in failed(site, 'x@mirror.example')] == [True] and not greeter.messages,
         'who greets under our name is this server')
    greeter.close()
    zone['self.example'] = {'MX': [(10, 'front.hosts.example')]}
    zone['front.hosts.example'] = {'A': ['127.0.0.1']}
    set_relay(site, 'mx', mx_port=site.port('smtp'), resolver=dns.address)
    send(site, 'x@self.example')
    t.ok(drained(site) and ['5.4.6' in x for x in failed(site, 'x@self.example')] == [True], 'so is who has the address that we listen at')
    set_relay(site, 'mx', **MX)

    # ---- who cannot be asked now
    who = [f'later@{x}.example' for x in ('sick', 'mute', 'noise', 'evil')]
    for w in who:
        send(site, w)
    send(site, 'well@order.example')
    t.ok(first.wait('well@order.example'), 'a resolver that is silent holds nobody else back')
    t.ok(waits(site, lambda: all(r['attempts'] for r in queue(site))), 'all were tried', queue(site))
    rows = {r['waiting'][0]: r['reply'] for r in queue(site)}
    t.same(sorted(rows), sorted(who), 'no answer is no verdict: they wait')
    t.ok(all(rows.values()) and not any('\r' in r or '\n' in r for r in rows.values()), 'and it says why', rows)
    for w in who:
        zone[w.split('@')[1]] = {'MX': [(10, 'one.hosts.example')]}
    t.ok(drained(site) and all(once(w, first) for w in who), 'answered at last, each leaves once', queue(site))
    zone['late.example'] = {'MX': [(10, 'dead.hosts.example')]}
    zone['wakes.example'] = {'MX': [(10, 'wakes.hosts.example')]}
    zone['wakes.hosts.example'] = {'A': [DEAD]}
    send(site, 'x@wakes.example')
    t.ok(waits(site, lambda: [r['attempts'] > 0 and 'refused' in r['reply'] for r in queue(site)] == [True]), 'nobody listens: it waits', queue(site))
    zone['wakes.hosts.example'] = {'A': ['127.0.0.3']}
    t.ok(drained(site) and once('x@wakes.example', second), 'and leaves, once')

    # ---- one mail to many domains
    who = [f'all@d{i}.example' for i in range(90)] + ['all@null.example', 'all@late.example', 'all2@d89.example', 'ana@team.example']
    send(site, who, 'to all')
    t.ok(waits(site, lambda: [r['waiting'] for r in queue(site)] == [['all@late.example']]), 'one dead domain of 92 waits, alone', queue(site))
    t.same([sum(len(h.got(w)) for h in hops) for w in who[:90]], [1] * 90, 'ninety get it, once each')
    t.same(sum(len(h.got('all2@d89.example')) for h in hops), 1, 'two of one domain: both')
    t.same([m[1] for h in hops for m in h.messages if 'all@d89.example' in m[1]], [['all@d89.example', 'all2@d89.example']], 'in one mail')
    t.ok(all('null.example' in x and x.count('Action') == 1 for x in failed(site, 'all@null.example')), 'one report, about the one that takes none')
    t.same(site.faults(), '', 'check finds nothing')
    site.baton('queue', 'drop', '--all')
    data = send(site, ['again@late.example', 'again@d1.example'])
    t.ok(waits(site, lambda: [r['waiting'] for r in queue(site)] == [['again@late.example']]) and sum(len(h.got('again@d1.example')) for h in hops) == 1,
         'the dead one waits alone')
    send(site, 'again@late.example', data=data)
    send(site, ['again@late.example', 'again2@late.example'], data=data)
    t.same(sorted(len(r['waiting']) for r in queue(site)), [1, 2], 'the same mail to the same recipients waits once')
    site.baton('queue', 'drop', '--all')

    # ---- a domain that swallows connections
    let_go = threading.Event()
    tarpit = Hop(address='127.0.0.5', port=PORT, plan=lambda s, a, n: let_go.wait(600) and None if s == 'connect' else None)
    hops.append(tarpit)
    zone['tar.example'] = {'A': ['127.0.0.5']}
    set_relay(site, 'mx', **{**MX, 'reply-wait': '600s'})
    for i in range(40):
        send(site, f'tar{i}@tar.example', f'tar {i}')
    for i in range(40):
        send(site, f'good{i}@order.example', f'good {i}')
    t.ok(waits(site, lambda: all(first.got(f'good{i}@order.example') for i in range(40))), 'forty that hang hold forty others not back')
    waits(site, lambda: tarpit.connections)
    t.ok(not tarpit.messages and 1 <= tarpit.connections <= 8, 'half of the senders hang there at most', tarpit.connections)
    let_go.set()
    t.ok(drained(site) and all(once(f'tar{i}@tar.example', tarpit) for i in range(40)), 'and when it wakes up, it gets each once', queue(site))
    set_relay(site, 'mx', **MX)

    # ---- equals share; connections are used again
    before = [h.connections for h in (first, second)]
    first.delay = second.delay = 0.1
    for i in range(100):
        send(site, f'share@d{i}.example', f'share {i}')
    t.ok(drained(site), 'a hundred domains at two hosts')
    t.same([sum(len(h.got(f'share@d{i}.example')) for h in hops) for i in range(100)], [1] * 100, 'each once')
    parts = [sum(f'share@d{i}.example' in m[1] for i in range(100) for m in h.messages) for h in (first, second)]
    t.ok(min(parts) > 10, 'both hosts have their share', parts)
    first.delay = second.delay = 0
    for i in range(60):
        send(site, f'reuse{i}@{"order" if i % 2 else "implicit"}.example')
    t.ok(drained(site) and all(once(f'reuse{i}@{"order" if i % 2 else "implicit"}.example', first) for i in range(60)), 'sixty more')
    made = sum(h.connections for h in (first, second)) - sum(before)
    t.ok(made < 80, f'160 mails, {made} connections')

    # ---- a host that breaks in the middle: the next one
    flaky = Hop(address='127.0.0.6', port=PORT, plan=lambda s, a, n: HANG_UP if s == 'mail' else '421 4.3.2 Closing' if s == 'connect' and n % 2 else None)
    hops.append(flaky)
    zone['flaky.hosts.example'] = {'A': ['127.0.0.6']}
    zone['flaky.example'] = {'MX': [(1, 'flaky.hosts.example'), (2, 'two.hosts.example')]}
    for i in range(10):
        send(site, f'flaky{i}@flaky.example')
    t.ok(drained(site) and all(once(f'flaky{i}@flaky.example', second) for i in range(10)), 'hung up upon, or greeted by 421: the next host gets it, once')

    # ---- TLS: as good as it gets, or checked
    folder = os.path.join(site.folder, 'tls')
    os.mkdir(folder)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', folder + '/key.pem', '-out', folder + '/certificate.pem',
                    '-subj', '/CN=tls.hosts.example', '-days', '2', '-addext', 'subjectAltName=DNS:tls.hosts.example'], check=True,
                   stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + '/certificate.pem', folder + '/key.pem')
    secure = Hop(address='127.0.0.7', port=PORT, tls=context)
    broken = Hop(address='127.0.0.8', port=PORT, tls=context, plan=lambda s, a, n: [GARBAGE, HANG_UP][n % 2] if s == 'starttls' else None)
    hops += [secure, broken]
    zone['tls.hosts.example'] = {'A': ['127.0.0.7']}
    zone['other.hosts.example'] = {'A': ['127.0.0.7']}
    for i in range(3):
        zone[f'broken{i}.hosts.example'] = {'A': ['127.0.0.8']}
        zone[f'broken{i}.example'] = {'MX': [(1, f'broken{i}.hosts.example')]}
    zone['tls.example'] = {'MX': [(1, 'tls.hosts.example')]}
    zone['other.example'] = {'MX': [(1, 'other.hosts.example')]}
    send(site, 'may@other.example')
    t.ok(drained(site) and once('may@other.example', secure) and secure.secure == 1, 'may: TLS, whatever the certificate says')
    for i in range(2):
        send(site, f'may{i}@broken{i}.example')
        t.ok(drained(site) and once(f'may{i}@broken{i}.example', broken) and not broken.secure,
             f'may: {("a hang-up", "garbage")[i]} in the handshake: once more in the clear')
    set_relay(site, 'mx', relay_tls='must', relay_roots=folder + '/certificate.pem', **MX)
    send(site, 'must@tls.example')
    t.ok(drained(site) and once('must@tls.example', secure) and secure.secure == 2, 'must: with a right certificate')
    for domain in 'other', 'broken2', 'order':
        send(site, f'must@{domain}.example')
    t.ok(waits(site, lambda: len(queue(site)) == 3 and all(r['attempts'] and 'TLS' in r['reply'] for r in queue(site))),
         'must: another name in it, a broken handshake, no TLS: they wait', queue(site))
    t.ok(not any(h.got(f'must@{d}.example') for h in hops for d in ('other', 'broken2', 'order')), 'and nothing is sent')
    set_relay(site, 'mx', relay_tls='never', **MX)
    t.ok(drained(site) and once('must@other.example', secure) and once('must@broken2.example', broken) and once('must@order.example', first),
         'never: in the clear, once each')

    # ---- killed while it sends
    second.delay = first.delay = 0.05
    for i in range(60):
        send(site, [f'kill{i}@d{i}.example', f'kill{i}@order.example', f'kill{i}@late.example'])
    for _ in range(4):
        threading.Event().wait(0.4)
        site.kill()
        site.start()
    t.ok(waits(site, lambda: all(r['waiting'] == [r['waiting'][0]] and r['waiting'][0].endswith('@late.example') for r in queue(site))
               and len(queue(site)) == 60), 'killed again and again: what is left is for the dead one', queue(site))
    counts = [sum(len(h.got(f'kill{i}@{d}.example')) for h in hops) for i in range(60) for d in (f'd{i}', 'order')]
    t.ok(min(counts) == 1 and sum(counts) <= 120 + 4 * 16, f'nothing is lost, and sent twice what was on its way: {sum(counts)} of 120, 4 kills', counts)
    zone['dead.hosts.example'] = {'A': ['127.0.0.3']}
    t.ok(drained(site) and all(once(f'kill{i}@late.example', second) for i in range(60)), 'the dead one wakes up: each once', queue(site))
    t.same(site.faults(), '', 'check finds nothing')
    t.same(site.log().count('Sanitizer'), 0, 'no sanitizer speaks up')
t.done()
