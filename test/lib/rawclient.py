"""rawclient.py - IMAP and NNTP clients that take nothing on trust: every octet of an answer is parsed by the grammar
(RFC 9051 9, RFC 3977 9), and what does not fit is a Malformed with the place where it went wrong.

    c = Imap(site.port('imap')); c.login('ana'); c.command('SELECT INBOX')
    for number, items in c.fetch('1:*', '(UID BODYSTRUCTURE BODY.PEEK[])'): ...
"""
import re, socket
from baton import PASSWORD, PATIENCE


class Malformed(Exception):
    pass


class Refused(Exception):
    pass


class Stream:
    """Lines and octets from a socket."""
    def __init__(self, port, timeout=PATIENCE):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = bytearray()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, octets):
        self.socket.sendall(octets.encode() if isinstance(octets, str) else octets)

    def more(self):
        got = self.socket.recv(1 << 18)
        if not got:
            raise ConnectionError('the server has hung up')
        self.waiting += got

    def octets(self, count):
        while len(self.waiting) < count:
            self.more()
        got = bytes(self.waiting[:count])
        del self.waiting[:count]
        return got

    def line(self):
        """A line with its CRLF."""
        start = 0
        while True:
            at = self.waiting.find(b'\n', start)
            if at >= 0:
                line = self.octets(at + 1)
                if not line.endswith(b'\r\n') or b'\r' in line[:-2]:
                    raise Malformed(f'a line without CRLF: {line[-80:]!r}')
                return line
            start = len(self.waiting)
            self.more()


class Reader:
    """Walks over the octets of one response."""
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def fail(self, why):
        raise Malformed(f'{why} at {self.at}: ...{self.octets[max(0, self.at - 60):self.at]!r} here '
                        f'{self.octets[self.at:self.at + 60]!r}')

    def peek(self, text):
        return self.octets[self.at:self.at + len(text)].upper() == text

    def take(self, text):
        if not self.peek(text):
            self.fail(f'wanted {text!r}')
        self.at += len(text)

    def taken(self, text):
        if not self.peek(text):
            return False
        self.at += len(text)
        return True

    def match(self, pattern, what):
        m = re.compile(pattern).match(self.octets, self.at)
        if not m:
            self.fail(f'wanted {what}')
        self.at = m.end()
        return m.group(0)

    def space(self):
        self.take(b' ')

    def number(self):
        return int(self.match(rb'(0|[1-9][0-9]*)(?![0-9])', 'a number'))

    def string(self):
        """quoted or literal."""
        if self.peek(b'"'):
            quoted = self.match(rb'"([\x01-\x09\x0b\x0c\x0e-!#-\[\]-\x7f]|\\["\\])*"', 'a quoted string of 7 bits')
            return re.sub(rb'\\(.)', rb'\1', quoted[1:-1])
        count = int(self.match(rb'~?\{\d+\}\r\n', 'a string').strip(b'~{}\r\n'))
        if self.at + count > len(self.octets):
            self.fail('a literal longer than the response')
        self.at += count
        return self.octets[self.at - count:self.at]

    def nstring(self):
        return None if self.taken(b'NIL') else self.string()

    def end(self):
        if self.at != len(self.octets):
            self.fail('wanted the end')


# ---- RFC 9051 7.5.2: ENVELOPE ----

def address_list(r):
    if r.taken(b'NIL'):
        return None
    found = []
    r.take(b'(')
    while not found or not r.peek(b')'):
        r.take(b'(')
        one = [r.nstring()]
        for _ in range(3):
            r.space()
            one.append(r.nstring())
        r.take(b')')
        found.append(one)
    r.take(b')')
    return found


def envelope(r):
    r.take(b'(')
    e = {'date': r.nstring()}
    r.space()
    e['subject'] = r.nstring()
    for name in ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc'):
        r.space()
        e[name] = address_list(r)
    for name in ('in-reply-to', 'message-id'):
        r.space()
        e[name] = r.nstring()
    r.take(b')')
    return e


# ---- BODYSTRUCTURE ----

def parameters(r):
    if r.taken(b'NIL'):
        return {}
    found = []
    r.take(b'(')
    while True:
        name = r.string()
        r.space()
        found.append((name.upper(), r.string()))
        if not r.taken(b' '):
            break
    r.take(b')')
    return dict(found)


def disposition(r):
    if r.taken(b'NIL'):
        return None
    r.take(b'(')
    kind = r.string()
    r.space()
    value = parameters(r)
    r.take(b')')
    return kind, value


def language(r):
    if not r.taken(b'('):
        return r.nstring()
    found = [r.string()]
    while r.taken(b' '):
        found.append(r.string())
    r.take(b')')
    return found


def extension(r):
    if r.taken(b'('):
        extension(r)
        while r.taken(b' '):
            extension(r)
        r.take(b')')
    elif re.compile(rb'\d').match(r.octets, r.at):
        r.number()
    else:
        r.nstring()


def extensions(r, part):
    for name, read in (('disposition', disposition), ('language', language), ('location', Reader.nstring)):
        if not r.taken(b' '):
            return
        part[name] = read(r)
    while r.taken(b' '):
        extension(r)


def multipart(r, part, number):
    part['children'] = []
    while r.peek(b'('):
        child = len(part['children']) + 1
        part['children'].append(body(r, f'{number}.{child}' if number else str(child)))
    r.space()
    part['type'] = (b'MULTIPART', r.string().upper())
    if r.taken(b' '):
        part['parameters'] = parameters(r)
        extensions(r, part)


def single(r, part, number):
    kind = r.string().upper()
    r.space()
    part['type'] = (kind, r.string().upper())
    r.space()
    part['parameters'] = parameters(r)
    r.space()
    part['id'] = r.nstring()
    r.space()
    part['description'] = r.nstring()
    r.space()
    part['encoding'] = r.string()
    r.space()
    part['octets'] = r.number()
    part['number'] = number or '1'
    if part['type'] in ((b'MESSAGE', b'RFC822'), (b'MESSAGE', b'GLOBAL')):
        r.space()
        part['envelope'] = envelope(r)
        r.space()
        part['body'] = body(r, part['number'], inner=True)
    if kind == b'TEXT' or 'body' in part:
        r.space()
        part['lines'] = r.number()
    if r.taken(b' '):
        part['md5'] = r.nstring()
        extensions(r, part)


def body(r, number='', inner=False):
    """One body; its parts carry the numbers by which BODY[...] names them (RFC 9051 6.4.5.1)."""
    part = {'number': number}
    r.take(b'(')
    if r.peek(b'('):
        multipart(r, part, number)
        part['number'] = '' if inner else number  # BODY[2] is the message that holds it, not it
    else:  # what a message/rfc822 holds, when it is not a multipart, is its part 1
        single(r, part, f'{number}.1' if inner else number)
    r.take(b')')
    return part


def parts(part):
    """The part and all below it."""
    yield part
    for child in part.get('children', []):
        yield from parts(child)
    if 'body' in part:
        yield from parts(part['body'])


# ---- FETCH ----

def flag_list(r):
    r.take(b'(')
    flags = set()
    while not r.peek(b')'):
        if flags:
            r.space()
        flags.add(r.match(rb'\\?[!#$&\'+-\[^-z|}~]+', 'a flag'))
    r.take(b')')
    return flags


def fetch_item(r):
    name = r.match(rb'[A-Za-z0-9.]+(\[[^\]]*\](<\d+>)?)?', 'an item').upper()
    r.space()
    if name == b'FLAGS':
        return name, flag_list(r)
    if name == b'ENVELOPE':
        return name, envelope(r)
    if name in (b'BODYSTRUCTURE', b'BODY'):
        return name, body(r)
    if name == b'MODSEQ':
        r.take(b'(')
        number = r.number()
        r.take(b')')
        return name, number
    if name in (b'UID', b'RFC822.SIZE') or name.startswith(b'BINARY.SIZE'):
        return name, r.number()
    if name == b'INTERNALDATE':
        return name, r.string()
    return name, r.nstring()


def fetch_response(octets):
    """(sequence number, items by name) of one untagged FETCH, or None."""
    r = Reader(octets)
    r.take(b'* ')
    if not re.compile(rb'\d+ FETCH ', re.I).match(octets, r.at):
        return None
    number = r.number()
    r.space()
    r.take(b'FETCH (')
    items = dict([fetch_item(r)])
    while r.taken(b' '):
        name, value = fetch_item(r)
        if name in items:
            r.fail(f'{name} twice')
        items[name] = value
    r.take(b')\r\n')
    r.end()
    return number, items


class Imap(Stream):
    def __init__(self, port, timeout=PATIENCE):
        super().__init__(port, timeout)
        self.greeting = self.line()
        self.count = 0

    def response(self):
        """One response: a line, and where it announces literals, these and the lines behind them."""
        whole = line = self.line()
        while m := re.search(rb'\{(\d+)\}\r\n$', line):
            line = self.octets(int(m.group(1)))
            whole += line
            line = self.line()
            whole += line
        return whole

    def command(self, text, *literals, check=True):
        """Sends a command (each {} in it an argument, sent as a literal); (OK/NO/BAD, text, untagged responses)."""
        self.count += 1
        tag = f'a{self.count}'.encode()
        pieces = (text.encode() if isinstance(text, str) else text).split(b'{}')
        out, untagged = tag + b' ' + pieces[0], []
        answer = None
        for literal, piece in zip(literals, pieces[1:]):
            self.send(out + b'{%d}\r\n' % len(literal))
            while not (answer := self.response()).startswith((b'+ ', tag + b' ')):
                untagged.append(answer)
            if not answer.startswith(b'+'):
                break
            answer = None
            out = literal + piece
        if not answer:
            self.send(out + b'\r\n')
            while not (answer := self.response()).startswith(tag + b' '):
                untagged.append(answer)
        m = re.match(rb'\S+ (OK|NO|BAD) ([^\r\n]+)\r\n$', answer)
        if not m:
            raise Malformed(f'a tagged answer: {answer!r}')
        if check and m.group(1) != b'OK':
            raise Refused(f'{text!r:.200}: {answer.decode(errors="replace")}')
        return m.group(1).decode(), m.group(2).decode(errors='replace'), untagged

    def login(self, person):
        self.command(f'LOGIN {person} {PASSWORD}')

    def fetch(self, numbers, items, uid=True):
        _, _, untagged = self.command(f'{"UID " if uid else ""}FETCH {numbers} {items}')
        return [found for found in map(fetch_response, untagged) if found]

    def append(self, folder, message, flags=''):
        """The UID that it got."""
        _, text, _ = self.command(f'APPEND "{folder}" {flags}{" " if flags else ""}{{}}', message)
        return int(re.match(r'\[APPENDUID \d+ (\d+)\]', text).group(1))


class Nntp(Stream):
    def __init__(self, port, person=None, timeout=PATIENCE):
        super().__init__(port, timeout)
        self.greeting = self.line()
        if person:
            self.command(f'AUTHINFO USER {person}', '381')
            self.command(f'AUTHINFO PASS {PASSWORD}', '281')

    def command(self, text, *codes):
        """The answer's first line, without CRLF; raises when its code is none of these (if any are given)."""
        self.send(text.encode() + b'\r\n')
        answer = self.line()
        if not re.match(rb'[1-5]\d\d[ \r]', answer):
            raise Malformed(f'an answer: {answer!r}')
        if codes and answer[:3].decode() not in codes:
            raise Refused(f'{text:.100}: {answer.decode(errors="replace")}')
        return answer[:-2].decode(errors='replace')

    def block(self):
        """A multi-line block without its dots: its lines, each with CRLF."""
        lines = []
        while (line := self.line()) != b'.\r\n':
            if line.startswith(b'.') and not line.startswith(b'..'):
                raise Malformed(f'a dot that is not stuffed: {line[:80]!r}')
            lines.append(line[1:] if line.startswith(b'.') else line)
        return lines

    def article(self, which):
        self.command(f'ARTICLE {which}', '220')
        return b''.join(self.block())

    def group(self, name):
        """(count, low, high)."""
        return tuple(map(int, self.command(f'GROUP {name}', '211').split()[1:4]))
