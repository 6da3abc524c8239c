#!/usr/bin/env python3
"""More programs that people have, with the files of contrib/ where there is one: tin, alpine, Gnus, leafnode, suck and rpost,
Net::NNTP, fetchmail, OfflineIMAP, s-nail, msmtp; neomutt as a newsreader, mbsync with a topic. Each only where it is installed."""
import os, pwd, re, shutil, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from screen import Screen

tap = Tap()
HOST = 'mail.team.example'


def contrib(name, *changes):
    """A file that users copy, with its placeholders replaced; a placeholder that is not there is a failure."""
    with open(os.path.join(TOP, 'contrib', name)) as f:
        text = f.read()
    for old, new in changes:
        if old not in text:
            raise RuntimeError(f'contrib/{name} holds no {old!r}')
        text = text.replace(old, new)
    return text


def home_of(site, program, **files):
    """A home folder for one program; file names are given with _ for . at the beginning."""
    home = os.path.join(site.folder, program)
    for name, text in {'': '', **files}.items():
        path = os.path.join(home, re.sub('^_', '.', name).replace('__', '/'))
        os.makedirs(path if not name else os.path.dirname(path), exist_ok=True)
        if name:
            with open(path, 'w') as f:
                f.write(text)
            os.chmod(path, 0o600)
    return home


def run(home, *command, input=b'', **env):
    r = subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, cwd=home,
                       env={**os.environ, 'HOME': home, 'LC_ALL': 'C.UTF-8', **env})
    return r.returncode, r.stdout.decode(errors='replace')


def subjects(site, person, folder):
    with site.imap(person) as imap:
        imap.select(folder, readonly=True)
        found = imap.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
        return [part[1].decode().strip().removeprefix('Subject: ') for part in found if isinstance(part, tuple)]


def eventually(look, seconds=180):
    end = time.monotonic() + seconds
    while not look() and time.monotonic() < end:
        time.sleep(0.1)
    return look()


def is_seen(site, person, folder, number='1'):
    with site.imap(person) as imap:
        imap.select(folder, readonly=True)
        return number.encode() in imap.search(None, 'SEEN')[1][0].split()


# ---- news ----

def tin(site):
    home = home_of(site, 'tin', _tin__tinrc=contrib('tin/tinrc', ('Ana Marques <ana@', 'Cem Aydin <cem@')), _newsauth=f'127.0.0.1 {PASSWORD} cem\n', _newsrc='eng.ops:\n',
                   editor='#!/bin/sh\nfor file; do :; done\necho Answered by tin >> "$file"\n')
    os.chmod(home + '/editor', 0o755)
    with Screen(f'tin -A -k -Q -g 127.0.0.1 -p {site.port("nntps")}', env={'HOME': home, 'VISUAL': home + '/editor', 'EDITOR': home + '/editor'}) as s:
        tap.ok(s.until('eng\\.ops'), 'tin, TLS: the group lists', s.text())
        s.keys('Enter')
        tap.ok(s.until('2 .*A question about disks +Bo Lind'), 'tin: one thread of two, with its author', s.text())
        s.keys('Enter')
        tap.ok(s.until('Who has read this'), 'tin: an article opens', s.text())
        s.keys('f')
        s.until('p=post')
        s.keys('p')
        tap.ok(s.until('Article posted'), 'tin: a follow-up is posted', s.text())
        s.until('h=help|Who has read|Next response')
        s.keys('Q')
        s.until('EXIT')
    with site.nntp() as news:
        _, over = news.over((3, 3)) if news.group('eng.ops')[3] >= 3 else ('', [])
        tap.ok(over and over[0][1]['from'] == 'Cem Aydin <cem@team.example>' and '<q@team.example>' in over[0][1]['references'], 'tin: the follow-up is there, in its thread', over)
    tap.ok(eventually(lambda: is_seen(site, 'cem', 'Topics/eng/ops')), 'tin: what it read is seen over IMAP')


def slrn(site):
    server = f'snews://127.0.0.1:{site.port("nntps")}'
    home = home_of(site, 'slrn', rc=contrib('slrn/slrnrc', (f'snews://{HOST}"', f'{server}"'), ('"secret"', f'"{PASSWORD}"'), ('"ana"', '"bo"')), newsrc='eng.ops:\n')
    with Screen(f'slrn -i {home}/rc -h {server} -f {home}/newsrc', env={'HOME': home}) as s:
        tap.ok(s.until(' 2 +eng\\.ops') and 'bsolete' not in s.text(), 'slrn, TLS: the group, 2 unread', s.text())
        s.keys('Enter')
        tap.ok(s.until('Bo Lind.*A question about disks'), 'slrn, TLS: the articles, with names', s.text())
        s.keys('q', 'q')


def neomutt(site):
    home = home_of(site, 'mutt', rc=contrib('mutt/neomuttrc', (f'{HOST}:465', f'127.0.0.1:{site.port("submissions")}'), (f'{HOST}/', f'127.0.0.1:{site.port("imaps")}/'),
                                            ('`pass show team.example`', PASSWORD)) + f'set editor="sh -c \'echo By neomutt >> $0\'"\nset fast_reply\nset wait_key=no\n')
    with Screen(f'neomutt -n -F {home}/rc', env={'HOME': home}) as s:
        s.until('accept \\(o\\)nce') and s.keys('o')   # the certificate is nobody's that the system trusts
        tap.ok(s.until('Digests.*│|Digests +'), 'neomutt: the sidebar lists folders', s.text())
        s.keys('c')
        s.until('Open mailbox')
        s.keys('=Topics/eng/ops', 'Enter')
        tap.ok(s.until('Bo Lind +A question about disks') and s.until('Ana Marques +.─>'), 'neomutt: a topic by threads, with names', s.text())
        s.keys('L')
        s.until('Include message')
        s.keys('n')
        tap.ok(s.until('To: eng\\.ops@team\\.example'), 'neomutt: L answers the topic', s.text())
        s.keys('q')
        s.until('Save|Postpone')
        s.keys('n')


def neomutt_news(site):
    home = home_of(site, 'neomutt', _newsrc='eng.ops:\n')
    with open(os.path.join(home, 'rc'), 'w') as f:
        f.write(contrib('mutt/neomuttrc.news', (f'snews://ana@{HOST}/', f'news://dee@127.0.0.1:{site.port("nntp")}/'), ('`pass show team.example`', PASSWORD),
                        ('~/.newsrc-team', home + '/.newsrc'), ('~/.cache', home + '/cache')) + 'set ssl_starttls=no\nset ssl_force_tls=no\n')
    with Screen(f'neomutt -n -F {home}/rc -G', env={'HOME': home}) as s:
        tap.ok(s.until('eng\\.ops'), 'neomutt, news: the group lists', s.text())
        s.keys('Enter')
        tap.ok(s.until('Bo Lind.*A question about disks'), 'neomutt, news: the articles list', s.text())
        s.keys('Enter')
        tap.ok(s.until('Who has read this'), 'neomutt, news: an article opens', s.text())
        s.keys('q', 'q')
    tap.ok(eventually(lambda: is_seen(site, 'dee', 'Topics/eng/ops')), 'neomutt, news: what it read is seen over IMAP')


def net_nntp(site):
    script = ('use Net::NNTP; my $n = Net::NNTP->new("127.0.0.1:$ARGV[0]", Reader => 1, Timeout => 180) or die "connect";'
              '$n->authinfo("bo", $ARGV[1]) or die "authinfo"; my ($c, $f, $l) = $n->group("eng.ops") or die "group";'
              'my $x = $n->xover("$f-$l"); my $a = $n->article($f); print "over ", scalar(keys %$x) == $c, " article ", scalar(@$a) > 5, "\\n";'
              'my $r = $n->post(["From: Bo Lind <bo\\@team.example>\\n", "Newsgroups: eng.ops\\n", "Subject: By Net::NNTP\\n", "\\n", ".dot\\n"]);'
              'print "post ", ($r ? "ok" : $n->message), " active ", scalar(keys %{$n->list}), " date ", $n->date > 1e9, "\\n"; $n->quit;')
    code, said = run(site.folder, 'perl', '-e', script, str(site.port('nntp')), PASSWORD)
    tap.ok(code == 0 and 'over 1 article 1' in said and 'post ok active 3 date 1' in said, 'Net::NNTP: reads, lists and posts', said)
    tap.ok('By Net::NNTP' in subjects(site, 'ana', 'Topics/eng/ops'), 'Net::NNTP: the post is there')


def suck(site):
    home = home_of(site, 'suck', sucknewsrc='eng.ops 0\n', out='From: Bo Lind <bo@team.example>\nNewsgroups: eng.ops\nSubject: By rpost\n\n.dot\nbody\n')
    os.makedirs(home + '/Msgs')
    with open(home + '/batch', 'w') as f:
        f.write(home + '/out\n')
    login = ['127.0.0.1', '-N', str(site.port('nntp')), '-U', 'bo', '-P', PASSWORD, '-M']
    code, said = run(home, 'suck', *login, '-dd', home, '-dt', home, '-dm', home + '/Msgs', '-m')
    with site.nntp() as news:
        count = news.group('eng.ops')[1]
    tap.ok(len(os.listdir(home + '/Msgs')) == count, 'suck: brings every article', said)
    code, said = run(home, 'rpost', *login, '-d', '-b', home + '/batch', '-p', '')
    tap.ok('By rpost' in subjects(site, 'ana', 'Topics/eng/ops'), 'rpost: posts', said)


def gnus(site):
    home = home_of(site, 'gnus', _authinfo=''.join(f'machine 127.0.0.1 port {site.port(p)} login bo password {PASSWORD} force yes\n' for p in ('nntps', 'imaps', 'submissions')))
    changes = [(f'"{HOST}"', '"127.0.0.1"'), ('563', str(site.port('nntps'))), ('993', str(site.port('imaps'))), ('465', str(site.port('submissions'))), ('ana@', 'bo@')]
    with open(home + '/init.el', 'w') as f:
        f.write(f'(setq auth-sources \'("{home}/.authinfo") nntp-authinfo-file "{home}/.authinfo" gnus-use-dribble-file nil network-security-level \'low)\n' + contrib('gnus/baton.el', *changes))
    lisp = r'''(progn (load "%s/init.el") (require 'gnus) (require 'gnus-start) (require 'nnimap) (require 'smtpmail)
 (gnus-no-server 5)
 (princ (format "nntp %%S\n" (gnus-open-server gnus-select-method)))
 (princ (format "group %%S\n" (gnus-request-group "eng.ops" nil gnus-select-method)))
 (princ (format "headers %%S\n" (nntp-retrieve-headers '(1 2) "eng.ops" "baton")))
 (with-temp-buffer (princ (format "article %%S %%S\n" (nntp-request-article 1 "eng.ops" "baton" (current-buffer)) (progn (goto-char (point-min)) (and (search-forward "Who has read this" nil t) t)))))
 (with-temp-buffer (insert "From: Bo Lind <bo@team.example>\nNewsgroups: eng.ops\nSubject: By Gnus\n\n.dot\n") (princ (format "post %%S\n" (nntp-request-post "baton"))))
 (let ((imap (car gnus-secondary-select-methods)))
  (princ (format "nnimap %%S\n" (gnus-open-server imap)))
  (nnimap-request-list "baton")
  (with-current-buffer nntp-server-buffer (goto-char (point-min)) (princ (format "folders %%S\n" (and (search-forward "Digests" nil t) t))))
  (with-temp-buffer (princ (format "mail %%S\n" (nnimap-request-article 1 "INBOX" "baton" (current-buffer))))))
 (with-temp-buffer (insert "From: bo@team.example\nTo: ana@team.example\nSubject: Mail by Gnus\n--text follows this line--\nhello\n")
  (setq mail-header-separator "--text follows this line--") (princ (format "sent %%S\n" (progn (smtpmail-send-it) t)))))''' % home
    code, said = run(home, 'emacs', '-Q', '--batch', '--eval', lisp)
    for want, name in (('nntp [^n]', 'Gnus, nntp: opens the server'), ('group "eng.ops"', 'Gnus, nntp: the group'), ('headers nov', 'Gnus, nntp: the overview'),
                       ('article \\(.* t', 'Gnus, nntp: an article'), ('post t', 'Gnus, nntp: a post'), ('nnimap [^n]', 'Gnus, nnimap: opens the server'),
                       ('folders t', 'Gnus, nnimap: the folders'), ('mail \\(', 'Gnus, nnimap: a letter'), ('sent t', 'Gnus, smtpmail: sends')):
        tap.ok(re.search(rf'^{want}', said, re.M), name, said)
    tap.ok('By Gnus' in subjects(site, 'ana', 'Topics/eng/ops') and 'Mail by Gnus' in subjects(site, 'ana', 'INBOX'), 'Gnus: what it posted and sent is there')


def leafnode(site):
    """Its folders are compiled in: it runs with others mounted in their place, seen by it alone."""
    home = home_of(site, 'leafnode', etc__config=contrib('leafnode/config', (f'server = {HOST}', 'server = 127.0.0.1'), ('port = 119', f'port = {site.port("nntp")}'),
                                                         ('username = ana', 'username = bo'), ('password = secret', f'password = {PASSWORD}'), ('laptop.ana.team.example', 'laptop.baton-ana.net')))
    for name in ('failed.postings', 'interesting.groups', 'leaf.node', 'message.id', 'out.going', 'temp.files', *[f'message.id/{i:03}' for i in range(1000)]):
        os.makedirs(f'{home}/spool/{name}')
    open(f'{home}/spool/interesting.groups/eng.ops', 'w').close()
    news = pwd.getpwnam('news')
    os.chmod(site.folder, 0o755)
    for top, folders, files in os.walk(home):
        for name in ['.', *files]:
            os.chown(os.path.join(top, name), news.pw_uid, news.pw_gid)
    here = 'mkdir -p /etc/news/leafnode /var/spool/news && mount --bind "$1/etc" /etc/news/leafnode && mount --bind "$1/spool" /var/spool/news && shift && exec setpriv --reuid news --regid news --clear-groups "$@"'
    def leaf(*command, input=b''):
        return run(home, 'unshare', '-m', 'sh', '-c', here, 'sh', home, shutil.which(command[0]), *command[1:], input=input)
    code, said = leaf('fetchnews', '-vvv', '-n')
    brought = os.listdir(f'{home}/spool/eng/ops') if os.path.isdir(f'{home}/spool/eng/ops') else []
    with site.nntp() as news_reader:
        count = news_reader.group('eng.ops')[1]
    tap.same(sum(name.isdigit() for name in brought), count, 'leafnode: fetchnews brings the articles')
    post = 'GROUP eng.ops\r\nPOST\r\nFrom: Bo Lind <bo@team.example>\r\nNewsgroups: eng.ops\r\nSubject: Written offline\r\n\r\n..dot\r\n.\r\nQUIT\r\n'
    code, said = leaf('leafnode', input=post.encode())
    code, more = leaf('fetchnews', '-vvv', '-P')
    tap.ok('Written offline' in subjects(site, 'ana', 'Topics/eng/ops'), 'leafnode: what was written offline is posted', said + more)


# ---- mail ----

def fetchmail(site):
    home = home_of(site, 'fetchmail', _fetchmailrc=f'poll 127.0.0.1 proto imap port {site.port("imap")} auth password\n  user "bo" password "{PASSWORD}"\n  keep sslproto ""\n  mda "cat >> {site.folder}/fetched"\n')
    code, said = run(home, 'fetchmail', '-v', '--nodetach', '--pidfile', home + '/pid', '--nosyslog')
    got = os.path.exists(site.folder + '/fetched') and open(site.folder + '/fetched').read()
    tap.ok(code == 0 and got and 'A letter to Bo' in got, 'fetchmail: brings the mail', said)
    code, said = run(home, 'fetchmail', '--nodetach', '--pidfile', home + '/pid', '--nosyslog')
    tap.same(code, 1, 'fetchmail: what is seen is not fetched again')


def offlineimap(site):
    home = home_of(site, 'offlineimap', rc=f'[general]\naccounts = b\nmetadata = {site.folder}/offlineimap/meta\nmaxsyncaccounts = 1\n[Account b]\nlocalrepository = l\nremoterepository = r\n'
                   f'[Repository l]\ntype = Maildir\nlocalfolders = {site.folder}/offlineimap/Mail\n[Repository r]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {site.port("imap")}\n'
                   f'remoteuser = dee\nremotepass = {PASSWORD}\nssl = no\nstarttls = no\nfolderfilter = lambda f: f in ["INBOX", "Drafts", "Topics/eng/ops"]\n')
    sync = lambda: run(home, 'offlineimap', '-c', home + '/rc', '-o', '-u', 'basic')
    with site.imap('dee') as imap:
        imap.append('Drafts', None, None, message('Draft for OfflineIMAP'))
    code, said = sync()
    drafts = home + '/Mail/Drafts'
    files = [f'{drafts}/{d}/{f}' for d in ('cur', 'new') for f in os.listdir(f'{drafts}/{d}')] if os.path.isdir(drafts) else []
    if not tap.ok(code == 0 and len(files) == 1, 'OfflineIMAP: comes down', said):
        return
    os.rename(files[0], drafts + '/cur/' + os.path.basename(files[0]).split(':')[0] + ':2,FS')
    with open(drafts + '/new/1700000000.local.1', 'wb') as f:
        f.write(message('Up by OfflineIMAP').replace(b'\r\n', b'\n'))
    code, said = sync()
    with site.imap('dee') as imap:
        imap.select('Drafts', readonly=True)
        flags = imap.search(None, 'SEEN', 'FLAGGED', 'SUBJECT', '"Draft for"')[1][0]
    tap.ok(code == 0 and flags and 'Up by OfflineIMAP' in subjects(site, 'dee', 'Drafts'), 'OfflineIMAP: flags and a new draft go up', said)
    code, said = sync()
    tap.ok(code == 0 and len(subjects(site, 'dee', 'Drafts')) == 2, 'OfflineIMAP: nothing left to do', said)


def s_nail(site):
    home = home_of(site, 's-nail')
    def mail(*more, **input):
        settings = ('v15-compat=yes', 'from=bo@team.example', f'mta=submission://bo:{PASSWORD}@127.0.0.1:{site.port("submission")}', 'smtp-config=-all,plain', 'imap-auth=login', 'tls-verify=ignore')
        return run(home, 's-nail', '-:/', *['-S' + x for x in settings], *more, **input)
    code, said = mail('-Ssendwait', '-s', 'By s-nail', 'ana@team.example', input=b'hello\n')
    tap.ok(code == 0 and 'By s-nail' in subjects(site, 'ana', 'INBOX'), 's-nail: sends', said)
    code, said = mail('-R', '-H', '-f', f'imap://bo:{PASSWORD}@127.0.0.1:{site.port("imap")}/INBOX')
    tap.ok('A letter to Bo' in said, 's-nail: lists the INBOX', said)


def msmtp(site):
    home = home_of(site, 'msmtp', _msmtprc=f'account default\nhost 127.0.0.1\nport {site.port("submission")}\nauth on\nuser bo\npassword {PASSWORD}\nfrom bo@team.example\n'
                   f'tls on\ntls_trust_file {site.home}/tls/certificate.pem\ntls_host_override team.example\n')
    code, said = run(home, 'msmtp', '-v', '-C', home + '/.msmtprc', 'eng.ops@team.example', input=message('By msmtp', to='eng.ops@team.example').replace(b'\r\n', b'\n'))
    tap.ok(code == 0 and 'By msmtp' in subjects(site, 'ana', 'Topics/eng/ops'), 'msmtp: STARTTLS with the certificate checked, to a topic', said)
    code, said = run(home, 'msmtp', '-C', home + '/.msmtprc', 'nobody@team.example', input=message('x'))
    tap.ok(code and 'no such person or topic here' in said, "msmtp: shows Baton's reason", said)


def alpine(site):
    home = home_of(site, 'alpine', _pinerc=f'personal-name=Cem Aydin\nuser-id=cem\nuser-domain=team.example\ninbox-path={{127.0.0.1:{site.port("imap")}/notls/user=cem}}INBOX\n'
                   f'folder-collections=Baton {{127.0.0.1:{site.port("imap")}/notls/user=cem}}[]\n'
                   'feature-list=quell-user-lookup-in-passwd-file,no-enable-maildrop-preservation\nlast-time-prune-questioned=126.11\nlast-version-used=9.99\n')
    with Screen('alpine -i', env={'HOME': home}) as s:
        s.until('[Pp]assword|PASSWORD')
        s.keys(PASSWORD, 'Enter')
        if s.until('Preserve [Pp]assword|A letter to Cem') and 'reserve' in s.text():
            s.keys('n')
        tap.ok(s.until('Ana Marques.*A letter to Cem'), 'alpine: the INBOX lists', s.text())
        s.keys('Enter')
        tap.ok(s.until('Dear Cem'), 'alpine: a letter opens', s.text())
        s.keys('<'); s.until('INDEX')
        s.keys('<'); s.until('FOLDER LIST')
        tap.ok(s.until('Topics'), 'alpine: the folders list', s.text())
        s.keys('q'); s.until('[Rr]eally quit'); s.keys('y')
        s.until('EXIT')
    tap.ok(eventually(lambda: is_seen(site, 'cem', 'INBOX')), 'alpine: what it read is seen')


def mbsync(site):
    home = home_of(site, 'mbsync', rc=contrib('mbsync/mbsyncrc', (f'Host {HOST}', f'Host 127.0.0.1\nPort {site.port("imap")}'), ('User ana', 'User ana\nAuthMechs LOGIN'), ('PassCmd "pass show team.example"', f'Pass {PASSWORD}'),
                                              ('SSLType IMAPS', 'SSLType None'), ('CertificateFile ~/.config/baton/certificate.pem\n', ''), ('~/Mail', site.folder + '/mbsync/Mail')))
    os.makedirs(home + '/Mail')
    code, said = run(home, 'mbsync', '-c', home + '/rc', 'baton')
    ops = home + '/Mail/Topics/eng/ops'
    files = [f'{d}/{f}' for d in ('cur', 'new') for f in os.listdir(f'{ops}/{d}')] if os.path.isdir(ops) else []
    count = len(subjects(site, 'ana', 'Topics/eng/ops'))
    if not tap.ok(code == 0 and len(files) == count, 'mbsync: own folders and topics come down', said):
        return
    first = next(f for f in files if 'U=1' in f)
    os.rename(f'{ops}/{first}', f'{ops}/cur/{os.path.basename(first).split(":")[0]}:2,S')
    code, said = run(home, 'mbsync', '-c', home + '/rc', 'baton')
    tap.ok(code == 0 and is_seen(site, 'ana', 'Topics/eng/ops'), 'mbsync: what was read offline is read on the server', said)
    os.unlink(f'{ops}/cur/{os.path.basename(first).split(":")[0]}:2,S')
    code, said = run(home, 'mbsync', '-c', home + '/rc', 'baton')
    tap.ok(code == 0 and len(subjects(site, 'ana', 'Topics/eng/ops')) == count, 'mbsync: what is deleted in a copy of a topic stays on the server', said)
    site.baton('task', 'add', 'eng.ops', '--title', 'Moved in a Maildir', '--set', 'assign=ana')
    run(home, 'mbsync', '-c', home + '/rc', 'baton')
    board = home + '/Mail/Boards/eng/ops'
    card, = [f'{d}/{f}' for d in ('cur', 'new') for f in os.listdir(f'{board}/1 To do/{d}')]
    os.rename(f'{board}/1 To do/{card}', f'{board}/2 Doing/cur/{re.sub(",U=[0-9]+", "", os.path.basename(card)).split(":")[0]}:2,S')
    code, said = run(home, 'mbsync', '-c', home + '/rc', 'baton')
    tap.ok(code == 0 and len(subjects(site, 'bo', '"Boards/eng/ops/2 Doing"')) == 1, 'mbsync: a card that is moved in the copy moves the task', said)
    code, said = run(home, 'mbsync', '-c', home + '/rc', 'baton')
    mine = [f for d in ('cur', 'new') for f in os.listdir(f'{home}/Mail/Tasks/Mine/{d}')]
    tap.ok(code == 0 and len(mine) == 1, 'mbsync: and is in Tasks/Mine once', said + str(mine))


NEEDS = [('slrn', 'slrn', 'tmux'), ('neomutt', 'neomutt', 'tmux'), ('tin', 'tin', 'tmux'), ('neomutt_news', 'neomutt', 'tmux'), ('net_nntp', 'perl'), ('suck', 'suck', 'rpost'), ('gnus', 'emacs'), ('leafnode', 'fetchnews', 'unshare'),
         ('fetchmail', 'fetchmail'), ('offlineimap', 'offlineimap'), ('s_nail', 's-nail'), ('msmtp', 'msmtp'), ('alpine', 'alpine', 'tmux'), ('mbsync', 'mbsync')]

os.environ['PATH'] += ':/usr/sbin'
with Site() as site:
    def send(person, name, to, subject, body, **more):
        with site.smtp('submission', person) as s:
            s.sendmail(f'{person}@team.example', [f'{to}@team.example'], message(subject, sender=f'{name} <{person}@team.example>', to=f'{to}@team.example', body=body, **more))
    send('bo', 'Bo Lind', 'eng.ops', 'A question about disks', 'Who has read this?\r\n', Message_ID='<q@team.example>')
    send('ana', 'Ana Marques', 'eng.ops', 'Re: A question about disks', '> Who has read this?\r\nI have.\r\n', References='<q@team.example>')
    for name in ('bo', 'cem'):
        send('ana', 'Ana Marques', name, f'A letter to {name.capitalize()}', f'Dear {name.capitalize()}\r\n')
    for name, *programs in NEEDS:
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        missing = [p for p in programs if not shutil.which(p)]
        began = time.monotonic()
        if missing:
            tap.skip(name, f'{missing[0]} is not installed')
        elif name == 'leafnode' and os.geteuid():
            tap.skip(name, 'only root can put other folders where leafnode looks')
        else:
            globals()[name](site)
            tap.ok(time.monotonic() - began < 100, f'{name}: in {time.monotonic() - began:.1f} s')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
