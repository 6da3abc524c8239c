#!/usr/bin/env python3
"""One task on its way through four people and their programs: Ana mails it (swaks), Bo moves its card (mbsync, neomutt), Cem reads
and answers it (slrn), Dee on Lord Howe, where daylight saving is half an hour, finds it in her digest and answers from a phone."""
import datetime, email, email.policy, os, re, shutil, subprocess, sys, time, zoneinfo
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from screen import Screen

tap = Tap()
HOWE = zoneinfo.ZoneInfo('Australia/Lord_Howe')
SEVEN = 19 if datetime.datetime.now(HOWE).hour < 12 else 7  # whichever is hours away: the daemon's own clock runs, too


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            skip_all(f'{p} is not installed')


def mails(site, person, folder):
    with site.imap(person) as imap:
        if imap.select(folder, readonly=True)[0] != 'OK':
            return []
        ids = imap.search(None, 'ALL')[1][0].split()
        return [email.message_from_bytes(imap.fetch(i, '(BODY.PEEK[])')[1][0][1], policy=email.policy.default) for i in ids]


def plain(mail):
    return mail.get_body(('plain',)).get_content().replace('\r\n', '\n')


def flat(mail):
    return ' '.join(plain(mail).split())


def subjects(site, person, folder):
    return [str(m['Subject']) for m in mails(site, person, folder)]


def thread(site):
    return mails(site, 'ana', 'Topics/eng/backend')


def eventually(look, seconds=180):
    end = time.monotonic() + seconds
    while not look() and time.monotonic() < end:
        time.sleep(0.1)
    return look()


def ana(site):
    """Mails a task from the command line."""
    r = subprocess.run(['swaks', '--timeout', '180', '--server', f'127.0.0.1:{site.port("submission")}', '--tls', '--auth', 'PLAIN', '--auth-user', 'ana',
                        '--auth-password', PASSWORD, '--from', 'ana@team.example', '--to', 'eng.backend+task@team.example', '--h-From', 'Ana Marques <ana@team.example>',
                        '--header', 'Subject: Renew the certificate', '--body', 'Assign: dee\nLabels: tls\n\nIt ends soon.\n[ ] order\n[ ] install\n'],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    tap.same(r.returncode, 0, 'Ana: swaks sends it to eng.backend+task@')
    card, = mails(site, 'bo', '"Boards/eng/backend/1 To do"')
    tap.ok(str(card['Subject']) == 'T-1 Renew the certificate (dee)' and 'Checklist: 0 of 2 done' in plain(card), 'its card lies in To do, with Dee and a checklist', card)
    tap.ok(all(len(line) <= 76 for line in plain(card).splitlines()), 'no line of the card is long', plain(card))
    named = mails(site, 'dee', 'INBOX')
    tap.same([m['Baton-Reason'] for m in named], ['assigned'], 'Dee is named in her INBOX')
    tap.same(subjects(site, 'dee', 'Tasks/Mine'), ['T-1 Renew the certificate (dee)'], 'and has it in Tasks/Mine')


def bo(site):
    """Moves the card offline; later, in neomutt, on to Waiting."""
    top = os.path.join(site.folder, 'bo')
    os.makedirs(top)
    with open(top + '/rc', 'w') as f:
        f.write(f'IMAPAccount b\nHost 127.0.0.1\nPort {site.port("imap")}\nUser bo\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount b\n\n'
                f'MaildirStore near\nSubFolders Verbatim\nPath {top}/\nInbox {top}/INBOX\n\nChannel c\nFar :far:\nNear :near:\n'
                f'Patterns "Boards/eng/backend/*"\nCreate Near\nSync All\nExpunge Both\nSyncState {top}/state-\n')

    def sync():
        return subprocess.run(['mbsync', '-c', top + '/rc', 'c'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300).returncode

    def files(column):
        place = f'{top}/Boards/eng/backend/{column}/'
        return [place + d + f for d in ('cur/', 'new/') for f in os.listdir(place + d)]
    sync()
    old, = files('1 To do')
    os.rename(old, f'{top}/Boards/eng/backend/2 Doing/cur/{re.sub(",U=[0-9]+", "", os.path.basename(old)).split(":")[0]}:2,S')
    tap.same((sync(), sync()), (0, 0), 'Bo: mv from one Maildir to another, and mbsync')
    tap.same((len(files('1 To do')), len(files('2 Doing'))), (0, 1), 'it lies in one column of his copy')
    home = os.path.join(site.folder, 'mutt')
    os.makedirs(home)
    with open(home + '/rc', 'w') as f:
        f.write(f'set folder="imap://bo@127.0.0.1:{site.port("imap")}/"\nset imap_pass="{PASSWORD}"\nset ssl_starttls=no\nset ssl_force_tls=no\nset delete=yes\n'
                'set confirmappend=no\nset quit=yes\nset wait_key=no\nset index_format="%Z %s"\nbind editor <space> noop\n')
    with Screen(f'neomutt -n -F {home}/rc -f "=Boards/eng/backend/2 Doing"', env={'HOME': home}) as s:
        tap.ok(s.until('T-1 Renew the certificate'), 'neomutt shows it in Doing', s.text())
        s.keys('s')
        s.until('Save to mailbox')
        s.keys('C-u')
        s.keys('-l', '=Boards/eng/backend/3 Waiting')
        s.keys('Enter', '$')
        s.until('There are no messages|Mailbox is empty|\\[Msgs:0')
        s.keys('q')
        s.until('EXIT')
    tap.same([subjects(site, 'cem', f'"Boards/eng/backend/{c}"') for c in ('1 To do', '2 Doing', '3 Waiting', '4 Done')],
             [[], [], ['T-1 Renew the certificate (dee)'], []], 'and saves it to Waiting')
    sync()
    sync()
    tap.same((len(files('2 Doing')), len(files('3 Waiting'))), (0, 1), 'his offline copy follows')
    told = [m for m in thread(site) if str(m['Message-ID']).startswith('<journal.T-1.')]
    tap.same([flat(m).split('.')[0] for m in told], ['Bo Lind moved this from To do to Doing', 'Bo Lind moved this from Doing to Waiting'], 'the thread tells both, once')


def cem(site):
    """Reads the thread as news and answers it."""
    home = os.path.join(site.folder, 'slrn')
    os.makedirs(home)
    for name, text in (('newsrc', 'eng.backend:\n'), ('editor', '#!/bin/sh\nprintf "I have the new one ready.\\n\\n/due 2031-05-06\\n" >> "$1"\n'),
                       ('rc', f'hostname "team.example"\nset username "cem"\nset realname "Cem Aydin"\nnnrpaccess "127.0.0.1" "cem" "{PASSWORD}"\n'
                        f'set editor_command "{home}/editor %s"\nset warn_followup_to 0\nset netiquette_warnings 0\nset use_metamail 0\nset confirm_actions 0\n'
                        f'set query_next_group 0\nset save_replies ""\nset save_posts ""\nserver "127.0.0.1" "{home}/newsrc"\n')):
        with open(f'{home}/{name}', 'w') as f:
            f.write(text)
    os.chmod(home + '/editor', 0o755)
    with Screen(f'slrn -i {home}/rc -f {home}/newsrc -h 127.0.0.1 -p {site.port("nntp")} -n', env={'HOME': home}) as s:
        tap.ok(s.until('eng\\.backend'), 'Cem: slrn lists the group', s.text())
        s.keys('Enter')
        tap.ok(s.until('Renew the certificate'), 'the thread', s.text())
        s.keys('Enter')
        tap.ok(s.until('It ends soon'), 'and opens the task', s.text())
        s.keys('f')
        s.until('Post the message\\?')
        s.keys('y')
        tap.ok(eventually(lambda: any('I have the new one ready' in plain(m) for m in thread(site))), 'his follow-up is posted', s.text())
        s.keys('q', 'q')
    card, = mails(site, 'ana', '"Boards/eng/backend/3 Waiting"')
    tap.same(str(card['Subject']), 'T-1 Renew the certificate (dee, due Tue 6 May 2031)', 'the due date that he gave is on the card')
    tap.ok('Cem Aydin' in plain(card) and 'I have the new one ready.' in plain(card), 'and what he said', plain(card))


def phone(digest, lines):
    """What the Mail of a phone sends: HTML above what it quotes, both parts."""
    reply_to = str(digest['Reply-To'])
    said = '\r\n'.join(lines) + '\r\n\r\nSent from my iPhone\r\n\r\n> On 24 Nov 2026, at 7:30 am, Baton wrote:\r\n> \r\n' + ''.join('> ' + line + '\r\n' for line in plain(digest).splitlines())
    inner = digest.get_body(('html',)).get_content()
    inner = re.sub('(?s).*<body[^>]*>|</body>.*', '', inner)
    html = ('<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">' + ''.join(f'<div dir="ltr">{line}</div>' for line in lines)
            + '<div dir="ltr"><br></div><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 24 Nov 2026, at 7:30 am, Baton wrote:<br><br></blockquote></div>'
            f'<blockquote type="cite"><div dir="ltr">\ufeff{inner}</div></blockquote></body></html>')
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m['From'], m['To'], m['Subject'], m['In-Reply-To'] = 'Dee Howe <dee@team.example>', reply_to, f'Re: {digest["Subject"]}', str(digest['Message-ID'])
    m['Message-ID'], m['Mime-Version'], m['X-Mailer'] = '<E1@phone.example>', '1.0 (1.0)', 'iPhone Mail (21F90)'
    m['Date'] = email.utils.formatdate()
    m.set_content(said, cte='quoted-printable')
    m.add_alternative(html, subtype='html', cte='quoted-printable')
    return reply_to, m.as_bytes()


def half_past(day):
    """Half past seven of a day on Lord Howe: UTC+11 in its summer, UTC+10:30 else."""
    return datetime.datetime.combine(day, datetime.time(SEVEN, 30), HOWE).astimezone(datetime.timezone.utc)


def change_after(day):
    """The next day that begins with one offset and ends with the other."""
    while half_past(day).time() == half_past(day - datetime.timedelta(days=1)).time():
        day += datetime.timedelta(days=1)
    return day


def digest_at(site, day):
    """Dee's digest of a day: not a minute early."""
    before = len(mails(site, 'dee', 'Digests'))
    for at in (half_past(day) - datetime.timedelta(minutes=1), half_past(day)):
        early = mails(site, 'dee', 'Digests')[before:]
        site.baton('digest', 'run', '--at', at.strftime('%Y-%m-%dT%H:%M:%SZ'))
    tap.same(len(early), 0, f'nothing comes before half past seven on Lord Howe ({half_past(day):%Y-%m-%d %H:%M} UTC)')
    return mails(site, 'dee', 'Digests')[before:]


def dee(site):
    now = datetime.datetime.now(HOWE)
    first = now.date() + datetime.timedelta(days=half_past(now.date()) <= now)  # when the next one is due
    day = lambda n: first + datetime.timedelta(days=n - 1)
    with site.smtp('submission', 'bo') as c:
        c.sendmail('bo@team.example', ['doc@team.example'], message('Which font?', 'Bo Lind <bo@team.example>', 'doc@team.example', 'One with serifs?\r\n', Message_ID='<font@bo>'))
    digest, = digest_at(site, day(1))
    text = plain(digest)
    tap.same((text.count('Renew the certificate'), text.count('Which font?')), (1, 1), 'Dee: her digest tells of the task once, and of the other thread')
    if not tap.ok(re.search(r'\[\d+\].*T-1 ', text) and all(len(line) <= 72 for line in text.splitlines()), 'in short lines, with numbers', text):
        return
    task, font = int(re.search(r'\[(\d+)\].*T-1 Renew', text)[1]), int(re.search(r'\[(\d+)\].*Which font', text)[1])
    reply_to, mail = phone(digest, [f'[{task}] Tomorrow, then.', f'[{font}] Serifs, please.'])
    with site.smtp('submission', 'dee') as c:
        for _ in range(2):  # the tunnel ate the first answer
            c.sendmail('dee@team.example', [reply_to], mail)
    backend, doc = [[m for m in mails(site, 'ana', t) if 'dee@' in str(m['From'])] for t in ('Topics/eng/backend', 'Topics/doc')]
    tap.same([[plain(m).strip() for m in x] for x in (backend, doc)], [['Tomorrow, then.'], ['Serifs, please.']], 'two lines of it answered from a phone: each is one message in its topic')
    if backend and doc:
        root = next(str(m['Message-ID']) for m in thread(site) if m['Subject'] == 'Renew the certificate')
        tap.ok(root in str(backend[0]['References']), 'the one in the thread of the task', backend[0])
        tap.same(str(doc[0]['In-Reply-To']), '<font@bo>', 'the other in its thread')
        tap.ok('r+' not in backend[0].as_string() + doc[0].as_string(), 'with nothing of the address that let it in')
    tap.same([s for s in subjects(site, 'dee', 'INBOX') if 'Not' in s], [], 'nothing is left over')
    # read, and done: nothing of it again
    with site.imap('dee') as imap:
        for folder in ('Topics/eng/backend', 'Topics/doc', 'INBOX'):
            imap.select(folder)
            imap.store('1:*', '+FLAGS', '(\\Seen)')
        imap.select('"Boards/eng/backend/3 Waiting"')
        imap.uid('MOVE', '1:*', '"Boards/eng/backend/4 Done"')
    tap.same(subjects(site, 'dee', 'Tasks/Mine'), [], 'she moves it to Done: it leaves Tasks/Mine')
    again = digest_at(site, day(2))
    tap.same([plain(m) for m in again], [], 'once read, nothing is told again: no digest')
    change = change_after(day(4))
    site.baton('digest', 'run', '--at', half_past(change - datetime.timedelta(days=1)).strftime('%Y-%m-%dT%H:%M:%SZ'))
    with site.smtp('submission', 'ana') as c:
        c.sendmail('ana@team.example', ['eng.backend@team.example'], message('Thanks', 'Ana Marques <ana@team.example>', 'eng.backend@team.example', 'To all.\r\n'))
    last = digest_at(site, change)
    tap.ok(len(last) == 1 and 'Thanks' in plain(last[0]) + str(last[0]['Subject']) and 'certificate' not in plain(last[0]) and 'font' not in plain(last[0]), 'the one of the day when the clock has changed by half an hour has only what is new',
           [plain(m) for m in last])


need('swaks', 'mbsync', 'neomutt', 'slrn', 'tmux')
with Site(conf='\n[login]\nlogin-failures = 1000\n') as site:
    site.baton('user', 'set', 'dee', '--days', 'mon-sun', '--digest-at', f'{SEVEN:02}:30')
    for part in (ana, bo, cem, dee):
        part(site)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
