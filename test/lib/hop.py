"""hop.py - a next hop that does what a test tells it: an SMTP server in threads of the test's own process.

    hop = Hop(plan=lambda stage, arg, n: '451 4.3.0 Later' if stage == 'rcpt' and n == 1 else None)

A Hop listens at `address`, and greets as `name`. A plan is asked at each stage ('connect', 'ehlo', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'dot') with the
argument (an address; at 'data' and 'dot' the first recipient's) and how often that pair has come. It gives a
reply, None for the usual one, or one of:
"""
import collections, re, socket, ssl, threading, time

HANG_UP = 'HANG_UP'              # close without a word
KEEP_THEN_HANG_UP = 'KEEP'       # at 'dot': take the message, and close without a word
GARBAGE = 'GARBAGE'              # at 'starttls': 220, and then no TLS
ENOUGH = 'ENOUGH'                # at 'data': 354, and after some octets 552 and gone


class Gone(Exception):
    pass


class Hop:
    def __init__(self, plan=None, extensions=('PIPELINING', '8BITMIME', 'SIZE 10000000'), tls=None, delay=0, port=0, address='127.0.0.1', name='hop.example'):
        self.plan, self.extensions, self.tls, self.delay, self.name = plan, extensions, tls, delay, name
        self.counts, self.messages = collections.Counter(), []  # messages: (sender, recipients, octets)
        self.connections, self.commands, self.logins, self.secure = 0, [], [], 0
        self.lock = threading.Lock()
        self.listening = socket.create_server((address, port), backlog=64)
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def close(self):
        """The thread is awaited: closing alone leaves it in accept, where it would take a connection of the next hop."""
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listening.close()

    def accept(self):
        while True:
            try:
                s, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def ask(self, stage, arg=''):
        with self.lock:
            self.counts[stage, arg] += 1
            n = self.counts[stage, arg]
        answer = self.plan(stage, arg, n) if self.plan else None
        if answer == HANG_UP:
            raise Gone
        return answer

    def serve(self, s):
        try:
            self.converse(s)
        except (Gone, OSError, ValueError):
            pass
        finally:
            s.close()

    def converse(self, s):
        s.settimeout(300)
        file = s.makefile('rb')
        sender, to = None, []

        def say(text):
            s.sendall((text + '\r\n').encode())
        first = self.ask('connect')
        say(first or f'220 {self.name} ESMTP')
        if first and not first.startswith('220'):
            raise Gone
        while True:
            line = file.readline()
            if not line.endswith(b'\r\n'):
                raise Gone
            text = line[:-2].decode('utf-8', 'replace')
            verb = text.split(' ')[0].upper()
            self.commands.append(text)
            address = (re.search('<(.*?)>', text) or [None, ''])[1]
            if verb in ('EHLO', 'HELO'):
                answer = self.ask('ehlo', verb)
                lines = ['hop.example'] + list(self.extensions)
                if self.tls and not isinstance(s, ssl.SSLSocket):
                    lines.append('STARTTLS')
                if answer or verb == 'HELO':
                    say(answer or '250 hop.example')
                else:
                    say('\r\n'.join(f'250{"-" if i < len(lines) - 1 else " "}{x}' for i, x in enumerate(lines)))
            elif verb == 'STARTTLS':
                answer = self.ask('starttls')
                say('220 Go' if answer == GARBAGE or not answer else answer)
                if answer == GARBAGE:
                    s.sendall(b'this is no TLS at all\r\n' * 3)
                    raise Gone
                s = self.tls.wrap_socket(s, server_side=True)
                file = s.makefile('rb')
                self.secure += 1
            elif verb == 'AUTH':
                self.logins.append(text)
                say(self.ask('auth') or '235 2.7.0 Welcome')
            elif verb == 'MAIL':
                answer = self.ask('mail', address)
                say(answer or '250 2.1.0 Ok')
                sender, to = (None if answer else address), []
            elif verb == 'RCPT':
                answer = self.ask('rcpt', address) if sender is not None else '503 5.5.1 MAIL first'
                say(answer or '250 2.1.5 Ok')
                if not answer:
                    to.append(address)
            elif verb == 'DATA':
                answer = self.ask('data', to[0]) if to else '554 5.5.1 No valid recipients'
                say('354 Go on' if answer == ENOUGH or not answer else answer)
                if answer == ENOUGH:
                    file.readline()
                    say('552 5.3.4 Too much of it')
                    raise Gone
                if not answer:
                    octets = self.content(file)
                    time.sleep(self.delay)
                    answer = self.ask('dot', to[0])
                    if not answer or answer == KEEP_THEN_HANG_UP or answer.startswith('2'):
                        with self.lock:
                            self.messages.append((sender, to, octets))
                    if answer == KEEP_THEN_HANG_UP:
                        raise Gone
                    say(answer or '250 2.0.0 Taken')
                sender, to = None, []
            elif verb == 'RSET':
                sender, to = None, []
                say('250 Ok')
            elif verb == 'QUIT':
                say('221 Bye')
                raise Gone
            else:
                say('500 What?')

    @staticmethod
    def content(file):
        octets = b''
        while True:
            line = file.readline()
            if not line.endswith(b'\r\n'):
                raise Gone
            if line == b'.\r\n':
                return octets
            octets += line[1:] if line.startswith(b'.') else line

    # ---- what came ----
    def got(self, recipient):
        """The messages that were taken for this recipient."""
        with self.lock:
            return [m for m in self.messages if recipient in m[1]]

    def wait(self, recipient, seconds=180, count=1):
        until = time.time() + seconds
        while time.time() < until and len(self.got(recipient)) < count:
            time.sleep(0.05)
        return self.got(recipient)
