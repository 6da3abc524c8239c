#!/usr/bin/env python3
"""Answers to a digest: each part becomes a message of its own in the right thread, once; what fits nowhere is told about and
kept in Drafts; a token is not given away and opens nothing to anybody else."""
import datetime, email, email.policy, os, re, smtplib, sys, zoneinfo
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()


def mails(site, person, folder):
    with site.imap(person) as imap:
        if imap.select(folder, readonly=True)[0] != 'OK':
            return []
        ids = imap.search(None, 'ALL')[1][0].split()
        return [email.message_from_bytes(imap.fetch(i, '(BODY.PEEK[])')[1][0][1], policy=email.policy.default) for i in ids]


def plain(mail):
    return mail.get_body(('plain',)).get_content().replace('\r\n', '\n')


def say(site, who, subject, topic='eng.backend', body='Something to say.\r\n', **fields):
    with site.smtp('submission', who) as s:
        s.sendmail(f'{who}@team.example', [f'{topic}@team.example'], message(subject, f'{who}@team.example', f'{topic}@team.example', body, **fields))


def send(site, sender, to, mail, who=None):
    """None, or the code that refused it."""
    try:
        with site.smtp('submission' if who else 'smtp', who) as s:
            s.sendmail(sender, [to], mail)
    except smtplib.SMTPRecipientsRefused as e:
        return list(e.recipients.values())[0][0]
    except smtplib.SMTPResponseException as e:
        return e.smtp_code


BEGAN = datetime.datetime.now(datetime.timezone.utc)


def after(days):
    """The same time of a day to come, whenever that is: wherever one lives, each is of another date."""
    return (BEGAN + datetime.timedelta(days=days)).strftime('%Y-%m-%dT%H:%M:%SZ')


def quoted(digest):
    return ''.join('> ' + line + '\r\n' for line in plain(digest).splitlines())


with Site() as site:
    site.baton('user', 'set', 'cem', '--address', 'cem@home.example')
    say(site, 'bo', 'Disk alarm', Message_ID='<d1@t>', body='The disk is full.\r\n')
    say(site, 'ana', 'Re: Disk alarm', Message_ID='<d2@t>', References='<d1@t>', In_Reply_To='<d1@t>', body='The log was full.\r\n')
    say(site, 'bo', 'Menu', topic='doc', Message_ID='<m1@t>', body='What shall we eat?\r\n')
    site.baton('digest', 'run', '--user', 'cem', '--at', after(0))
    digest, = mails(site, 'cem', 'Digests')
    text, reply_to = plain(digest), digest['Reply-To']
    number = {name: int(re.search(r'\[(\d+)\] \S+ - ' + name, text)[1]) for name in ('Disk alarm', 'Menu')}
    disk, menu = number['Disk alarm'], number['Menu']
    tap.ok(re.fullmatch(r'r\+[a-z2-7]{20,60}@team\.example', reply_to), 'the digest has an address of its own', reply_to)
    html = digest.get_body(('html',)).get_content()
    tokens = re.findall(r'mailto:(r\+[a-z2-7]+@team\.example)', html)
    tap.ok(len(set(tokens)) == 2 and reply_to not in tokens, 'and so has each entry', html)

    # two answers in one mail, logged in
    mail = message('Re: ' + digest['Subject'], 'Cem Aydin <cem@team.example>', reply_to,
                   f'Hi,\r\n\r\n[{menu}] Soup.\r\n[{disk}] Write to {reply_to.upper()} if not.\r\nTwice.\r\n\r\nOn Tue, Nov 24, 2026 at 7:30 AM Baton <{reply_to}> wrote:\r\n\r\n{quoted(digest)}',
                   In_Reply_To=digest['Message-ID'], Message_ID='<r1@cem>')
    tap.same(send(site, 'cem@team.example', reply_to, mail, 'cem'), None, 'a reply with two answers is taken')
    backend, doc = mails(site, 'ana', 'Topics/eng/backend'), mails(site, 'ana', 'Topics/doc')
    tap.same((len(backend), len(doc)), (3, 2), 'each answer is a message in its topic')
    a, b = backend[-1], doc[-1]
    tap.same((a['From'], a['Subject'], a['In-Reply-To'], a['References'], a['To']),
             ('Cem Aydin <cem@team.example>', 'Re: Disk alarm', '<d2@t>', '<d1@t> <d2@t>', 'eng.backend@team.example'), 'in its thread, from its author')
    tap.same((b['Subject'], b['In-Reply-To'], plain(b).strip()), ('Re: Menu', '<m1@t>', 'Soup.'), 'with its own words and no others')
    tap.same(plain(a).strip(), 'Write to digest@TEAM.EXAMPLE if not.\nTwice.', 'an address with a token is struck out')
    tap.same((len(mails(site, 'cem', 'INBOX')), len(mails(site, 'cem', 'Drafts'))), (0, 0), 'where all is posted, nobody is told')
    tap.same(send(site, 'cem@team.example', reply_to, mail, 'cem'), None, 'the same reply again is taken')
    tap.same((len(mails(site, 'ana', 'Topics/eng/backend')), len(mails(site, 'ana', 'Topics/doc'))), (3, 2), 'and posts nothing twice')

    # digest@ and In-Reply-To
    mail = message('Re: digest', 'cem@team.example', 'digest@team.example', f'[{menu}] Or fish.\r\n', In_Reply_To=digest['Message-ID'])
    send(site, 'cem@team.example', 'digest@team.example', mail, 'cem')
    tap.same(plain(mails(site, 'ana', 'Topics/doc')[-1]).strip(), 'Or fish.', 'digest@ knows the digest by In-Reply-To')
    mail = message('Re: Menu', 'cem@team.example', 'digest@team.example', 'Or rice.\r\n', In_Reply_To='<m1@t>', References=digest['Message-ID'] + ' <m1@t>')
    send(site, 'cem@team.example', 'digest@team.example', mail, 'cem')
    tap.same(plain(mails(site, 'ana', 'Topics/doc')[-1]).strip(), 'Or rice.', 'a real message that is answered says where')

    # nothing is guessed
    mail = message('Re: digest', 'cem@team.example', reply_to, f'I am away today.\r\n\r\n[{menu}] No soup.\r\n[9] What?\r\n\r\n{quoted(digest)}', Message_ID='<r2@cem>')
    for _ in range(2):
        tap.same(send(site, 'cem@team.example', reply_to, mail, 'cem'), None, 'a reply that fits in part is taken')
    tap.same((len(mails(site, 'ana', 'Topics/eng/backend')), plain(mails(site, 'ana', 'Topics/doc')[-1]).strip()), (3, 'No soup.'), 'what fits is posted')
    notices, drafts = mails(site, 'cem', 'INBOX'), mails(site, 'cem', 'Drafts')
    tap.same((len(notices), len(drafts)), (1, 1), 'the author is told, once')
    if notices and drafts:
        n = plain(notices[0])
        tap.ok('I am away today.' in n and '[9] What?' in n and 'Menu' in n and max(map(len, n.splitlines())) <= 72
               and notices[0]['Auto-Submitted'] == 'auto-generated' and notices[0]['In-Reply-To'] == '<r2@cem>', 'what was posted, what was not', n)
        d = drafts[0]
        tap.ok('I am away today.' in plain(d) and '[9] What?' in plain(d) and 'soup' not in plain(d), 'the text is kept in Drafts', plain(d))
        d = drafts[0].as_bytes().replace(b'I am away today.', b'[%d] I am away today.' % disk).replace(b'[9] What?', b'').replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')
        tap.same(send(site, 'cem@team.example', d and str(drafts[0]['To']), d, 'cem'), None, 'the draft can be sent')
        tap.same(plain(mails(site, 'ana', 'Topics/eng/backend')[-1]).strip(), 'I am away today.', 'and goes where it says')

    # an entry's own address, from outside
    token = next(t for t in tokens if t in html.split('Menu')[1]) if 'Menu' in html else tokens[0]
    mail = message('Re: Menu', 'cem@home.example', token, 'From home.\r\n')
    tap.same(send(site, 'cem@home.example', token, mail), None, "an entry's address takes its person's mail from outside")
    outside = [m for t in ('Topics/doc', 'Topics/eng/backend') for m in mails(site, 'ana', t) if plain(m).strip() == 'From home.']
    tap.ok(len(outside) == 1 and outside[0]['From'] == 'cem@home.example', 'and posts it', outside)
    mail = message('Re: digest', 'cem@home.example', reply_to, f'[{menu}] And beer.\r\n')
    tap.same(send(site, 'cem@home.example', reply_to, mail), None, "the digest's address does, too")
    tap.same(plain(mails(site, 'ana', 'Topics/doc')[-1]).strip(), 'And beer.', 'and posts what fits')
    mail = message('Re: digest', 'cem@home.example', reply_to, f'[{menu}] mute\r\n')
    send(site, 'cem@home.example', reply_to, mail)
    tap.ok('log in' in ' '.join(plain(mails(site, 'cem', 'INBOX')[-1]).split()), 'from outside it commands nothing')
    send(site, 'cem@team.example', reply_to, message('Re: digest', 'cem@team.example', reply_to, f'[{menu}] Mute\r\nToo much soup.\r\n[{disk}] done, I hope\r\n'), 'cem')
    tap.same([plain(mails(site, 'ana', t)[-1]).strip() for t in ('Topics/doc', 'Topics/eng/backend')], ['/Mute\nToo much soup.', 'done, I hope'],
             'a word that does something stands for its verb, where it can be one')
    before = len(mails(site, 'ana', 'Topics/doc')), len(mails(site, 'ana', 'Topics/eng/backend'))
    for sender, who, name in (('x@evil.example', None, 'a stranger'), ('', None, 'the null sender')):
        tap.same(send(site, sender, token, message('x', sender or 'x@evil.example', token), who), 550, f'not {name}')
    tap.same(send(site, 'x@evil.example', token, message('x', 'cem@home.example', token)), 550, "not a stranger's From of hers")
    tap.same(send(site, 'cem@home.example', token, message('x', 'x@evil.example', token)), 550, 'not her path with another From')
    tap.same(send(site, 'bo@team.example', 'digest@team.example', message('x', 'bo@team.example', 'digest@team.example')), 550, 'no address of the site without login')
    tap.same(send(site, 'cem@home.example', token[:6] + ('b' if token[6] != 'b' else 'c') + token[7:], message('x', 'cem@home.example', token)), 550, 'not a changed token')
    tap.same((len(mails(site, 'ana', 'Topics/doc')), len(mails(site, 'ana', 'Topics/eng/backend'))), before, 'and nothing of it is posted')
    mail = message('Out of office', 'cem@team.example', reply_to, f'[{menu}] I am away.\r\n', Auto_Submitted='auto-replied')
    send(site, 'cem@team.example', reply_to, mail, 'cem')
    tap.same((len(mails(site, 'ana', 'Topics/doc')), mails(site, 'cem', 'INBOX')[-1]['Subject']), (before[0], 'Out of office'), "a machine's answer is filed, and not acted on")

    # tasks
    def digest_of(person, day):
        site.baton('user', 'set', person, '--days', 'mon-sun')
        site.baton('digest', 'run', '--user', person, '--at', after(day))
        return mails(site, person, 'Digests')[-1]

    due = (BEGAN + datetime.timedelta(days=1)).astimezone(zoneinfo.ZoneInfo('Asia/Kolkata')).date()  # Cem's day of the digest
    for title in ('Oil the hinges', 'Paint the gate'):
        send(site, 'bo@team.example', 'eng.ops+task@team.example', message(title, 'bo@team.example', 'eng.ops+task@team.example', f'Assign: cem\r\nDue: {due}\r\n\r\nThey squeak.\r\n'), 'bo')
    today = digest_of('cem', 1)
    text = plain(today)
    tap.ok('YOUR TASKS' in text and text.count('Oil the hinges') == 1 and 'due today' in text and '"They squeak."' in text, "what somebody has to do stands in the digest, once", text)
    oil, paint = (int(re.search(r'\[(\d+)\] (T-\d+) ' + name, text)[1]) for name in ('Oil the hinges', 'Paint the gate'))
    task = re.search(r'(T-\d+) Oil the hinges', text)[1]
    gate = re.search(r'(T-\d+) Paint the gate', text)[1]
    mail = message('Re: digest', 'cem@team.example', today['Reply-To'], f'[{oil}] done\r\n[{paint}] Which colour?\r\n\r\n{quoted(today)}', In_Reply_To=today['Message-ID'])
    for _ in range(2):
        tap.same(send(site, 'cem@team.example', today['Reply-To'], mail, 'cem'), None, 'a task is answered')
    ops = mails(site, 'ana', 'Topics/eng/ops')
    tap.same([m['Subject'].startswith(f'[{task}] done') for m in ops].count(True), 1, '"done" closes it, once')
    tap.ok(any(m['Subject'] == f'{task} Oil the hinges' or 'Oil' in m['Subject'] for m in mails(site, 'ana', '"Boards/eng/ops/4 Done"')), 'its card lies in Done')
    tap.same([plain(m).strip() for m in ops].count('Which colour?'), 1, 'what are no words of command is said')
    links = dict(re.findall(r'mailto:(r\+[a-z2-7]+@team\.example)\?subject=Re%3A%20T-\d+%20(Paint|Oil)[^"]*body=done', today.get_body(('html',)).get_content()))
    link = next(a for a, name in links.items() if name == 'Paint')
    tap.same(send(site, 'cem@home.example', link, message('Re: x', 'cem@home.example', link, 'done\r\n')), None, "the link of an entry is taken from outside")
    tap.ok(any(m['Subject'].startswith(f'[{gate}] done') for m in mails(site, 'ana', 'Topics/eng/ops')), 'and does what it says', [m['Subject'] for m in mails(site, 'ana', 'Topics/eng/ops')])
    before = len(mails(site, 'ana', 'Topics/doc')), 0

    # mail to one person
    with site.smtp('submission', 'ana') as s:
        s.sendmail('ana@team.example', ['cem@team.example'], message('Lunch?', 'ana@team.example', 'cem@team.example', 'At noon?\r\n', Message_ID='<l1@t>'))
    today = digest_of('cem', 2)
    n = re.search(r'\[(\d+)\] Lunch\? +Ana wrote to you', plain(today))
    tap.ok(n, 'mail to one person waits', plain(today))
    mail = message('Re: x', 'cem@team.example', today['Reply-To'], f'[{n[1]}] At one.\r\n', Message_ID='<r9@cem>')
    for _ in range(2):
        send(site, 'cem@team.example', today['Reply-To'], mail, 'cem')
    tap.same([(m['In-Reply-To'], plain(m).strip()) for m in mails(site, 'ana', 'INBOX') if m['Subject'] == 'Re: Lunch?'], [('<l1@t>', 'At one.')], 'and its answer goes to its author, once')

    # a Reply-To that asks something of the server is no person, and what it would ask is not asked
    person, day = re.match(r'<digest\.(\d+)\.(\d+)@', today['Message-ID']).groups()
    wanted = {'Round': 'digest@team.example', 'Leave': 'doc+unsubscribe@team.example', 'Open': 'doc+task@team.example'}
    for name, to in wanted.items():
        send(site, 'eve@o.example', 'cem@team.example', message(name, 'eve@o.example', 'cem@team.example', 'Shall we meet?\r\n', Message_ID=f'<{name}@o>',
                                                                Reply_To=to, **({'References': f'<digest.{person}.{int(day) + 1}@team.example>'} if name == 'Round' else {})))
    tomorrow = digest_of('cem', 3)
    tap.same(tomorrow['Message-ID'], f'<digest.{person}.{int(day) + 1}@team.example>', 'the id of a digest is no secret')
    for name in wanted:
        n = re.search(r'\[(\d+)\] ' + name, plain(tomorrow))
        tap.ok(n, f'{name}: it waits', plain(tomorrow))
        told = len(mails(site, 'cem', 'INBOX'))
        mail = message('Re: x', 'cem@team.example', tomorrow['Reply-To'], f'[{n[1]}] At {name}.\r\n', Message_ID=f'<to.{name}@cem>')
        tap.same(send(site, 'cem@team.example', tomorrow['Reply-To'], mail, 'cem'), None, f'{name}: the answer is taken')
        new = mails(site, 'cem', 'INBOX')[told:]
        tap.ok(len(new) == 1 and 'Not posted to' in plain(new[0]) and f'At {name}.' in plain(mails(site, 'cem', 'Drafts')[-1]), f'{name}: it goes nowhere, and its author is told', [plain(m) for m in new])

    # rights
    site.baton('topic', 'set', 'doc', '--access', 'members')
    site.baton('unsubscribe', 'cem', 'doc')
    mail = message('Re: digest', 'cem@team.example', reply_to, f'[{menu}] Still here?\r\n', Message_ID='<r3@cem>')
    send(site, 'cem@team.example', reply_to, mail, 'cem')
    tap.same(len(mails(site, 'ana', 'Topics/doc')), before[0], 'who may not post does not')
    tap.ok('only members' in plain(mails(site, 'cem', 'INBOX')[-1]) and f'[{menu}] Still here?' in plain(mails(site, 'cem', 'Drafts')[-1]), 'and is told why')

    # an attachment goes with the only answer
    mail = (f'From: cem@team.example\r\nTo: {reply_to}\r\nSubject: Re: digest\r\nMessage-ID: <r4@cem>\r\nMIME-Version: 1.0\r\n'
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
            f'[{disk}] The plan is attached.\r\n--b\r\nContent-Type: application/pdf; name="plan.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
            'Content-Disposition: attachment; filename="plan.pdf"\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n').encode()
    send(site, 'cem@team.example', reply_to, mail, 'cem')
    got = mails(site, 'ana', 'Topics/eng/backend')[-1]
    tap.ok(plain(got).strip() == 'The plan is attached.' and [p.get_filename() for p in got.iter_attachments()] == ['plan.pdf']
           and next(got.iter_attachments()).get_content() == b'%PDF-1.4\n', 'an attachment goes with the only answer', got)
    r = site.baton('deliver', '--from', 'cem@team.example', reply_to, input=message('Re: digest', 'cem@team.example', reply_to, f'[{disk}] By pipe.\r\n'), check=False)
    tap.ok(r.returncode == 0 and plain(mails(site, 'ana', 'Topics/eng/backend')[-1]).strip() == 'By pipe.', 'baton deliver takes answers', r.stderr)
    tap.same(site.stop(), 0, 'a clean end')
    site.baton('deliver', '--from', 'cem@team.example', reply_to, input=message('Re: digest', 'cem@team.example', reply_to, f'[{disk}] Without a daemon.\r\n'))
    site.start()
    tap.same(plain(mails(site, 'ana', 'Topics/eng/backend')[-1]).strip(), 'Without a daemon.', 'without a daemon, too')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
