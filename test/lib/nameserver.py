"""nameserver.py - a small DNS server (UDP and TCP) in threads of the test's own process, that answers as a resolver does.

    dns = NameServer({'away.example': {'MX': [(10, 'mx.away.example')]}, 'mx.away.example': {'A': ['127.0.0.2']},
                      'alias.example': {'CNAME': 'away.example'}, 'sick.example': 'SERVFAIL', 'mute.example': 'SILENCE'})
    dns.address     # '127.0.0.1:5353'
    dns.asked       # [('away.example', 'MX'), ...]

A name that is not there is NXDOMAIN; a type that a name lacks is an empty answer. Aliases are followed. An answer that
is longer than 512 octets is cut over UDP, with TC, and whole over TCP. 'GARBAGE' answers with octets that are no answer.
"""
import random, socket, struct, threading

TYPES = {'A': 1, 'CNAME': 5, 'MX': 15, 'AAAA': 28}
NAMES = {v: k for k, v in TYPES.items()}


def name_octets(name):
    return b''.join(bytes([len(x)]) + x.encode('latin-1') for x in name.split('.') if x) + b'\0'


def data_of(kind, value):
    if kind == 'A':
        return socket.inet_aton(value)
    if kind == 'AAAA':
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == 'MX':
        return struct.pack('>H', value[0]) + name_octets(value[1])
    return name_octets(value)


class NameServer:
    def __init__(self, zone):
        self.zone, self.asked, self.lock = zone, [], threading.Lock()
        while True:
            self.tcp = socket.create_server(('127.0.0.1', 0), backlog=64)
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(self.tcp.getsockname())
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
        self.address = f'127.0.0.1:{self.tcp.getsockname()[1]}'
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def close(self):
        self.tcp.close()
        self.udp.close()

    def serve_udp(self):
        while True:
            try:
                query, client = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = self.answer(query)
            if answer and len(answer) > 512:
                answer = answer[:2] + struct.pack('>H', struct.unpack('>H', answer[2:4])[0] | 0x0200) + \
                         answer[4:6] + b'\0\0\0\0\0\0' + query[12:]
            if answer:
                self.udp.sendto(answer, client)

    def serve_tcp(self):
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(s,), daemon=True).start()

    def converse(self, s):
        with s, s.makefile('rb') as f:
            while head := f.read(2):
                answer = self.answer(f.read(struct.unpack('>H', head)[0]))
                if answer:
                    s.sendall(struct.pack('>H', len(answer)) + answer)

    def answer(self, query):
        ident, _, questions = struct.unpack('>HHH', query[:6])
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1').lower())
            at += 1 + query[at]
        kind, _ = struct.unpack('>HH', query[at + 1:at + 5])
        name, kind = '.'.join(labels), NAMES.get(kind, '?')
        with self.lock:
            self.asked.append((name, kind))
        entry = self.zone.get(name)
        if entry == 'SILENCE':
            return None
        if entry == 'GARBAGE':
            return query[:2] + b'\x84\0\0\1\0\x09\0\0\0\0' + query[12:at + 5] + b'\xc0\x0c\0\x0f\0\1' + bytes(
                random.randrange(256) for _ in range(60))
        code, records = 0, []
        for _ in range(8):
            if entry == 'SERVFAIL':
                code = 2
            if entry is None:
                code = 3
            if code:
                break
            if 'CNAME' not in entry:
                records += [(name, kind, v) for v in entry.get(kind, [])]
                break
            records.append((name, 'CNAME', entry['CNAME']))
            name = entry['CNAME']
            entry = self.zone.get(name)
        out = struct.pack('>HHHHHH', ident, 0x8180 | code, 1, len(records), 0, 0) + query[12:at + 5]
        for owner, k, value in records:
            data = data_of(k, value)
            out += name_octets(owner) + struct.pack('>HHIH', TYPES[k], 1, 60, len(data)) + data
        return out
