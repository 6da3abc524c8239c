#!/usr/bin/env python3
"""Mail servers in front, with what contrib/ gives for them: Postfix (LMTP and pipe) and Exim as real daemons, procmail and
Sieve by the fields that Baton adds. Each only where it is installed; nothing of the machine's own is used or changed."""
import os, pwd, re, shutil, smtplib, subprocess, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'lib'), os.path.join(HERE, '..', 'bench')]
from baton import *
import peers

tap = Tap()


def contrib(name, *changes):
    """A file that users copy, with its placeholders replaced; a placeholder that is not there is a failure."""
    with open(os.path.join(TOP, 'contrib', name)) as f:
        text = f.read()
    for old, new in changes:
        if old not in text:
            raise RuntimeError(f'contrib/{name} holds no {old!r}')
        text = text.replace(old, new)
    return text


def settings(text):
    """main.cf as a dictionary."""
    return dict(re.findall(r'^(\w+) = (.*)$', text, re.M))


def eventually(look, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    return look()


def inbox(site, person, subject):
    """The message with this subject in a person's INBOX, or None."""
    with site.imap(person) as imap:
        imap.select('INBOX', readonly=True)
        found = imap.search(None, 'SUBJECT', f'"{subject}"')[1][0].split()
        return imap.fetch(found[-1], '(BODY.PEEK[])')[1][0][1] if found else None


def in_topic(site, topic, ident):
    with site.nntp() as news:
        news.group(topic)
        try:
            return news.stat(ident)[0].startswith('223')
        except Exception as e:
            return None if '430' in str(e) else 1 / 0


def send(port, to, subject, sender='zoe@outside.example'):
    """None, or what the server says no with."""
    ident = f'<{subject.replace(" ", ".").lower()}@outside.example>'
    with smtplib.SMTP('127.0.0.1', port, timeout=180) as s:
        try:
            s.sendmail(sender, to, message(subject, sender=sender, to=to if isinstance(to, str) else ', '.join(to), Message_ID=ident))
        except smtplib.SMTPRecipientsRefused as e:
            return list(e.recipients.values())[0][1].decode()
    return None


class Front(peers.Postfix):
    """Postfix with contrib/postfix/main.cf and master.cf."""
    def configure(self, site, **more):
        mine = settings(contrib('postfix/main.cf', ('[127.0.0.1]:24', f'[127.0.0.1]:{site.port("lmtp")}'),
                                ('/etc/postfix/baton-recipients', os.path.join(site.folder, 'recipients'))))
        command = super().configure(**{**mine, 'virtual_mailbox_domains': '', 'relay_domains': 'team.example home.example',
                                       'smtputf8_enable': 'yes', 'baton_destination_recipient_limit': '1', **more})
        with open(self.path('etc/master.cf'), 'a') as f:
            f.write('lmtp unix - - n - - lmtp\n' + contrib('postfix/master.cf', ('/usr/bin/baton', f'{BUILD}/baton --home {site.home}')))
        return command

    def tell(self):
        r = subprocess.run(['/usr/sbin/postqueue', '-c', self.path('etc'), '-p'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return r.stdout.decode() + self.log()[-3000:]


def recipients(site):
    """contrib/postfix/recipients, as a file for Postfix."""
    r = subprocess.run([os.path.join(TOP, 'contrib/postfix/recipients'), '--home', site.home], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env={**os.environ, 'PATH': f'{BUILD}:{os.environ["PATH"]}'})
    with open(os.path.join(site.folder, 'recipients'), 'wb') as f:
        f.write(r.stdout)
    return r


def postfix(site):
    r = recipients(site)
    lines = r.stdout.decode().split('\n')
    tap.ok({'ana@team.example ok', 'open.box@team.example ok', 'dee@home.example ok', 'postmaster@team.example ok', ''} <= set(lines),
           'postfix: the map of recipients', r.stdout + r.stderr)
    with Front(site=site) as front:
        refused = send(front.smtp, 'nobody@team.example', 'Postfix to nobody')
        tap.ok(refused and 'User unknown' in refused, 'postfix: an unknown address is refused at once by the map', refused)
        tap.same(send(front.smtp, ['ana@team.example', 'open.box@team.example', 'dee@home.example'], 'Postfix to three'), None, 'postfix: a person, an open topic and an outside address are taken')
        tap.ok(eventually(lambda: inbox(site, 'ana', 'Postfix to three')), 'postfix: it comes to the person', front.tell())
        tap.ok(eventually(lambda: in_topic(site, 'open.box', '<postfix.to.three@outside.example>')), 'postfix: and to the topic', front.tell())
        mail = eventually(lambda: inbox(site, 'dee', 'Postfix to three'))
        tap.ok(mail and b'Delivered-To: dee@home.example' in mail and b'Return-Path: <zoe@outside.example>' in mail and b'with LMTP' in mail,
               'postfix: and to the outside address, with envelope', mail)
        bounced = bounce(site, front, 'closed@team.example', 'Postfix not a member')
        tap.ok(bounced and 'takes mail from its members only' in bounced, "postfix: who may not post gets a bounce with Baton's reason", bounced or front.tell())
    with Front(site=site, relay_recipient_maps='') as front:
        bounced = bounce(site, front, 'nobody@team.example', 'Postfix no map')
        tap.ok(bounced and 'no such person or topic here' in bounced, "postfix: without a map an unknown address bounces with Baton's reason", bounced or front.tell())
        site.stop()
        tap.same(send(front.smtp, 'bo@team.example', 'Postfix waits'), None, 'postfix: takes mail while Baton is down')
        tap.ok(eventually(lambda: 'status=deferred' in front.log()), 'postfix: and keeps it', front.tell())
        site.start()
        subprocess.run(['/usr/sbin/postqueue', '-c', front.path('etc'), '-f'])
        tap.ok(eventually(lambda: inbox(site, 'bo', 'Postfix waits')), 'postfix: until Baton is back', front.tell())


def bounce(site, front, to, subject):
    """Dee, from her outside address, writes what cannot be delivered; the text of the bounce that she gets."""
    send(front.smtp, to, subject, sender='zed@home.example')
    def look():
        with site.imap('dee') as imap:
            imap.select('INBOX', readonly=True)
            for n in imap.search(None, 'SUBJECT', '"Undelivered"')[1][0].split():
                text = re.sub(r'\s+', ' ', imap.fetch(n, '(BODY.PEEK[])')[1][0][1].decode())
                if subject in text:
                    return text
        return None
    return eventually(look)


def postfix_pipe(site):
    for folder in (site.folder, site.home, os.path.join(site.home, 'run')):
        os.chmod(folder, 0o755)   # as /var/lib/baton is
    with Front(site=site, relay_transport='baton', relay_recipient_maps='') as front:
        tap.same(send(front.smtp, ['bo@team.example', 'open.box@team.example'], 'Postfix by pipe'), None, 'postfix, pipe: two recipients are taken')
        mail = eventually(lambda: inbox(site, 'bo', 'Postfix by pipe'))
        tap.ok(mail and b'Return-Path: <zoe@outside.example>' in mail, 'postfix, pipe: it comes, with its sender', mail or front.tell())
        tap.ok(eventually(lambda: in_topic(site, 'open.box', '<postfix.by.pipe@outside.example>')), 'postfix, pipe: the topic, too', front.tell())
        bounced = bounce(site, front, 'nobody@team.example', 'Postfix pipe to nobody')
        tap.ok(bounced and 'no such person or topic here' in bounced, "postfix, pipe: an unknown address bounces with Baton's reason; null sender", bounced or front.tell())


def exim(site):
    """No daemon: Exim talks SMTP on standard input, and delivers in the foreground."""
    top = os.path.join(site.folder, 'exim')
    os.makedirs(top)
    os.chown(top, pwd.getpwnam('mail').pw_uid, -1)
    os.chmod(site.folder, 0o755)
    command = f'{BUILD}/baton --home {site.home}'
    def config(name, route):
        path = os.path.join(site.folder, name)
        with open(path, 'w') as f:
            f.write(f'exim_path = {shutil.which("exim4")}\nexim_user = mail\nexim_group = mail\nspool_directory = {top}\nlog_file_path = {top}/%slog\nprimary_hostname = mx.team.example\n'
                    'domainlist relay_to_domains = team.example\nacl_smtp_rcpt = check\nkeep_environment =\nnever_users =\nbegin acl\ncheck:\n'
                    + contrib('exim/acl') + '  accept domains = +relay_to_domains\n  deny message = relay not permitted\nbegin routers\n' + route
                    + '\nbegin transports\n' + contrib('exim/transport', ('port = 24', f'port = {site.port("lmtp")}'), ('/usr/bin/baton', command)))
        os.chmod(path, 0o644)
        return path
    lmtp = config('exim.conf', contrib('exim/router'))
    pipe = config('exim-pipe.conf', contrib('exim/router', ('driver = manualroute', 'driver = accept'), ('baton_lmtp', 'baton_pipe'),
                                            ('  route_list = * 127.0.0.1\n', ''), ('  self = send\n', '')))
    def run(conf, *args, input=b''):
        r = subprocess.run([shutil.which('exim4'), '-C', conf, *args], input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        log = os.path.join(top, 'mainlog')
        return r.stdout.decode() + (open(log).read()[-1500:] if os.path.exists(log) and '-bt' not in args else '')
    said = run(lmtp, '-bt', 'ana@team.example')
    tap.ok('router = baton, transport = baton_lmtp' in said, 'exim: the router takes the domain', said)
    said = run(lmtp, '-odf', '-f', 'zoe@outside.example', 'ana@team.example', 'open.box@team.example', input=message('Exim by LMTP', sender='zoe@outside.example', Message_ID='<exim.lmtp@outside.example>'))
    mail = inbox(site, 'ana', 'Exim by LMTP')
    tap.ok(mail and b'Return-Path: <zoe@outside.example>' in mail, 'exim: it comes to the person', said)
    tap.ok(in_topic(site, 'open.box', '<exim.lmtp@outside.example>'), 'exim: and to the topic', said)
    talk = 'EHLO client.example\r\nMAIL FROM:<{}>\r\nRCPT TO:<nobody@team.example>\r\nRCPT TO:<closed@team.example>\r\nRCPT TO:<eng.backend@team.example>\r\nQUIT\r\n'
    said = run(lmtp, '-bs', '-oMa', '192.0.2.1', input=talk.format('zoe@outside.example').encode())
    tap.ok(said.count('\n550') >= 3 and 'no such person or topic here' in said and 'only members of the topic' in said, "exim: refuses what Baton would refuse, with Baton's reason", said)
    said = run(lmtp, '-bs', '-oMa', '192.0.2.1', input=talk.format('dee@home.example').encode())
    tap.ok('250 Accepted' in said, "exim: and asks with the true sender: a member's outside address may post", said)
    said = run(pipe, '-odf', '-f', 'zoe@outside.example', 'ana@team.example', input=message('Exim by pipe', sender='zoe@outside.example'))
    mail = inbox(site, 'ana', 'Exim by pipe')
    tap.ok(mail and b'Return-Path: <zoe@outside.example>' in mail, 'exim, pipe: it comes', said)


def sent_on(site):
    """What a filter meets: messages as Baton keeps them in topics, a digest, and a letter."""
    with site.smtp('submission', 'bo') as s:
        for topic in ('eng.backend', 'eng.ops'):
            s.sendmail('bo@team.example', [f'{topic}@team.example'], message(f'To sort, {topic}', to=f'{topic}@team.example'))
        s.sendmail('bo@team.example', ['ana@team.example'], message('To sort, a letter', to='ana@team.example'))
    site.baton('digest', 'run', '--at', '2100-01-04T12:00:00Z', '--user', 'ana')
    mails = {}
    with site.imap('ana') as imap:
        for name, folder in (('topic', 'Topics/eng/backend'), ('ops', 'Topics/eng/ops'), ('digest', 'Digests'), ('letter', 'INBOX')):
            imap.select(folder, readonly=True)
            mails[name] = imap.fetch('*', '(BODY.PEEK[])')[1][0][1].replace(b'\r\n', b'\n')
    return mails


def sieve(site, mails):
    where = {'topic': 'Topics/eng.backend', 'ops': 'Ops', 'digest': 'Digests', 'letter': 'INBOX'}
    top = os.path.join(site.folder, 'sieve')
    os.makedirs(top)
    script = shutil.copy(os.path.join(TOP, 'contrib/sieve/baton.sieve'), top)
    user = pwd.getpwuid(os.getuid())
    if not user.pw_uid:   # Dovecot's tools refuse root
        user = pwd.getpwnam('mail')
        os.chmod(site.folder, 0o755)
        os.chown(top, user.pw_uid, user.pw_gid)
    become = {} if os.getuid() else {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
    options = [f'mail_location=maildir:{top}/mail', f'mail_uid={user.pw_uid}', f'mail_gid={user.pw_gid}', 'first_valid_uid=1', 'first_valid_gid=1']
    for name, folder in where.items():
        path = os.path.join(top, name + '.eml')
        with open(path, 'wb') as f:
            f.write(mails[name])
        r = subprocess.run(['sieve-test', '-C', '-c', '/dev/null', *[x for o in options for x in ('-o', o)], script, path],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, 'HOME': top, 'USER': user.pw_name}, **become)
        said = r.stdout.decode()
        tap.ok(r.returncode == 0 and re.search(rf"store message in folder: {re.escape(folder)}$", said, re.M), f'sieve: {name} goes to {folder}', said)


def procmail(site, mails):
    home = os.path.join(site.folder, 'procmail')
    os.makedirs(home + '/Maildir')
    def run(rc, mail, *more):
        path = os.path.join(home, 'rc')
        with open(path, 'w') as f:
            f.write(f'HOME={home}\nMAILDIR={home}/Maildir\nDEFAULT={home}/Maildir/inbox/\nSHELL=/bin/sh\nLOGFILE={home}/log\n' + rc)
        return subprocess.run(['procmail', *more, '-m', path], input=mail, stderr=subprocess.PIPE, timeout=300).returncode
    for name, folder in (('topic', '.eng-backend'), ('ops', '.eng-ops'), ('digest', '.digests'), ('letter', 'inbox')):
        code = run(contrib('procmail/sort'), mails[name])
        new = os.path.join(home, 'Maildir', folder, 'new')
        tap.ok(code == 0 and os.path.isdir(new) and len(os.listdir(new)) == 1, f'procmail: {name} goes to {folder}', os.listdir(home + '/Maildir'))
    program = os.path.join(home, 'baton')
    def stand_in(command):
        with open(program, 'w') as f:
            f.write(f'#!/bin/sh\n{command}\n')
        os.chmod(program, 0o755)
    stand_in(f'exec {BUILD}/baton --home {site.home} "$@"')
    hand_over = contrib('procmail/deliver', ('/usr/bin/baton', program))
    def by_list(to, **more):
        return message('To procmail', sender='zoe@outside.example', to=to, List_Id='Old list <backend.lists.example>', **more).replace(b'\r\n', b'\n')
    letter = message('A letter by procmail', sender='zoe@outside.example', to='ana@team.example').replace(b'\r\n', b'\n')
    tap.ok(run(hand_over, b'From zoe@outside.example  Sun Nov 22 10:00:00 2026\n' + letter) == 0 and inbox(site, 'ana', 'A letter by procmail'), 'procmail: hands a letter to baton deliver')
    open_list = hand_over.replace('eng.backend@', 'open.box@')
    tap.ok(run(open_list, by_list('backend@lists.example', Message_ID='<old@lists.example>')) == 0 and in_topic(site, 'open.box', '<old@lists.example>'), 'procmail: a mailing list lives on as a topic')
    tap.ok(run(hand_over, by_list('x@lists.example')) == 0 and os.path.exists(home + '/refused'), 'procmail: what the topic refuses is kept')
    tap.same(run(hand_over.replace('ana@', 'nobody@'), letter), 67, 'procmail: the mail server learns that nobody has that name')
    for code, want in ((69, 75), (73, 75), (75, 75), (77, 77)):
        stand_in(f'cat >/dev/null; exit {code}')
        tap.same(run(hand_over, letter), want, f'procmail: {code} of baton is {want} for the mail server')


with Site() as site:
    site.baton('topic', 'add', 'open.box', '--access', 'open')
    site.baton('topic', 'add', 'closed', '--access', 'members')
    site.baton('user', 'set', 'dee', '--address', 'dee@home.example', '--address', 'zed@home.example')
    if not os.path.exists('/usr/sbin/postfix') or os.geteuid() or not shutil.which('jq'):
        tap.skip('postfix', 'needs postfix, jq, and root to start it')
    else:
        postfix(site)
        postfix_pipe(site)
    if not shutil.which('exim4') or os.geteuid():
        tap.skip('exim', 'needs exim4, and root to use a configuration of its own')
    else:
        exim(site)
    mails = sent_on(site)
    for name, program in (('sieve', 'sieve-test'), ('procmail', 'procmail')):
        if shutil.which(program):
            globals()[name](site, mails)
        else:
            tap.skip(name, f'{program} is not installed')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
