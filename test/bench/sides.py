"""sides.py - what the benchmark asks of each server, in the same words: a side is one server with its clients.
Every method returns one figure and may be called again; the sides of a scene are all up and take turns."""
import contextlib, json, os, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, 'test', 'lib')]
import baton
from peers import PASSWORD, Dovecot, Inn, Postfix, memory

TOPIC, ADDRESS = 'eng.backend', 'eng.backend@team.example'
TOPICS = [name for name, _ in baton.TOPICS]
QUICK = '--quick' in sys.argv   # small numbers, to see whether it runs: the figures mean nothing
MESSAGES, LARGE, SMALL, IDLE = (1_600, 3_200, 160, 100) if QUICK else (10_000, 100_000, 1_008, 1_000)
READERS, OLD = (500, 20_000) if QUICK else (10_000, 1_000_000)
CLIENTS, PEOPLE = 16, 300
TASKS = 160 if QUICK else 10_000
SLICE = 0.3 if QUICK else 2   # seconds of a turn where clients write
SDBOX = 'sdbox:~/sdbox'


def compile_load(folder):
    sources = [os.path.join(HERE, name) for name in ('load.c', 'link.c', 'message.c', 'scenes.c')]
    Side.load_program = os.path.join(folder, 'load')
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-std=gnu11', '-D_GNU_SOURCE', '-pthread', '-o', Side.load_program,
                    *sources, '-lcrypto'], check=True)


def forget_page_cache():
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w') as f:
        f.write('3')


class Side:
    load_program = None
    login = {}
    folder = 'INBOX'   # the one with the messages

    def __init__(self, column, **settings):
        self.column, self.settings, self.server = column, settings, None

    def __enter__(self):
        self.server = self.make()
        return self

    def __exit__(self, *_):
        self.server.close()

    def load(self, scene, port, *flags, **options):
        command = [self.load_program, scene, '--port', str(port), *('--' + flag for flag in flags)]
        for name, value in {**self.login, **options}.items():
            command += ['--' + name, str(value)]
        r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if r.returncode:
            raise RuntimeError(f'{self.column}: {scene}: {r.stderr.decode()}')
        return json.loads(r.stdout)

    def rate(self, *scene, **options):
        result = self.load(*scene, **{'clients': CLIENTS, **options})
        return result['done'] / result['seconds']

    # ---- mail ----
    def fetch(self):
        """Milliseconds; every message must have come."""
        result = self.load('fetch', self.imap(), target=self.folder)
        if result['units'] != MESSAGES:
            raise RuntimeError(f'{self.column}: FETCH gave {result["units"]} messages')
        return result['p50'] * 1000

    def append(self, clients=CLIENTS):
        return self.rate('append', self.imap(), seconds=SLICE, target='Archive', clients=clients)

    def ask(self, command, least, count=1, **options):
        """Milliseconds of an IMAP command in the large folder, whose answer has at least so many octets for a message."""
        result = self.load('ask', self.imap(), target='INBOX', command=command, count=count, **options)
        if result['octets'] < count * least:
            raise RuntimeError(f'{self.column}: {command} gave {result["octets"] / count:.0f} octets')
        return result['p50'] * 1000

    def select(self, folder):
        return self.ask('SELECT ' + folder, 100, count=3 if QUICK else 25, after='UNSELECT')

    def exists(self):
        """Milliseconds from a message's last octet to when the last of the idle clients knows."""
        turns = self.load('exists', self.imap(), clients=IDLE, count=1 if QUICK else 3)
        return sorted(turn['told'] for turn in turns)[len(turns) // 2] * 1000

    @contextlib.contextmanager
    def idle_clients(self, count):
        command = [self.load_program, 'idle', '--port', str(self.imap()), '--clients', str(count)]
        for name, value in self.login.items():
            command += ['--' + name, value]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if holder.stdout.readline() != b'ready\n':
                raise RuntimeError(f'{self.column}: the idle connections were not accepted')
            time.sleep(2)
            yield
        finally:
            holder.stdin.close()
            holder.wait()

    def idle(self):
        """Resident and proportional kilobytes that each of 1,000 idle connections adds to a server that has 500 already:
        what the first ones make it fetch once, or find in memory that it has to spare, is not counted."""
        with self.idle_clients(IDLE // 2):
            pss, rss, _ = memory(self.server.daemon.pid)
            with self.idle_clients(IDLE):
                pss_after, rss_after, _ = memory(self.server.daemon.pid)
        return (rss_after - rss) / IDLE, (pss_after - pss) / IDLE

    # ---- news ----
    def post(self, count):
        return self.rate('post', self.nntp(), count=count // CLIENTS, target=TOPIC)

    def over(self, lines):
        """Lines a second of the median command; every line must have come."""
        turns = 20 if lines == MESSAGES else 5
        result = self.load('over', self.nntp(), count=turns, target=TOPIC)
        if result['units'] != turns * lines:
            raise RuntimeError(f'{self.column}: OVER gave {result["units"]} lines')
        return lines / result['p50']

    def article(self):
        return 1 / self.load('article', self.nntp(), seconds=1, target=TOPIC)['p50']

    def articles(self, *flags, depth=1):
        result = self.load('article', self.nntp(), *flags, depth=depth, seconds=SLICE, target=TOPIC)
        return result['done'] / result['seconds']

    def article_slow(self):
        """Milliseconds of the one ARTICLE in a hundred that takes longest, for a client that does nothing about it."""
        return self.load('article', self.nntp(), seconds=SLICE, target=TOPIC)['p99'] * 1000


class BatonSide(Side):
    login = {'user': 'bo', 'password': baton.PASSWORD}
    peer = None

    def make(self):
        return baton.Site(conf='\n[limits]\nconnections-per-address = 5000\n')

    def __exit__(self, kind, *rest):
        if kind is RuntimeError:
            worse = [line for line in self.server.log().splitlines() if ' note: ' not in line]
            print('\n'.join(worse[-20:]), file=sys.stderr)
        super().__exit__(kind, *rest)

    def imap(self):
        return self.server.port('imap')

    def nntp(self):
        return self.server.port('nntp')

    def intake(self, to=TOPIC, **how):
        return self.rate('smtp', self.server.port('submission'), target=f'{to}@team.example', **(how or {'seconds': SLICE}))

    def fill(self, times):
        for topic in TOPICS[:times]:
            self.intake(topic, count=MESSAGES // CLIENTS)

    def fill_folder(self, folder, count):
        self.load('append', self.imap(), clients=CLIENTS, count=count // CLIENTS, target=folder, people=PEOPLE)

    def fetch_first(self, turn):
        self.folder = 'Topics/' + TOPICS[turn].replace('.', '/')
        return self.fetch()

    def restart_cold(self):
        self.server.stop()
        forget_page_cache()
        self.server.start()


class MorningSide(BatonSide):
    """The store is filled without the daemon, by morning.c, and the digests are made without it."""
    def make(self):
        site = baton.Site(people=baton.PEOPLE[:1], topics=[], start=False)
        filler = os.path.join(baton.BUILD, 'test', 'bench', 'morning')
        if not os.path.exists(filler):
            subprocess.run(['make', '-s', '-C', baton.BUILD, 'test/bench/morning'], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([filler, site.home, str(READERS), '40', str(self.settings.get('old', 0) // 20)], check=True)
        return site

    def digests(self):
        """Seconds, and the most resident memory in MB."""
        at = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))
        start = time.perf_counter()
        run = subprocess.Popen([os.path.join(baton.BUILD, 'baton'), '--home', self.server.home, 'digest', 'run', '--at', at],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = run.stdout.read().decode()
        _, status, usage = os.wait4(run.pid, 0)
        if status or said != f'{READERS} digests filed\n':
            raise RuntimeError(f'{self.column}: digests: {said}')
        return time.perf_counter() - start, usage.ru_maxrss / 1024


class BoardSide(BatonSide):
    """Baton with so many tasks on one board."""
    def fill_board(self):
        tasks = self.settings['tasks']
        clients = min(CLIENTS, tasks)
        self.load('append', self.imap(), 'alone', clients=clients, count=tasks // clients, target='Boards/eng/backend/1 To do')
        self.server.stop()   # what the filling left in the heap is not the board's size
        self.server.start()

    def move(self):
        """Milliseconds of a UID MOVE of one card, the median of forty, there and back."""
        taken, columns = [], ['"Boards/eng/backend/1 To do"', '"Boards/eng/backend/2 Doing"']
        with self.server.imap('bo') as c:
            for there, back in [columns, columns[::-1]] * 2:
                c.select(there)
                for number in c.uid('SEARCH', None, 'ALL')[1][0].split()[-10:]:
                    start = time.perf_counter()
                    code, said = c.uid('MOVE', number.decode(), back)
                    taken.append(time.perf_counter() - start)
                    if code != 'OK':
                        raise RuntimeError(f'{self.column}: MOVE: {said}')
        return statistics.median(taken) * 1000


class PostfixSide(Side):
    peer = Postfix

    def make(self):
        return Postfix(**self.settings)

    def intake(self):
        return self.rate('smtp', self.server.smtp, target=ADDRESS, seconds=SLICE)


class DovecotSide(Side):
    login = {'user': 'bo', 'password': PASSWORD}
    peer = Dovecot

    def make(self):
        return Dovecot(**self.settings)

    def imap(self):
        return self.server.imap

    def intake(self, **how):
        login, self.login = self.login, {}   # LMTP has none
        try:
            return self.rate('lmtp', self.server.lmtp, target='bo@team.example', **(how or {'seconds': SLICE}))
        finally:
            self.login = login

    def fill(self, _):
        self.intake(count=MESSAGES // CLIENTS)

    def fill_folder(self, folder, count):
        """Maildirs are made to be filled by whoever likes."""
        self.load('maildir', 1, clients=CLIENTS, count=count // CLIENTS, people=PEOPLE,
                  target=self.server.make_maildir('bo', folder))

    def fetch_first(self, _):
        self.server.forget_cache('bo')
        return self.fetch()

    def restart_cold(self):
        self.server.stop()
        self.server.forget_cache('bo')
        forget_page_cache()
        self.server.start()


class InnSide(Side):
    peer = Inn

    def make(self):
        return Inn(group=TOPIC, **self.settings)

    def nntp(self):
        return self.server.nntp
