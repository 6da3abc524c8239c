"""baton.py - a Baton site of a test's own: made in a temporary folder, served on free loopback ports, gone at the end.

    with Site() as site:                # ana (administrator), bo, cem, dee; topics eng.backend, eng.ops, doc
        site.imap('ana').select('INBOX')

BATON_BUILD names the folder with `baton` and `batond` (default: the build folder beside test/).
"""
import contextlib, datetime, email.utils, imaplib, os, random, select, shutil, signal, smtplib, socket, subprocess, sys, tempfile, time, warnings, zoneinfo

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('BATON_BUILD') or os.path.join(TOP, 'build')
OFFSETS = {'smtp': 25, 'lmtp': 24, 'submission': 587, 'submissions': 465, 'imap': 143, 'imaps': 993,
           'nntp': 119, 'nntps': 563}
PEOPLE = [('ana', 'Ana Marques', 'Europe/Lisbon'), ('bo', 'Bo Lind', 'America/New_York'),
          ('cem', 'Cem Aydin', 'Asia/Kolkata'), ('dee', 'Dee Howe', 'Australia/Lord_Howe')]
TOPICS = [('eng.backend', 'Servers and stores'), ('eng.ops', 'Running it'), ('doc', 'Words')]
PASSWORD = 'test-password-1'
PATIENCE = 180  # seconds after which what was waited for will not come, however busy the machine is
imaplib._MAXLINE = 100_000_000


def shared(*path):
    """A file of the shared test material, or None where this checkout stands alone."""
    for top in (os.environ.get('BATON_SHARED'), os.path.join(TOP, '..', 'shared')):
        if top and os.path.isdir(top):
            return os.path.join(top, *path)
    return None


taken = {}  # base -> a socket whose name keeps other tests off its ports, while this one does not listen


def free_base():
    for _ in range(2000):
        base = random.randrange(10000, 31000, 1000)  # below what the kernel gives to clients
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f'\0baton-ports-{base}')  # of the whole machine, whatever TMPDIR is
            with contextlib.ExitStack() as stack:
                for offset in OFFSETS.values():
                    s = stack.enter_context(socket.socket())
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(('127.0.0.1', base + offset))
            taken[base] = lock
            return base
        except OSError:
            lock.close()
            time.sleep(0.02)
    raise RuntimeError('no free ports')


def seed():
    """What chance begins with: BATON_SEED; with CI set always the same, so that what it says is about the change that is
    tried; else something new each time."""
    return int(os.environ.get('BATON_SEED') or 0) or (20261122 if os.environ.get('CI') else random.randrange(1, 1 << 30))


def hours_away(zone):
    """A time of day that was hours ago there, and comes in hours: the daemon's own clock brings digests, too."""
    return '19:30' if datetime.datetime.now(zoneinfo.ZoneInfo(zone)).hour < 12 else '07:30'


class Site:
    def __init__(self, people=PEOPLE, topics=TOPICS, start=True, folder=None, conf='', home=None):
        self.folder = tempfile.mkdtemp(prefix='baton-', dir=folder)
        self.home = home or os.path.join(self.folder, 'site')
        self.base = free_base()
        self.daemon = None
        try:
            self.baton('init', '--domain', 'team.example', '--admin', 'ana', '--port-base', str(self.base))
            if conf:
                with open(os.path.join(self.home, 'baton.conf'), 'a') as f:
                    f.write(conf)
            self.start()
            for name, full, zone in people:
                verb = ['set'] if name == 'ana' else ['add']
                extra = [] if name == 'ana' else ['--password-stdin']
                self.baton('user', *verb, name, '--name', full, '--zone', zone, '--digest-at', hours_away(zone), *extra, input=PASSWORD + '\n')
            self.baton('user', 'passwd', 'ana', '--password-stdin', input=PASSWORD + '\n')
            for name, about in topics:
                self.baton('topic', 'add', name, '--about', about, '--access', 'site', '--owner', 'ana')
                for person, _, _ in people:
                    self.baton('subscribe', person, name, 'digest')
            if not start:
                self.stop()
        except BaseException:
            self.close()
            raise

    def clone(self):
        """A copy of a stopped site, with ports of its own."""
        copy = object.__new__(Site)
        copy.folder = tempfile.mkdtemp(prefix='baton-', dir=os.path.dirname(self.folder))
        copy.home, copy.base, copy.daemon = os.path.join(copy.folder, 'site'), free_base(), None
        shutil.copytree(self.home, copy.home, ignore=lambda folder, names:
                        [n for n in names if n == 'ballast' or os.path.basename(folder) == 'run'])
        with open(os.path.join(self.home, 'baton.conf')) as f:
            conf = f.read()
        for offset in OFFSETS.values():
            conf = conf.replace(f'port = {self.base + offset}\n', f'port = {copy.base + offset}\n')
        with open(os.path.join(copy.home, 'baton.conf'), 'w') as f:
            f.write(conf)
        return copy

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def port(self, service):
        return self.base + OFFSETS[service]

    def baton(self, *args, input=None, check=True, binary=False):
        """Runs the command line; returns its output (or, unchecked, the finished process)."""
        if isinstance(input, str):
            input = input.encode()
        r = subprocess.run([os.path.join(BUILD, 'baton'), '--home', self.home, *args], input=input if input is not None else b'',
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600)
        if not check:
            return r
        if r.returncode:
            raise RuntimeError(f'baton {" ".join(args)}: exit {r.returncode}\n{r.stderr.decode()}{r.stdout.decode()}')
        return r.stdout if binary else r.stdout.decode()

    def start(self, wait=300, check=True):
        """True when it serves; False (only when not checked) when it refused to start."""
        for _ in range(20):
            refused = self.start_once(wait)
            if refused is None:
                return True
            if 'Address already in use' not in refused:
                break
            time.sleep(1)  # the kernel may have given one of the ports to somebody's outgoing connection
        if check:
            raise RuntimeError('batond did not start:\n' + self.log()[-3000:])
        return False

    def start_once(self, wait):
        """None when it serves, else what it said."""
        read, write = os.pipe()
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            before = log.tell()
            self.daemon = subprocess.Popen([os.path.join(BUILD, 'batond'), '--home', self.home, '--foreground',
                                            '--ready-fd', str(write)], pass_fds=[write], stderr=log, stdout=log)
        os.close(write)
        ready = b''
        if select.select([read], [], [], wait)[0]:
            ready = os.read(read, 1)
        os.close(read)
        if ready:
            return None
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None
        with open(os.path.join(self.folder, 'log'), errors='replace') as f:
            f.seek(before)
            return f.read()

    def stop(self):
        if not self.daemon:
            return 0
        self.daemon.send_signal(signal.SIGTERM)
        try:
            code = self.daemon.wait(300)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise RuntimeError('batond did not stop:\n' + self.log()[-3000:])
        finally:
            self.daemon = None
        return code

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def close(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None
        if lock := taken.pop(self.base, None):
            lock.close()
        if os.environ.get('BATON_KEEP'):
            print('# kept', self.folder, file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(os.path.join(self.folder, 'log'), errors='replace') as f:
            return f.read()

    def faults(self):
        """What `baton check` finds: '' when everything is well."""
        r = self.baton('check', check=False)
        return '' if r.returncode == 0 else (r.stdout + r.stderr).decode() or f'exit {r.returncode}'

    # ---- clients ----
    def imap(self, person='ana', login=True):
        c = imaplib.IMAP4('127.0.0.1', self.port('imap'), timeout=PATIENCE)
        if login:
            c.login(person, PASSWORD)
        return c

    def nntp(self, person='ana'):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            import nntplib
        return nntplib.NNTP('127.0.0.1', self.port('nntp'), user=person, password=PASSWORD, timeout=PATIENCE)

    def smtp(self, service='smtp', person=None):
        kind = smtplib.LMTP if service == 'lmtp' else smtplib.SMTP
        c = kind('127.0.0.1', self.port(service), timeout=PATIENCE)
        if person:
            c.login(person, PASSWORD)
        return c


def message(subject, sender='bo@team.example', to='eng.backend@team.example', body='Hello.\r\n', **fields):
    """A small message in CRLF form."""
    extra = ''.join(f'{k.replace("_", "-")}: {v}\r\n' for k, v in fields.items())
    n = f'{time.time_ns()}.{random.randrange(1 << 30)}'
    ident = '' if 'Message_ID' in fields else f'Message-ID: <{n}@test.example>\r\n'
    return (f'From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {email.utils.formatdate()}\r\n'
            f'{ident}{extra}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
            f'\r\n{body}').encode()


class Tap:
    """Test points; the last line is the plan."""
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, detail=''):
        self.n += 1
        print(f'{"ok" if good else "not ok"} {self.n} - {name}', flush=True)
        if not good:
            self.failed += 1
            for line in str(detail).splitlines()[:40]:
                print('#   ' + line, flush=True)
        return good

    def same(self, got, want, name):
        return self.ok(got == want, name, f'got  {got!r}\nwant {want!r}')

    def skip(self, name, why):
        self.n += 1
        print(f'ok {self.n} - {name} # SKIP {why}', flush=True)

    def done(self):
        print(f'1..{self.n}', flush=True)
        sys.exit(1 if self.failed else 0)


def skip_all(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)
