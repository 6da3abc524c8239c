#!/usr/bin/env python3
"""The programs that people have: neomutt, slrn, mbsync, swaks, procmail. Each only where it is installed."""
import os, shutil, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from screen import Screen

tap = Tap()


def have(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        tap.skip(programs[0], f'{missing[0]} is not installed')
    return not missing


def write(site, name, text):
    path = os.path.join(site.folder, name)
    with open(path, 'w') as f:
        f.write(text)
    return path


def eventually(true, seconds=180):
    """News readers' \\Seen is stored when they pause."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.2)
    return true()


def swaks(site):
    def run(*extra):
        return subprocess.run(['swaks', '--timeout', '180', *extra], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    auth = ['--auth-user', 'bo', '--auth-password', PASSWORD, '--from', 'bo@team.example']
    submission = ['--server', f'127.0.0.1:{site.port("submission")}']
    for mechanism in ('PLAIN', 'LOGIN'):
        r = run(*submission, '--tls', '--auth', mechanism, *auth, '--to', 'eng.backend@team.example', '--header', f'Subject: By swaks {mechanism}')
        tap.same(r.returncode, 0, f'swaks: STARTTLS, AUTH {mechanism}, to a topic')
    r = run('--server', f'127.0.0.1:{site.port("submissions")}', '--tls-on-connect', '--auth', 'PLAIN', *auth, '--to', 'ana@team.example', '--header', 'Subject: By swaks, TLS')
    tap.same(r.returncode, 0, 'swaks: implicit TLS, to a person')
    r = run(*submission, '--auth', 'PLAIN', '--auth-user', 'bo', '--auth-password', 'wrong', '--from', 'bo@team.example', '--to', 'ana@team.example')
    tap.same(r.returncode, 28, 'swaks: a wrong password is refused')
    r = run('--server', f'127.0.0.1:{site.port("lmtp")}', '--protocol', 'LMTP', '--from', 'zoe@outside.example', '--to', 'ana@team.example,bo@team.example', '--header', 'Subject: By LMTP')
    tap.same(r.returncode, 0, 'swaks: LMTP to two persons')
    r = run('--server', f'127.0.0.1:{site.port("smtp")}', '--pipeline', '--from', 'zoe@outside.example', '--to', 'ana@team.example', '--header', 'Subject: Pipelined')
    tap.same(r.returncode, 0, 'swaks: PIPELINING')


def procmail(site):
    rc = write(site, 'procmailrc', f'LOGFILE={site.folder}/procmail.log\nVERBOSE=no\nSHELL=/bin/sh\n'
               f'DEFAULT={site.folder}/refused\nDELIVER="{BUILD}/baton --home {site.home} deliver"\n\n'
               ':0 w\n* ^Subject:.*\\[backend\\]\n| $DELIVER --from "bo@team.example" eng.backend@team.example\n\n'
               ':0 w\n| $DELIVER --from "bo@team.example" nobody@team.example\n')
    def run(subject):
        mail = message(subject, Message_ID=f'<{subject.split()[-1]}@procmail.example>').replace(b'\r\n', b'\n')
        return subprocess.run(['procmail', '-m', rc], input=mail, stderr=subprocess.PIPE, timeout=300)
    r = run('[backend] by procmail')
    with site.nntp() as news:
        tap.ok(r.returncode == 0 and news.stat('<procmail@procmail.example>')[0].startswith('223'), 'procmail pipes into baton deliver', r.stderr)
    r = run('to nobody')
    tap.ok(os.path.exists(site.folder + '/refused'), 'procmail: a refused message stays with procmail')
    r = site.baton('deliver', '--from', 'bo@team.example', 'nobody@team.example', input=message('x'), check=False)
    tap.same(r.returncode, 67, 'baton deliver: unknown recipient is EX_NOUSER')


def muttrc(site):
    return write(site, 'muttrc', f'set folder="imap://ana:{PASSWORD}@127.0.0.1:{site.port("imap")}/"\nset spool_file="+INBOX"\n'
               f'set imap_pass="{PASSWORD}"\nset smtp_pass="{PASSWORD}"\nset ssl_force_tls=no\nset ssl_starttls=no\nset imap_check_subscribed=no\nset imap_condstore=yes\nset imap_qresync=yes\nset sort=mailbox-order\n'
               f'set smtp_url="smtp://ana:{PASSWORD}@127.0.0.1:{site.port("submission")}/"\nset from="ana@team.example"\nset real_name="Ana"\n'
               'set record="+Sent"\nset trash="+Trash"\nset delete=yes\nset wait_key=no\nset editor="sh -c \'echo An answer by neomutt >> $0\'"\nset fast_reply=yes\n'
               f'set header_cache="{site.folder}/hcache"\nset message_cachedir="{site.folder}/mcache"\n')


def bounce(site):
    """A colleague's mail, and a post as the topic's folder shows it, are passed on as they are."""
    with site.smtp('submission', 'bo') as s:
        s.sendmail('bo@team.example', ['ana@team.example'], message('For Dee', to='ana@team.example', body='Ana, tell Dee.\r\n', Message_ID='<fordee@x.example>'))
        s.sendmail('bo@team.example', ['eng.backend@team.example'], message('For her, too', to='eng.backend@team.example', body='All of you.\r\n', Message_ID='<too@x.example>'))
    for folder, subject in (('INBOX', 'For Dee'), ('Topics/eng/backend', 'For her, too')):
        with Screen(f'neomutt -n -F {muttrc(site)} -f =\'{folder}\'') as s:
            s.until(subject)
            s.keys('/', *subject, 'Enter')
            s.keys('b')
            s.until('Bounce message to:')
            s.keys('dee@team.example', 'Enter')
            s.until('Bounce message to dee.*\\?')
            s.keys('Enter')
            tap.ok(s.until('Message bounced'), f'neomutt: a mail is bounced from {folder}', s.text())
    with site.imap('dee') as imap:
        imap.select('INBOX')
        for id, body in (('fordee', 'Ana, tell Dee.'), ('too', 'All of you.')):
            found = imap.search(None, 'HEADER', 'Message-ID', f'<{id}@x.example>', 'HEADER', 'Resent-From', 'ana@team.example', 'FROM', 'bo@team.example', 'BODY', f'"{body}"')[1][0].split()
            tap.same(len(found), 1, f'neomutt: what was bounced is there, {id}')


def neomutt(site):
    bounce(site)
    imap = site.imap('ana')
    for i in range(3):
        imap.append('INBOX', None, None, message(f'Letter {i}', body=f'This is letter {i}.\r\n'))
    with Screen(f'neomutt -n -F {muttrc(site)} -f =INBOX') as s:
        tap.ok(s.until('Letter 2'), 'neomutt: the INBOX lists', s.text())
        s.keys('1', 'Enter'); s.keys('Enter')
        tap.ok(s.until('Letter 0.*|This is letter 0'), 'neomutt: a letter opens', s.text())
        s.keys('i')
        s.until('Letter 2')
        s.keys('F', 'd')
        s.keys('$')
        tap.ok(s.until('[Dd]eleted|Expunging|[Mm]ailbox.*changed|unchanged'), 'neomutt: flags and a deletion are written', s.text())
        s.keys('c'); s.until('Open mailbox')
        s.keys('=Topics/eng/backend', 'Enter')
        tap.ok(s.until('By swaks PLAIN|Topics/eng/backend'), 'neomutt: a topic opens', s.text())
        s.keys('q')
    with site.imap('ana') as again:
        again.select('INBOX')
        subjects = again.fetch('1:*', '(FLAGS BODY[HEADER.FIELDS (SUBJECT)])')[1]
        tap.ok(any(isinstance(x, tuple) and b'\\Seen' in x[0] and b'Letter' in x[1] for x in subjects), 'neomutt: \\Seen is on the server', subjects)


def slrn(site):
    with site.smtp('submission', 'bo') as s:
        s.sendmail('bo@team.example', ['eng.ops@team.example'], message('A question for slrn', to='eng.ops@team.example', body='Who has read this?\r\n'))
    newsrc = write(site, 'newsrc', 'eng.ops:\n')
    rc = write(site, 'slrnrc', f'hostname "team.example"\nset username "cem"\nset realname "Cem Aydin"\n'
               f'nnrpaccess "127.0.0.1" "cem" "{PASSWORD}"\nset editor_command "/bin/sh -c \'echo An answer by slrn >> %s\'"\n'
               'set warn_followup_to 0\nset netiquette_warnings 0\nset use_metamail 0\nset confirm_actions 0\nset query_next_group 0\n'
               f'set save_replies ""\nset save_posts ""\nserver "127.0.0.1" "{newsrc}"\n')
    with Screen(f'slrn -i {rc} -f {newsrc} -h 127.0.0.1 -p {site.port("nntp")} -n', env={'HOME': site.folder}) as s:
        tap.ok(s.until('eng\\.ops'), 'slrn: the group lists', s.text())
        s.keys('Enter')
        tap.ok(s.until('A question for slrn'), 'slrn: the articles list', s.text())
        s.keys('Enter')
        tap.ok(s.until('Who has read this'), 'slrn: an article opens', s.text())
        s.keys('f')
        s.until('Post the message\\?')
        s.keys('y')
        tap.ok(s.until('Posting.*done'), 'slrn: a follow-up is posted', s.text())
        s.keys('q'); s.keys('q')
    with site.nntp('cem') as news:
        _, count, first, last, _ = news.group('eng.ops')
        _, over = news.over((last, last))
        tap.ok(over[0][1]['subject'] == 'Re: A question for slrn' and over[0][1]['references'], 'slrn: the follow-up is there, in its thread', str(over))
    with site.imap('cem') as imap:
        imap.select('Topics/eng/ops')
        seen = lambda: b'1' in imap.search(None, 'SEEN')[1][0].split()
        tap.ok(eventually(seen), 'slrn: what it read is seen over IMAP')


def mbsync(site):
    os.makedirs(os.path.join(site.folder, 'mail'), exist_ok=True)
    rc = write(site, 'mbsyncrc', f'IMAPAccount b\nHost 127.0.0.1\nPort {site.port("imap")}\nUser dee\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n'
               'IMAPStore far\nAccount b\n\nMaildirStore near\nSubFolders Verbatim\n'
               f'Path {site.folder}/mail/\nInbox {site.folder}/mail/INBOX\n\nChannel c\nFar :far:\nNear :near:\n'
               'Patterns INBOX Drafts "Topics/eng/backend"\nCreate Near\nSync All\nExpunge Both\n'
               f'SyncState {site.folder}/mail/state-\n')
    with site.imap('dee') as imap:
        for i in range(5):
            imap.append('Drafts', None, None, message(f'Draft {i}'))
        def sync():
            return subprocess.run(['mbsync', '-c', rc, 'c'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        r = sync()
        drafts = os.path.join(site.folder, 'mail', 'Drafts')
        files = [os.path.join(drafts, d, f) for d in ('cur', 'new') for f in os.listdir(os.path.join(drafts, d))] if os.path.isdir(drafts) else []
        tap.ok(r.returncode == 0 and len(files) == 5, 'mbsync: five drafts come down', r.stdout.decode())
        if len(files) != 5:
            return
        os.rename(files[0], os.path.join(drafts, 'cur', os.path.basename(files[0]).split(':')[0] + ':2,S'))
        os.rename(files[1], os.path.join(drafts, 'cur', os.path.basename(files[1]).split(':')[0] + ':2,ST'))
        with open(os.path.join(drafts, 'new', '1700000000.local.1'), 'wb') as f:
            f.write(message('Written offline').replace(b'\r\n', b'\n'))
        r = sync()
        imap.select('Drafts')
        count = len(imap.search(None, 'ALL')[1][0].split())
        seen = len(imap.search(None, 'SEEN')[1][0].split())
        tap.ok(r.returncode == 0, 'mbsync: changes go up', r.stdout.decode())
        tap.same((count, seen), (5, 1), 'mbsync: one seen, one expunged, one new')
        r = sync()
        tap.ok(r.returncode == 0, 'mbsync: nothing left to do', r.stdout.decode())


with Site() as site:
    for name, programs in (('swaks', ['swaks']), ('procmail', ['procmail']), ('neomutt', ['neomutt', 'tmux']), ('slrn', ['slrn', 'tmux']), ('mbsync', ['mbsync'])):
        if have(*programs):
            globals()[name](site)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
