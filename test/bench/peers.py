"""peers.py - Postfix, Dovecot and INN as Debian packs them, each with a configuration, a store and a port of its own in a
temporary folder, on loopback, in the foreground, gone at the end. What is on the machine already is neither used nor
changed. Started as root, since all three insist on changing their user themselves.

Where a setting away from the default makes the peer faster, it is set, and said here: the peers run at their best.
"""
import contextlib, os, pwd, shutil, signal, socket, subprocess, tempfile, time

PASSWORD = 'bench-password-1'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_port(port, daemon, what, log):
    for _ in range(3600):
        try:
            socket.create_connection(('127.0.0.1', port), 60).close()
            return
        except OSError:
            if daemon.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f'{what} did not start:\n{log()[-3000:]}')


def package_version(name):
    r = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return r.stdout.decode()


def tree(pid):
    """The process and all below it."""
    below = {}
    for p in os.listdir('/proc'):
        if p.isdigit():
            try:
                with open(f'/proc/{p}/stat') as f:
                    below.setdefault(int(f.read().rsplit(')', 1)[1].split()[1]), []).append(int(p))
            except OSError:
                pass
    found, left = [], [pid]
    while left:
        p = left.pop()
        found.append(p)
        left += below.get(p, [])
    return found


def born(pid):
    """When the process began, in ticks since the start of the machine; None when it is gone."""
    try:
        with open(f'/proc/{pid}/stat') as f:
            fields = f.read().rsplit(')', 1)[1].split()
            return None if fields[0] == 'Z' else int(fields[19])
    except OSError:
        return None


@contextlib.contextmanager
def many_watches():
    """Dovecot watches each folder in IDLE by an inotify instance, of which Linux gives a user 128: beyond that it looks
    every 30 seconds. Raised for so long as the scene takes."""
    path = '/proc/sys/fs/inotify/max_user_instances'
    try:
        with open(path) as f:
            before = f.read()
        with open(path, 'w') as f:
            f.write(str(max(int(before), 4096)))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with open(path, 'w') as f:
            f.write(before)


def memory(pid):
    """Proportional and resident kilobytes of a process tree, and how many processes it has."""
    pss = rss = n = 0
    for p in tree(pid):
        try:
            with open(f'/proc/{p}/smaps_rollup') as f:
                for line in f:
                    pss += int(line.split()[1]) if line.startswith('Pss:') else 0
                    rss += int(line.split()[1]) if line.startswith('Rss:') else 0
            n += 1
        except OSError:
            pass
    return pss, rss, n


class Peer:
    """A daemon in a folder of its own; `with` ends it."""
    package = ''
    needs = ''   # a program that tells whether the package is there

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix='bench-')
        os.chmod(self.folder, 0o755)
        self.daemon = None
        try:
            self.command, self.env = self.configure(**settings)
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        with open(self.path('output'), 'ab') as out:
            self.daemon = subprocess.Popen(self.command, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL,
                                           stdout=out, stderr=out, start_new_session=True)
        wait_port(self.ports()[0], self.daemon, self.package, self.log)

    def ports(self):
        raise NotImplementedError

    def path(self, *name):
        return os.path.join(self.folder, *name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w') as f:
            f.write(text)

    def log(self):
        text = ''
        for name in ('output', 'log', 'log/news.err', 'log/errlog'):
            if os.path.exists(self.path(name)) and not os.path.isdir(self.path(name)):
                with open(self.path(name), errors='replace') as f:
                    text += f.read()
        return text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def stop(self):
        if self.daemon:
            below = [(p, born(p)) for p in tree(self.daemon.pid)]
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                pass
            for p, when in below:   # only those that this class started: a number may be another's by now
                if when and born(p) == when:
                    os.kill(p, signal.SIGKILL)
            self.daemon.wait()
            self.daemon = None

    def close(self):
        self.stop()
        if os.environ.get('BATON_KEEP'):
            print('# kept', self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def missing(cls):
        return [] if os.path.exists(cls.needs) else [cls.package]

    @classmethod
    def version(cls):
        return package_version(cls.package.split()[0])


class Postfix(Peer):
    """smtpd into the queue, and from there into one virtual maildir. Faster than by default: no DNS look-up of the client,
    no pause where intake outruns delivery (in_flow_delay), no chroot."""
    package = 'postfix'
    needs = '/usr/sbin/postfix'

    def configure(self, **more):
        self.smtp = free_port()
        user = pwd.getpwnam('nobody')
        settings = {
            'compatibility_level': '3.6', 'queue_directory': self.path('queue'), 'data_directory': self.path('data'),
            'command_directory': '/usr/sbin', 'daemon_directory': '/usr/lib/postfix/sbin', 'mail_owner': 'postfix',
            'setgid_group': 'postdrop', 'maillog_file': self.path('log'), 'maillog_file_prefixes': self.folder,
            'myhostname': 'mx.team.example', 'mydomain': 'team.example', 'mydestination': '', 'inet_interfaces': '127.0.0.1',
            'inet_protocols': 'ipv4', 'mynetworks': '127.0.0.0/8', 'alias_maps': '', 'alias_database': '',
            'local_recipient_maps': '', 'smtpd_peername_lookup': 'no', 'in_flow_delay': '0',
            'smtpd_recipient_restrictions': 'permit_mynetworks,reject', 'smtputf8_enable': 'no',
            'virtual_mailbox_domains': 'team.example', 'virtual_mailbox_base': self.path('mail'),
            'virtual_mailbox_maps': 'static:topic/', 'virtual_uid_maps': f'static:{user.pw_uid}',
            'virtual_gid_maps': f'static:{user.pw_gid}', 'virtual_minimum_uid': '1',
            'smtpd_client_connection_count_limit': '200', 'default_process_limit': '200', **more}
        self.write('etc/main.cf', ''.join(f'{k} = {v}\n' for k, v in settings.items()))
        rows = [(f'127.0.0.1:{self.smtp}', 'inet', 'n', '-', 'smtpd')]
        rows += [(name, 'unix', private, limit, program) for name, private, limit, program in (
            ('cleanup', 'n', '0', 'cleanup'), ('rewrite', '-', '-', 'trivial-rewrite'), ('bounce', '-', '0', 'bounce'),
            ('defer', '-', '0', 'bounce'), ('trace', '-', '0', 'bounce'), ('error', '-', '-', 'error'),
            ('retry', '-', '-', 'error'), ('virtual', '-', '-', 'virtual'), ('proxymap', '-', '-', 'proxymap'),
            ('anvil', '-', '1', 'anvil'), ('scache', '-', '1', 'scache'))]
        text = ''.join(f'{name} {kind} {private} {"n" if program == "virtual" else "-"} n - {limit} {program}\n'
                       for name, kind, private, limit, program in rows)
        text += ('qmgr unix n - n 300 1 qmgr\npostlog unix-dgram n - n - 1 postlogd\npickup unix n - n 60 1 pickup\n'
                 'showq unix n - n - - showq\nflush unix n - n 1000? 0 flush\nverify unix - - n - 1 verify\n')
        self.write('etc/master.cf', text)
        owner = pwd.getpwnam('postfix').pw_uid
        for name, uid in (('queue', 0), ('data', owner), ('mail', user.pw_uid)):
            os.makedirs(self.path(name))
            os.chown(self.path(name), uid, -1)
        return ['/usr/sbin/postfix', '-c', self.path('etc'), 'start-fg'], {}

    def ports(self):
        return [self.smtp]

    def delivered(self):
        new = self.path('mail', 'topic', 'new')
        return len(os.listdir(new)) if os.path.isdir(new) else 0


class Dovecot(Peer):
    """LMTP and IMAP on Maildir. Faster than by default: log-in processes are kept (high-performance mode), limits raised."""
    package = 'dovecot-imapd dovecot-lmtpd'
    needs = '/usr/lib/dovecot/lmtp'

    def configure(self, fsync='optimized', layout='maildir:~/Maildir', more=''):
        self.lmtp, self.imap = free_port(), free_port()
        user = pwd.getpwnam('nobody')
        os.makedirs(self.path('home'))
        os.chown(self.path('home'), user.pw_uid, user.pw_gid)
        self.write('dovecot.conf', f'''
base_dir = {self.path('run')}
state_dir = {self.path('run')}
log_path = {self.path('log')}
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = {layout}
mail_fsync = {fsync}
mail_max_userip_connections = 0
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={user.pw_uid} gid={user.pw_gid} home={self.path('home')}/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  mailbox Archive {{
    auto = create
  }}
}}
service imap-login {{
  service_count = 0
  client_limit = 4000
  process_min_avail = 2
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  process_limit = 4000
}}
service anvil {{
  client_limit = 12000
}}
service auth {{
  client_limit = 12000
}}
service stats {{
  client_limit = 12000
}}
service lmtp {{
  process_min_avail = 16
  inet_listener lmtp {{
    port = {self.lmtp}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@team.example
}}
{more}
''')
        return ['/bin/sh', '-c', f'ulimit -n 65536; exec /usr/sbin/dovecot -F -c {self.path("dovecot.conf")}'], {}

    def ports(self):
        return [self.lmtp, self.imap]

    def make_maildir(self, person, folder):
        """Everybody may write into it."""
        top = self.path('home', person, 'Maildir', *([] if folder == 'INBOX' else ['.' + folder]))
        user = pwd.getpwnam('nobody')
        for name in ('cur', 'new', 'tmp'):
            os.makedirs(os.path.join(top, name), exist_ok=True)
        for at, _, _ in os.walk(self.path('home')):
            os.chown(at, user.pw_uid, user.pw_gid)
        return top

    def forget_cache(self, person):
        """As where a client asks for the first time for what was delivered: no cached envelopes."""
        for top, _, files in os.walk(self.path('home', person)):
            for name in files:
                if name.startswith('dovecot.index.cache'):
                    os.unlink(os.path.join(top, name))


class Inn(Peer):
    """innd with nnrpd for each reader. Faster than by default: no filters, no limit by load, no history look-up of names."""
    package = 'inn2'
    needs = '/usr/sbin/innd' if os.path.exists('/usr/sbin/innd') else '/usr/lib/news/bin/innd'

    def configure(self, overview='tradindexed', group='eng.backend'):
        self.nntp = free_port()
        news = pwd.getpwnam('news')
        for name in ('etc', 'db', 'run', 'log', 'filter', 'spool/articles', 'spool/overview', 'spool/incoming/bad',
                     'spool/incoming/tmp', 'spool/outgoing', 'spool/archive', 'http'):
            os.makedirs(self.path(name))
        for name in os.listdir('/etc/news'):
            if os.path.isfile(os.path.join('/etc/news', name)):
                shutil.copy(os.path.join('/etc/news', name), self.path('etc', name))
        paths = {'patharticles': 'spool/articles', 'patharchive': 'spool/archive', 'pathdb': 'db', 'pathetc': 'etc',
                 'pathfilter': 'filter', 'pathhttp': 'http', 'pathincoming': 'spool/incoming', 'pathlog': 'log',
                 'pathoutgoing': 'spool/outgoing', 'pathoverview': 'spool/overview', 'pathrun': 'run', 'pathspool': 'spool',
                 'pathtmp': 'spool/incoming/tmp'}
        settings = {'mta': '"/bin/true %s"', 'ovmethod': overview, 'hismethod': 'hisv6', 'pathhost': 'news.team.example',
                    'domain': 'team.example', 'pathnews': '/usr/lib/news', 'pathbin': '/usr/lib/news/bin',
                    'mailcmd': '/bin/true', 'port': self.nntp, 'nnrpdloadlimit': 0, 'maxconnections': 0,
                    'doinnwatch': 'false', 'bindaddress': '127.0.0.1',
                    'logipaddr': 'true', 'enableoverview': 'true', 'nicekids': 0,
                    'wireformat': 'true', 'tradindexedmmap': 'true', 'articlemmap': 'true', 'nnrpdcheckart': 'false',
                    **{k: self.path(v) for k, v in paths.items()}}
        self.write('etc/inn.conf', ''.join(f'{k}: {v}\n' for k, v in settings.items()))
        self.write('etc/incoming.conf', 'streaming: true\nmax-connections: 8\n')
        self.write('etc/newsfeeds', 'ME:*::\n')
        self.write('etc/storage.conf', 'method tradspool {\n    newsgroups: *\n    class: 0\n}\n')
        self.write('etc/readers.conf', 'auth "all" {\n    hosts: "*"\n    default: "bo"\n}\n'
                   'access "all" {\n    users: "*"\n    newsgroups: "*"\n    access: RPA\n}\n')
        # innd overwrites the numbers in place: they must be as wide as they ever get
        self.write('db/active', ''.join(f'{name} {0:010d} {1:010d} {flag}\n' for name, flag in (
            ('control', 'n'), ('control.cancel', 'n'), ('junk', 'n'), (group, 'y'))))
        for name in ('db/newsgroups', 'db/active.times', 'db/history'):
            self.write(name, '')
        for top, folders, files in os.walk(self.folder):
            for name in ['.', *folders, *files]:
                os.chown(os.path.join(top, name), news.pw_uid, news.pw_gid)
        env = {'INNCONF': self.path('etc', 'inn.conf')}
        self.as_news(['/usr/lib/news/bin/makedbz', '-i', '-s', '300000', '-f', self.path('db/history')], env)
        for end in ('index', 'hash', 'dir'):
            made = self.path(f'db/history.n.{end}')
            if os.path.exists(made):
                os.rename(made, self.path(f'db/history.{end}'))
        innd = ['/usr/lib/news/bin/innd', '-f', '-N', '-c', '0']
        if overview == 'ovsqlite':   # its one owner is a daemon beside innd
            innd = ['/bin/sh', '-c', f'/usr/lib/news/bin/ovsqlite-server -d & sleep 1; exec {" ".join(innd)}']
        return self.news_command(innd), env

    def news_command(self, command):
        return ['setpriv', '--reuid', 'news', '--regid', 'news', '--init-groups', *command]

    def as_news(self, command, env):
        r = subprocess.run(self.news_command(command), env={**os.environ, **env}, cwd=self.path('db'),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if r.returncode:
            raise RuntimeError(f'{command[0]}: {r.stdout.decode()}')

    def ports(self):
        return [self.nntp]
