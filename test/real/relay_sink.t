#!/usr/bin/env python3
"""Postfix's smtp-sink as a next hop that refuses, puts off and hangs up at every command: each mail arrives once in the
end, or is reported once; twice it comes only where the last reply was lost (RFC 5321 4.5.3.2.6), as often as that was."""
import collections, os, re, shutil, socket, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import Site, Tap, skip_all
from outward import drained, notices, queue, send, set_relay, status_of, waits

program = shutil.which('smtp-sink') or '/usr/sbin/smtp-sink'
if not os.path.exists(program):
    skip_all('no smtp-sink (Postfix) here')
t = Tap()
COUNT = 20


class Sink:
    """A sink at a port, whose mails are in a file."""
    def __init__(self, folder, port, *options):
        self.file = os.path.join(folder, f'dump{time.monotonic_ns()}')
        as_root = [] if os.geteuid() else ['-u', 'root']
        self.process = subprocess.Popen([program, *as_root, '-D', self.file, *options, f'127.0.0.1:{port}', '100'], stderr=subprocess.DEVNULL)
        until = time.time() + 180
        while time.time() < until:
            try:
                socket.create_connection(('127.0.0.1', port), 60).close()
                break
            except OSError:
                time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def got(self):
        """How often each recipient's mail was taken."""
        if not os.path.exists(self.file):
            return collections.Counter()
        with open(self.file, errors='replace') as f:
            return collections.Counter(re.findall(r'^X-Rcpt-Args: <(.*?)>', f.read(), re.M))


def label(option, command):
    return {'-r': 'later', '-q': 'gone', '-Q': 'closing', '-f': 'refused', '': ''}[option] + ('dot' if command == '.' else command.lower())


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def tried(site, who):
    rows = {r['waiting'][0]: r for r in queue(site) if r['waiting']}
    return all(w not in rows or rows[w]['attempts'] for w in who)


with Site() as site:
    port = free_port()
    set_relay(site, port)

    # ---- at first it is bad, then it is well: once each
    bad = [('-r', c) for c in ('CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.')] + [('-q', c) for c in ('CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.')] + \
          [('-Q', c) for c in ('CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.')] + [('-f', 'CONNECT')]
    names = {'-r': '4yz at', '-q': 'hung up upon at', '-Q': '421 at', '-f': '5yz at'}
    for option, command in bad:
        name = f'{names[option]} {command}'
        who = [f'{label(option, command)}.{i}@away.example' for i in range(COUNT)]
        sink = Sink(site.folder, port, option, command)
        for w in who:
            send(site, w, name)
        t.ok(waits(site, lambda: tried(site, who)), f'{name}: all were tried', queue(site))
        early = sink.got()
        sink.stop()
        late = Sink(site.folder, port)
        t.ok(drained(site), f'{name}: it leaves', queue(site))
        late.stop()
        early, got = sink.got(), late.got()
        if (option, command) == ('-r', 'EHLO'):  # HELO is not refused, nor asked after a 4yz
            t.ok(all(early[w] + got[w] == 1 for w in who), f'{name}: each once', (early, got))
        elif command == '.':
            t.ok(all(got[w] == 1 for w in who), f'{name}: each once, in the end', got)
        else:
            t.same((sum(early.values()), [got[w] for w in who], sum(got.values())), (0, [1] * COUNT, COUNT), f'{name}: each once')

    # ---- refused for good: reported, once each
    for command in 'MAIL', 'RCPT', 'DATA', '.':
        who = [f'never.{label("", command)}.{i}@away.example' for i in range(COUNT)]
        sink = Sink(site.folder, port, '-f', command)
        for w in who:
            send(site, w, command)
        t.ok(drained(site), f'5yz at {command}: it does not stay', queue(site))
        sink.stop()
        texts = '\n'.join(status_of(n) for n in notices(site, 'bo', who[0].split('.0@')[0]))
        t.same([texts.count(f'Final-Recipient: rfc822; {w}') for w in who], [1] * COUNT, f'5yz at {command}: one report each')
        t.ok(texts.count('Action: failed') == COUNT and texts.count('500 5.3.0 Error: command failed') == COUNT, f'5yz at {command}: it says why', texts[:800])

    # ---- no ESMTP, no PIPELINING, no DSN, slow
    for options, name in [(['-e'], 'without ESMTP'), (['-p'], 'without PIPELINING'), (['-N'], 'without DSN'), (['-f', 'EHLO'], 'refuses EHLO'),
                          (['-P'], 'behind a PIX'), (['-w', '1'], 'a second at the end of each mail')]:
        sink = Sink(site.folder, port, *options)
        who = [f'{name.split()[-1].lower()}{i}@away.example' for i in range(5)]
        for w in who:
            send(site, [w, 'second.' + w], name)
        t.ok(drained(site), f'{name}: it leaves', queue(site))
        sink.stop()
        got = sink.got()
        t.same(([got[w] for w in who], [got['second.' + w] for w in who], sum(got.values())), ([1] * 5, [1] * 5, 10), f'{name}: each once')
    t.same(site.faults(), '', 'check finds nothing')
    t.same(site.log().count('Sanitizer'), 0, 'no sanitizer speaks up')
t.done()
