#!/usr/bin/env python3
"""Runs transcripts against a running server and writes TAP. Standard library only.

    talk.py FILE.talk ...

Environment: HOST (127.0.0.1); SMTP_PORT, LMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT, IMAP_PORT,
IMAPS_PORT, NNTP_PORT, NNTPS_PORT, or PORT_BASE (each is then base + 25, 24, 587, 465, 143, 993,
119, 563); BATON, the command line, and BATON_HOME, the server's home, with which the persons and
topics of a file are made; DOMAIN (team.example); TALK_TIMEOUT, seconds to wait for a line (120).

A transcript is a text of lines; `#` begins a comment. First what it needs:
    protocol nntp              of the client without a name; `deliver` is the unix socket
    person ana                 {ana} is her login, {ana.pw} her password, {ana.at} her address
    topic eng --access site    {eng} is its name; what follows goes to `baton topic add`
    subscribe ana eng each
Names are new in each run, so that a file can be run again against the same server.
Then the conversation. A client opens when it is first used, or when told; `bo C: ...` is said by a
client named bo:
    open bo imap               another client
    C: GROUP {eng}             sends the line and CRLF
    C+ a.\\r\\n\\x00              sends these octets, with Python's escapes
    S: 211 0 * {eng}           the next line must look like that; `*` is any text, but at the front
                               of a line before a blank it is itself (IMAP). {n=*} keeps what it
                               matched as {n}, {n=#} does so with digits
    S* 205 *                   lines are passed over until one looks like that
    S-                         the server closes the connection
    S= 0.3                     the server says nothing for so many seconds
    TLS                        the handshake, after STARTTLS or for an implicit port
    CLOSE                      the client goes away without a word
    wait 0.5
    baton ARGUMENTS            the command line; it must succeed
{run} is new in each run, {plain:ana} her SASL PLAIN response, {b64:TEXT} base64, {fill:99} 99 octets,
{domain} the site."""
import base64, os, re, shlex, socket, ssl, subprocess, sys, time

PORTS = {"smtp": 25, "lmtp": 24, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993,
         "nntp": 119, "nntps": 563}
TIMEOUT = float(os.environ.get("TALK_TIMEOUT", "120"))
DOMAIN = os.environ.get("DOMAIN", "team.example")


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


class Client:
    """One connection: octets in, lines out."""

    def __init__(self, protocol):
        if protocol == "deliver":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(TIMEOUT)
            self.socket.connect(os.path.join(need("BATON_HOME"), "run/deliver"))
        else:
            if protocol not in PORTS:
                raise Failed(f"there is no protocol {protocol}")
            port = os.environ.get(protocol.upper() + "_PORT")
            port = int(port) if port else int(need("PORT_BASE")) + PORTS[protocol]
            host = os.environ.get("HOST", "127.0.0.1")
            self.socket = socket.create_connection((host, port), timeout=TIMEOUT)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = b""
        if protocol in ("imaps", "nntps", "submissions"):
            self.tls()

    def tls(self):
        if self.input:
            raise Failed(f"octets before the handshake: {self.input!r}")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def more(self, timeout=None):
        """False: the connection has ended."""
        self.socket.settimeout(TIMEOUT if timeout is None else timeout)
        try:
            octets = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLError) as error:
            if isinstance(error, (ssl.SSLWantReadError, TimeoutError)):
                raise
            octets = b""
        self.input += octets
        return bool(octets)

    def line(self):
        while b"\n" not in self.input:
            try:
                if not self.more():
                    raise Failed(f"the connection ended after {self.input!r}")
            except TimeoutError:
                raise Failed(f"nothing came in {TIMEOUT:g} s after {self.input!r}") from None
        line, self.input = self.input.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Failed(f"a line does not end in CRLF: {line!r}")
        return line[:-1].decode("utf-8", "surrogateescape")

    def end(self):
        try:
            while self.more():
                pass
        except TimeoutError:
            raise Failed("the connection is still open") from None
        if self.input:
            raise Failed(f"before the end came {self.input!r}")

    def silence(self, seconds):
        try:
            ended = not self.input and not self.more(seconds)
        except (TimeoutError, ssl.SSLWantReadError):
            return
        raise Failed("the connection ended" if ended else f"came {self.input!r}")

    def close(self):
        self.socket.close()


def need(name):
    value = os.environ.get(name)
    if not value:
        raise Skipped(f"{name} is not set")
    return value


def baton(arguments, text=""):
    command = shlex.split(need("BATON")) + ["--home", need("BATON_HOME")] + arguments
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=300)
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {said}")


class Transcript:
    STEP = re.compile(r"(?:(\w+) )?(C:|C\+|S:|S\*|S-|S=|TLS|CLOSE)(?: (.*))?$")

    def __init__(self):
        self.run = format(time.time_ns() // 1000 % 36**8, "x") + format(os.getpid() % 4096, "x")
        self.values = {"run": self.run, "domain": DOMAIN}
        self.protocol = None
        self.clients = {}

    # ---- what it needs ----
    def person(self, name):
        login, password = name + self.run, "password-" + self.run
        self.values.update({name: login, name + ".pw": password, name + ".at": f"{login}@{DOMAIN}"})
        baton(["user", "add", login, "--name", name.capitalize(), "--zone", "UTC",
               "--password-stdin"], password + "\n")

    def topic(self, words):
        name = self.values[words[0]] = f"t{self.run}.{words[0]}"
        options = [self.fill(word) for word in words[1:]]
        if "--about" not in options:
            options += ["--about", "for a test"]
        baton(["topic", "add", name] + options)

    def setup(self, words):
        word, rest = words[0], words[1:]
        if word == "protocol":
            self.protocol = rest[0]
        elif word == "person":
            self.person(rest[0])
        elif word == "topic":
            self.topic(rest)
        elif word == "subscribe":
            baton(["subscribe"] + [self.values[name] for name in rest[:2]] + rest[2:])
        elif word == "open":
            self.clients[rest[0]] = Client(rest[1])
        elif word == "wait":
            time.sleep(float(rest[0]))
        elif word == "baton":
            baton([self.fill(word) for word in rest])
        else:
            raise Failed(f"this line is not understood: {' '.join(words)}")

    # ---- texts ----
    def value(self, name):
        kind, _, rest = name.partition(":")
        if kind == "fill":
            return "x" * int(rest)
        if kind == "b64" and rest:
            return base64.b64encode(rest.encode()).decode()
        if kind == "plain" and rest:
            plain = f"\0{self.values[rest]}\0{self.values[rest + '.pw']}"
            return base64.b64encode(plain.encode()).decode()
        if name not in self.values:
            raise Failed(f"{{{name}}} has no value")
        return self.values[name]

    def fill(self, text):
        return re.sub(r"\{([a-z][^{}=]*)\}", lambda found: self.value(found[1]), text)

    def expression(self, pattern):
        literal, rest = ("* ", pattern[2:]) if pattern.startswith("* ") else ("", pattern)
        out = re.escape(literal)
        for piece in re.split(r"(\{[a-z]\w*=[*#]\}|\{[a-z][^{}=]*\}|\*)", rest):
            kept = re.fullmatch(r"\{(\w+)=([*#])\}", piece)
            if piece == "*":
                out += ".*"
            elif kept:
                out += f"(?P<{kept[1]}>{'.*?' if kept[2] == '*' else '[0-9]+'})"
            elif re.fullmatch(r"\{[a-z][^{}=]*\}", piece):
                out += re.escape(self.value(piece[1:-1]))
            else:
                out += re.escape(piece)
        return re.compile(out, re.DOTALL)

    # ---- the conversation ----
    def client(self, name):
        if name not in self.clients:
            if name:
                raise Failed(f"the client {name} was not opened")
            self.clients[name] = Client(self.protocol)
        return self.clients[name]

    def expect(self, client, pattern, skip):
        expression = self.expression(pattern)
        passed = []
        while True:
            try:
                line = client.line()
            except Failed as error:
                seen = "".join("\n  passed over: " + one for one in passed[-5:])
                raise Failed(f"wanted: {pattern}\n  {error}{seen}") from None
            found = expression.fullmatch(line)
            if found:
                self.values.update(found.groupdict())
                return
            if not skip:
                raise Failed(f"wanted: {pattern}\n  came:   {line}")
            passed.append(line)

    def step(self, name, kind, text):
        client = self.client(name)
        if kind == "C:":
            client.socket.sendall(self.fill(text).encode("utf-8", "surrogateescape") + b"\r\n")
        elif kind == "C+":
            octets = self.fill(text).encode("latin-1", "backslashreplace").decode("unicode_escape")
            client.socket.sendall(octets.encode("latin-1"))
        elif kind in ("S:", "S*"):
            self.expect(client, text, kind == "S*")
        elif kind == "S-":
            client.end()
        elif kind == "S=":
            client.silence(float(text))
        elif kind == "TLS":
            client.tls()
        else:
            client.close()

    def obey(self, line):
        found = self.STEP.match(line)
        if found:
            self.step(found[1] or "", found[2], found[3] or "")
        else:
            self.setup(shlex.split(line))

    def close(self):
        for client in self.clients.values():
            client.close()


def play(path):
    transcript = Transcript()
    number = 0
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                line = line.rstrip("\n")
                if line.strip() and not line.startswith("#"):
                    transcript.obey(line)
    except Skipped:
        raise
    except (Failed, OSError, KeyError, ValueError, IndexError) as error:
        kind = "" if isinstance(error, Failed) else type(error).__name__ + ": "
        raise Failed(f"line {number}: {kind}{error}") from None
    finally:
        transcript.close()


def main(paths):
    print(f"1..{len(paths)}")
    failures = 0
    for number, path in enumerate(paths, 1):
        name = os.path.basename(path)
        try:
            play(path)
            print(f"ok {number} - {name}")
        except Skipped as why:
            print(f"ok {number} - {name} # SKIP {why}")
        except Failed as why:
            failures += 1
            print(f"not ok {number} - {name}")
            print("\n".join("#   " + line for line in str(why).splitlines()))
        sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
