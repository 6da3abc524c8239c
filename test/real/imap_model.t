#!/usr/bin/env python3
"""Two clients hammer one mailbox, one that counts by sequence numbers and one that resyncs by QRESYNC, with a model of
what each was told beside them: no view ever disagrees with another one or with what the server has. BATON_SECONDS (20)."""
import os, random, re, socket, sys, threading, time, traceback
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

SECONDS = float(os.environ.get('BATON_SECONDS', '20'))
SEED = seed()
ROUNDS = max(2, int(SECONDS * 8))  # at the end of each both stand still, and what they were told is compared
contents = {}  # uid -> body: a UID never shows another message
lock = threading.Lock()


class Client(threading.Thread):
    def __init__(self, site, number, qresync):
        super().__init__()
        self.site, self.number, self.qresync = site, number, qresync
        self.random = random.Random(SEED + number)
        self.validity, self.highest = 0, 0
        self.view, self.flags, self.modseq = [], [], []  # by sequence number: UID, flags, MODSEQ
        self.fault, self.commands, self.compared, self.resyncs = None, 0, 0, 0
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(('127.0.0.1', self.site.port('imap')), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file, self.tag, self.opening = self.socket.makefile('rb'), 0, False
        self.response()
        self.command(f'LOGIN ana {PASSWORD}')
        if self.qresync:
            self.command('ENABLE QRESYNC')

    def response(self):
        out = [self.file.readline()]
        if not out[0]:
            raise EOFError('the server hung up')
        while m := re.search(rb'\{(\d+)\}\r\n$', out[-1]):
            out += [self.file.read(int(m[1])), self.file.readline()]
        return out

    def numbers(self, text):
        for piece in text.split(b','):
            low, _, high = piece.partition(b':')
            yield from range(int(low), int(high or low) + 1)

    def drop(self, at):
        for column in (self.view, self.flags, self.modseq):
            del column[at]

    def unknown(self, uid):
        """Where a message lies whose UID was not told yet: UIDs ascend."""
        below = 0
        for i, known in enumerate(self.view):
            if known is None:
                above = next((x for x in self.view[i:] if x), 1 << 32)
                if below < uid < above:
                    return i
            else:
                below = known
        raise AssertionError(('vanished, but never seen', uid, self.view))

    def told(self, r, verb):
        if m := re.match(rb'\* VANISHED (\(EARLIER\) )?(\S+)\r', r[0]):
            if not m[1]:
                self.opened_whole()
            assert self.qresync and (m[1] or verb not in ('FETCH', 'STORE', 'SEARCH')), (verb, r)
            for uid in self.numbers(m[2]):
                if uid in self.view:
                    self.drop(self.view.index(uid))
                else:
                    if not m[1]:
                        self.drop(self.unknown(uid))
            return
        if m := re.match(rb'\* OK \[(\w+) (\d+)\]', r[0]):
            if m[1] == b'UIDVALIDITY':
                assert self.validity in (0, int(m[2]))
                self.validity = int(m[2])
            if m[1] == b'HIGHESTMODSEQ':
                assert int(m[2]) >= self.highest, 'HIGHESTMODSEQ falls'
                self.opened = int(m[2])
            return
        m = re.match(rb'\* (\d+) (EXISTS|EXPUNGE|FETCH)', r[0])
        if not m:
            return
        n = int(m[1])
        if m[2] == b'EXISTS':
            if self.opening and self.announced is None:
                self.announced = n
                return
            self.opened_whole()  # what came while the folder was being opened
            assert n >= len(self.view), ('EXISTS falls', n, len(self.view))
            for column in (self.view, self.flags, self.modseq):
                column += [None] * (n - len(column))
        elif m[2] == b'EXPUNGE':
            self.opened_whole()
            assert not self.qresync and verb not in ('FETCH', 'STORE', 'SEARCH'), (verb, r)
            assert 1 <= n <= len(self.view), ('EXPUNGE of nothing', n)
            self.drop(n - 1)
        else:
            self.fetched(n, r, verb)

    def fetched(self, n, r, verb):
        whole = b''.join(r)
        uid, flags = re.search(rb'UID (\d+)', whole), re.search(rb'FLAGS \(([^)]*)\)', whole)
        modseq = re.search(rb'MODSEQ \((\d+)\)', whole)
        assert uid and modseq or not self.qresync, ('without UID or MODSEQ', r)
        if self.opening:  # numbers count as after the VANISHED: the rest is new
            for column in (self.view, self.flags, self.modseq):
                column += [None] * (self.announced - len(column))
        assert 1 <= n <= len(self.view), ('FETCH of nothing', n, len(self.view))
        if uid:
            assert self.view[n - 1] in (None, int(uid[1])), ('another message', n, self.view[n - 1], r)
            self.view[n - 1] = int(uid[1])
        if modseq:
            assert (self.modseq[n - 1] or 0) <= int(modseq[1]), ('MODSEQ falls', n, self.modseq[n - 1], r)
        if flags:
            now = set(flags[1].split())
            if verb == 'COMPARE' and self.flags[n - 1] is not None:
                self.compared += 1
                assert self.flags[n - 1] == now, ('flags differ', self.view[n - 1], self.flags[n - 1], now)
                if self.modseq[n - 1] and modseq:
                    assert self.modseq[n - 1] == int(modseq[1]), ('MODSEQ differs', r, self.modseq[n - 1])
            self.flags[n - 1] = now
        if modseq:
            self.modseq[n - 1] = int(modseq[1])
        if b'BODY[TEXT]' in whole and self.view[n - 1]:
            with lock:
                assert contents.setdefault(self.view[n - 1], r[1]) == r[1], 'a UID with another text'

    def command(self, text, verb=None, literal=None):
        self.tag += 1
        self.commands += 1
        tag = b't%d' % self.tag
        more = b' {%d+}\r\n' % len(literal) + literal if literal else b''
        self.socket.sendall(tag + b' ' + text.encode() + more + b'\r\n')
        return self.replies(tag, verb or text.split()[0], text)

    def replies(self, tag, verb, text):
        while True:
            r = self.response()
            if not r[0].startswith(tag + b' '):
                self.told(r, verb)
                continue
            assert b' BAD' not in r[0][:len(tag) + 4], (text, r)
            if (m := re.search(rb'\[HIGHESTMODSEQ (\d+)\]', r[0])) and b' OK' in r[0]:
                self.highest = max(self.highest, int(m[1]))
            return r[0]

    def select(self):
        self.view, self.flags, self.modseq = [], [], []
        self.opening, self.resyncing, self.announced = True, False, None
        self.command('SELECT hammered')
        self.opened_whole()

    def opened_whole(self):
        if not self.opening:
            return
        self.opening = False
        self.highest = self.opened
        for column in (self.view, self.flags, self.modseq):
            assert len(column) <= self.announced, ('more left than there are', len(column), self.announced)
            column += [None] * (self.announced - len(column))
        assert not self.resyncing or None not in self.view, ('a new message was not told', self.view)

    def resync(self):
        """Goes away, often without a word, and comes back with what it knew then."""
        while None in self.view:  # one of which only EXISTS told, and that goes meanwhile, would stay for ever
            self.command('UID FETCH 1:* (FLAGS)', 'UID')
        if self.random.random() < .5:
            self.command('UNSELECT')
        else:
            self.socket.close()
            time.sleep(self.random.random() * .1)
            self.connect()
        if not self.view:
            return self.select()
        known = self.random.choice(['', ' 1:4294967295', f' 1:4294967295 (1 {self.view[0]})'])
        self.resyncs += 1
        self.opening, self.resyncing, self.announced = True, True, None
        self.command(f'SELECT hammered (QRESYNC ({self.validity} {self.highest}{known}))')
        self.opened_whole()

    def store(self):
        low = self.random.randint(1, len(self.view))
        high = min(len(self.view), low + 2)
        sign, silent = self.random.choice(['+', '-', '']), self.random.random() < .6
        word = self.random.choice(['\\Flagged', '\\Seen', 'kw%d' % self.random.randint(1, 4), '\\Answered'])
        if silent:  # what the client makes of it itself comes before what the server tells in the same reply
            for i in range(low - 1, high):
                if self.flags[i] is not None:
                    one = {word.encode()}
                    self.flags[i] = self.flags[i] | one if sign == '+' else self.flags[i] - one if sign else one
        self.command(f'STORE {low}:{high} {sign}FLAGS{".SILENT" if silent else ""} ({word})')

    def conditional(self):
        at = self.random.randint(1, len(self.view))
        if self.modseq[at - 1]:
            self.command(f'STORE {at} (UNCHANGEDSINCE {self.modseq[at - 1]}) +FLAGS (\\Draft)')

    def idle(self):
        self.tag += 1
        tag = b't%d' % self.tag
        self.socket.sendall(tag + b' IDLE\r\n')
        time.sleep(self.random.random() * .05)
        self.socket.sendall(b'DONE\r\n')
        self.replies(tag, 'IDLE', 'IDLE')

    def step(self):
        r, n = self.random, len(self.view)
        at = r.randint(1, n) if n else 0
        deed = r.random()
        if deed < .18 and n > 25:  # few messages: what one does meets what the other does
            self.command(f'STORE 1:15 +FLAGS.SILENT (\\Deleted)')
            return self.command('EXPUNGE')
        if deed < .18 or not n:
            text = b'Subject: %d\r\n\r\nbody %d %d\r\n' % (self.number, self.number, r.getrandbits(60))
            return self.command('APPEND hammered', literal=text)
        for share, run in (
                (.12, lambda: self.command(f'FETCH {at}:{min(n, at + 5)} (UID FLAGS BODY.PEEK[TEXT])')),
                (.08, lambda: self.command(f'FETCH {at} (UID BODY[TEXT])')),
                (.14, self.store),
                (.06, self.conditional),
                (.08, lambda: self.command(f'STORE {at} +FLAGS (\\Deleted)')),
                (.07, lambda: self.command('EXPUNGE')),
                (.03, lambda: self.command('SEARCH RETURN (COUNT) UNSEEN')),
                (.03, lambda: self.command('UID FETCH 1:* (FLAGS)', 'UID')),
                (.03, lambda: self.command(f'COPY {at} hammered')),
                (.03, lambda: self.command(f'MOVE {at} hammered')),
                (.02, lambda: self.command(f'MOVE {at} aside')),
                (.04, self.idle),
                (.05, self.resync if self.qresync else self.select)):
            deed -= share
            if deed < .18:
                return run()
        self.command('NOOP')

    def behind(self, rounds):
        """On a slow machine it takes more time to do enough."""
        part = rounds / ROUNDS
        return self.commands < part * 50 * SECONDS or (self.qresync and self.resyncs < part * SECONDS / 4)

    def run(self):
        try:
            self.select()
            for r in range(ROUNDS):
                while time.monotonic() < START + SECONDS * (r + 1) / ROUNDS or self.behind(r + 1):
                    self.step()
                everybody.wait(600)
                self.command('NOOP')
                self.command('UID FETCH 1:* (UID FLAGS)', 'COMPARE')
                everybody.wait(600)
        except Exception:
            self.fault = traceback.format_exc()
            everybody.abort()


tap = Tap()
with Site(people=PEOPLE[:1], topics=[], conf='\n[login]\nlogin-failures = 1000\n') as site:
    first = site.imap()
    first.create('hammered')
    first.create('aside')
    everybody = threading.Barrier(2)
    clients = [Client(site, 0, False), Client(site, 1, True)]
    START = time.monotonic()
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    for c, name in zip(clients, ('by sequence numbers', 'by QRESYNC')):
        tap.ok(not c.fault, f'{name}: {c.commands} commands, {c.resyncs} resyncs, {c.compared} flags compared', f'seed {SEED}\n{c.fault}')
    tap.ok(clients[0].view == clients[1].view, 'both see the same messages')
    tap.ok(clients[0].flags == clients[1].flags, 'with the same flags')
    tap.ok(clients[1].resyncs >= SECONDS / 4 and clients[0].commands >= 50 * SECONDS, 'they did something')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
