#!/usr/bin/env python3
"""A topic as a mailing list: strangers subscribe by mail and confirm, each post is mailed out once to each, what
comes back is counted, and nobody can make it write to somebody else."""
import email, json, os, re, signal, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import Site, Tap, message
from hop import Hop
from outward import drained, waits

t = Tap()
D = '@team.example'
hop = Hop()


def relay_to(port, limit=3):
    return (f'\n[relay]\nrelay = 127.0.0.1:{port}\nretry-first = 1s\nretry-most = 1s\nreply-wait = 300s\n'
            f'\n[lists]\nbounce-limit = {limit}\n')


def send(site, to, sender, person=None, reverse=None, service=None, data=None, **fields):
    """What the server says at the end: 250 or the refusal."""
    to = [to] if isinstance(to, str) else to
    data = data or message(fields.pop('subject', 'x'), sender=sender, to=', '.join(to), **fields)
    with site.smtp(service or ('submission' if person else 'smtp'), person) as c:
        c.ehlo()
        code, text = c.mail(sender if reverse is None else reverse)
        for x in to if code == 250 else []:
            code, text = c.rcpt(x)
            if code != 250:
                break
        if code == 250:
            code, text = c.data(data)
    return code if code == 250 else f'{code} {text.decode()}'


def got(address, n, seconds=180):
    """The mails that came to an address, when there are n (or when time is up)."""
    until = time.time() + seconds
    while len(hop.got(address)) < n and time.time() < until:
        time.sleep(0.05)
    return hop.got(address)


def folder(site, person, name):
    c = site.imap(person)
    c.select(name)
    out = [c.fetch(n, '(BODY.PEEK[])')[1][0][1].decode() for n in c.search(None, 'ALL')[1][0].split()]
    c.logout()
    return out


def people(site, topic):
    return json.loads(site.baton('topic', 'show', topic, '--json'))['people']


def token_of(mail):
    return re.search(r'[\w.]+\+confirm-[a-z2-7]+@team\.example', mail[2].decode())[0]


def report(to, status='5.1.1', action='failed', more=''):
    return (f'From: MAILER-DAEMON@far.example\r\nTo: {to}\r\nSubject: Undelivered\r\nMessage-ID: <{time.time_ns()}@far>\r\n'
            f'Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n'
            f'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n'
            f'--b\r\n\r\nIt did not arrive.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n'
            f'Reporting-MTA: dns; far.example\r\n\r\nFinal-Recipient: rfc822; who@far.example\r\n'
            f'Action: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n').encode()


with Site(conf=relay_to(hop.port)) as site:
    site.baton('topic', 'add', 'pub', '--access', 'open', '--owner', 'bo', '--about', 'Open to all')
    zoe = 'zoe@else.example'

    # ---- double opt-in
    t.same(send(site, 'pub+subscribe' + D, zoe), 250, 'a stranger asks')
    asked = got(zoe, 1)
    t.same(len(asked), 1, 'and is asked back')
    m = email.message_from_bytes(asked[0][2])
    t.ok(asked[0][0] == '' and m['Auto-Submitted'] == 'auto-replied', 'by mail that nothing answers', m.as_string())
    t.ok('Reply-To' in m and token_of(asked[0]) in m['Reply-To'], 'an answer to it is enough', m.as_string())
    t.ok(len(token_of(asked[0]).split('@')[0]) <= 64, 'the address is one')
    t.same(people(site, 'pub'), {}, 'nothing has happened yet')
    t.ok('written to today' in str(send(site, 'pub+subscribe' + D, zoe)), 'not twice a day')
    t.ok('written to today' in str(send(site, 'pub-each' + D, 'ZOE@else.example')), 'nor under another spelling')
    token = token_of(asked[0])
    t.ok('never given out' in str(send(site, token, 'eve@else.example')), 'nobody else can answer for her')
    t.ok('never given out' in str(send(site, token.replace('pub+confirm-', 'pub+confirm-a'), zoe)), 'nor with another word')
    t.same(send(site, token, zoe, Auto_Submitted='auto-replied'), 250, 'an auto-reply is taken')
    t.same(send(site, token, zoe, reverse=''), 250, 'and mail from nobody')
    t.same(people(site, 'pub'), {}, 'but is no answer')
    t.same(len(folder(site, 'bo', 'Junk')), 2, 'both lie in the owner\'s Junk')
    t.same(send(site, token.upper().replace('PUB+CONFIRM', 'pub+confirm').replace('TEAM.EXAMPLE', 'team.example'), zoe), 250,
           'her answer counts, in capitals, too')
    t.same(people(site, 'pub'), {zoe: 'each'}, 'she follows it')
    done = got(zoe, 2)
    t.ok(len(done) == 2 and b'pub+unsubscribe' + D.encode() in done[1][2], 'she is told, and how to undo it', done)
    t.ok('never given out' in str(send(site, token, zoe)), 'the answer counts once')
    t.ok('each message or none' in str(send(site, 'pub+digest' + D, zoe)), 'no digest for who is outside')

    # ---- what is closed stays closed
    for word in 'subscribe', 'help', 'owner', 'each':
        t.ok('550 5.1.1' in str(send(site, f'eng.backend+{word}{D}', zoe)), f'{word}: a topic of the site is hidden')
    t.ok('log in' in str(send(site, 'pub+subscribe' + D, 'bo' + D)), 'an address of the site needs a login')
    t.ok('only members' in str(send(site, 'eng.backend+subscribe' + D, 'eve@else.example', reverse='bo@home.example'))
         or '550' in str(send(site, 'eng.backend+subscribe' + D, 'eve@else.example', reverse='bo@home.example')),
         'nor by another reverse path')

    # ---- help
    n = len(hop.got('q@else.example'))
    t.same(send(site, 'help' + D, 'q@else.example'), 250, 'help@ answers')
    text = got('q@else.example', n + 1)
    t.ok(text and b'TOPIC+subscribe@team.example' in text[-1][2], 'how it works', text)
    t.ok('written to today' in str(send(site, 'help' + D, 'q@else.example')), 'once a day')
    t.same(send(site, 'pub+owner' + D, 'q@else.example', subject='To whom it concerns'), 250, 'the owner can be written to')
    t.ok(any('To whom it concerns' in x for x in folder(site, 'bo', 'INBOX')), 'and gets it')

    # ---- each
    site.baton('subscribe', 'far@away.example', 'pub')
    site.baton('subscribe', 'mute@away.example', 'pub', 'none')
    said = site.baton('subscribe', 'dee', 'pub', 'each')
    t.ok('nothing is mailed' in said and 'user set dee --address' in said, 'who has no address outside gets nothing by mail, and the command line says so', said)
    site.baton('unsubscribe', 'dee', 'pub')
    site.baton('user', 'set', 'cem', '--address', 'cem@home.example')
    for person in 'cem', 'dee':
        t.same(send(site, 'pub+each' + D, person + D, person=person), 250, f'{person} wants each')
    told = [x for x in folder(site, 'dee', 'INBOX') if 'No address outside' in x]
    t.same(len(told), 1, 'who has no address outside is told so')
    body = 'One\r\n.two\r\nwith \u00fcml\u00e4uts\r\n'
    data = message('Hello all', sender='Ana <ana@team.example>', to='pub@team.example', body=body)
    t.same(send(site, 'pub' + D, 'ana' + D, person='ana', data=data), 250, 'a post')
    for who, n in (zoe, 3), ('far@away.example', 1), ('cem@home.example', 1):
        t.same(len(got(who, n)), n, f'{who} gets it')
    t.ok(drained(site), 'the queue is empty then')
    copy = hop.got('far@away.example')[0]
    t.ok(copy[2].endswith(data), 'octet for octet behind our fields', copy[2])
    h = email.message_from_bytes(copy[2])
    t.same((h['List-Id'], h['List-Post'], h['List-Unsubscribe'], h['List-Help'], h['List-Owner'], h['List-Subscribe']),
           ('<pub.team.example>', '<mailto:pub@team.example>', '<mailto:pub+unsubscribe@team.example>',
            '<mailto:pub+help@team.example>', '<mailto:pub+owner@team.example>', '<mailto:pub+subscribe@team.example>'),
           'with the list fields')
    t.ok(h['List-Archive'] and h['Archived-At'] and h['Baton-Reason'] == 'subscribed', 'and the others', copy[2])
    paths = [m[0] for m in hop.messages if m[2].endswith(data)]
    t.ok(len(set(paths)) == 3 and all(re.fullmatch(r'pub\+bounce-[a-z2-7]{20,40}@team.example', p) for p in paths),
         'each under a reverse path of its own', paths)
    t.same(len(hop.got('mute@away.example')), 0, 'who is muted gets nothing')
    t.same(send(site, 'pub' + D, 'ana' + D, person='ana', data=data), 250, 'the same mail again')
    t.ok(drained(site) and len(hop.got('far@away.example')) == 1, 'goes out once')

    # ---- nobody gets his own, nobody gets it twice
    own = message('From outside', sender=zoe, to='pub@team.example')
    t.same(send(site, 'pub' + D, zoe, data=own), 250, 'a subscriber posts')
    t.same(len(got('far@away.example', 2)), 2, 'the others get it')
    t.ok(drained(site) and len(hop.got(zoe)) == 3, 'she does not')
    site.baton('topic', 'add', 'two', '--access', 'open', '--owner', 'bo')
    site.baton('subscribe', 'far@away.example', 'two', 'each')
    site.baton('subscribe', 'only@away.example', 'two', 'each')
    send(site, ['two' + D, 'pub' + D, 'cem@home.example'], 'ana' + D, person='ana', subject='Crossposted')
    got('only@away.example', 1)
    t.ok(drained(site) and len(hop.got('far@away.example')) == 3, 'crossposted: once', hop.got('far@away.example'))
    t.same(len(hop.got('only@away.example')), 1, 'also to who follows the other one only')
    later = message('To one, then to the other', sender='ana' + D, to='pub@team.example')
    send(site, 'two' + D, 'ana' + D, person='ana', data=later)
    got('far@away.example', 4)
    send(site, 'pub' + D, 'ana' + D, person='ana', data=later)
    t.ok(len(got(zoe, 5)) == 5 and drained(site) and len(hop.got('far@away.example')) == 4, 'one after the other: once')

    # ---- loops and machines
    n = len(folder(site, 'ana', 'Topics/pub'))
    back = b'Received: from far\r\n' + hop.got('far@away.example')[1][2]  # of zoe's post
    t.ok('554 5.4.6' in str(send(site, 'pub' + D, 'far@away.example', data=back)), 'our own mail come back is refused')
    t.same(send(site, 'pub' + D, zoe, subject='I am away', Auto_Submitted='auto-replied'), 250, 'an auto-reply is filed')
    t.same(send(site, 'pub' + D, zoe, subject='Not delivered', reverse=''), 250, 'and a bounce of the old kind')
    t.ok(drained(site) and len(folder(site, 'ana', 'Topics/pub')) == n + 2, 'in the topic')
    t.ok(not any(b'I am away' in m[2] or b'Not delivered' in m[2] for m in hop.messages), 'and goes no further')
    with site.nntp('ana') as c:
        c.post([b'From: ana@team.example', b'Newsgroups: pub', b'Subject: From news', b'', b'x'])
    t.ok(any(b'From news' in m[2] for m in got(zoe, 6)), 'a posting is mailed as well')

    # ---- a member leaves
    t.same(send(site, 'pub-unsubscribe' + D, zoe), 250, 'she asks to leave')
    n = 7
    t.same(send(site, token_of(got(zoe, n)[-1]), zoe), 250, 'confirms')
    t.ok(zoe not in people(site, 'pub'), 'and is gone', people(site, 'pub'))
    got(zoe, n + 1)
    t.same(send(site, 'pub+unsubscribe' + D, zoe), 250, 'who does not follow is told so')
    t.ok(b'does not follow' in got(zoe, n + 2)[-1][2], 'by mail')
    t.same(send(site, 'pub+mute' + D, 'cem' + D, person='cem'), 250, 'who has logged in needs no confirmation')
    t.same(people(site, 'pub').get('cem'), 'none', 'it is done')
    t.ok(drained(site) and not any(b'confirm' in m[2] for m in hop.got('cem@home.example')), 'and he was not asked')
    t.same(site.faults(), '', 'check finds nothing')

    # ---- a name that leaves no room for a token
    name = 'a-rather-long-name.for-a-topic.of-this-site'
    site.baton('topic', 'add', name, '--access', 'open', '--owner', 'bo')
    lea = 'lea@else.example'
    t.same(send(site, f'{name}-subscribe{D}', lea), 250, 'a topic with a long name')
    token = email.message_from_bytes(got(lea, 1)[0][2])['Reply-To'].strip('<>')
    t.ok(token.startswith('help+confirm-') and len(token.split('@')[0]) <= 64, 'asks with a short address', token)
    t.same(send(site, token.replace('help+confirm-', 'help-confirm-'), lea), 250, 'that is answered without a plus')
    t.same(people(site, name), {lea: 'each'}, 'to the right topic')
    got(lea, 2)
    send(site, name + D, 'ana' + D, person='ana')
    path = got(lea, 3)[2][0]
    t.ok(path.startswith('help+bounce-') and len(path.split('@')[0]) <= 64, 'mails under a short path', path)
    t.same(send(site, path, 'MAILER-DAEMON@far.example', reverse='', data=report(path)), 250, 'and counts what comes back')
    t.same(json.loads(site.baton('user', 'show', lea, '--json'))['bounce_score'], 100, 'to the right person')

    # ---- a login from outside
    c = site.imap(login=False)
    try:
        c.login(zoe, '')
        t.ok(False, 'who is outside cannot log in')
    except Exception as e:
        t.ok('AUTHENTICATIONFAILED' in str(e), 'who is outside cannot log in', e)

hop.close()


# ---- bounces
def refuse(stage, arg, n):
    if stage == 'rcpt' and arg.startswith('gone'):
        return '550 5.1.1 No such person'
    if stage == 'rcpt' and arg.startswith('spam'):
        return '550 5.7.1 We do not like it'
    if stage == 'rcpt' and arg.startswith('slow') and n < 3:
        return '450 4.2.0 Try again'


hop = Hop(plan=refuse)
with Site(conf=relay_to(hop.port, 1)) as site:
    site.baton('topic', 'add', 'pub', '--access', 'open', '--owner', 'bo')
    for who in 'gone', 'spam', 'slow', 'back', 'late', 'fine':
        site.baton('subscribe', f'{who}@away.example', 'pub')

    def person(who):
        return json.loads(site.baton('user', 'show', f'{who}@away.example', '--json'))

    send(site, 'pub' + D, 'ana' + D, person='ana', subject='First')
    t.ok(len(got('fine@away.example', 1)) == 1 and len(got('slow@away.example', 1)) == 1, 'those who can be reached get it')
    t.ok(drained(site), 'the queue is empty')
    waits(site, lambda: person('gone')['suspended'])
    t.ok(person('gone')['suspended'], 'refused for good, and the probe too: suspended', person('gone'))
    t.ok(not person('spam')['suspended'] and person('spam')['bounce_score'] == 25, 'what is about the mail weighs less', person('spam'))
    t.same(person('slow')['bounce_score'], 0, 'what arrived in the end is nothing')
    t.same(people(site, 'pub')['gone@away.example'], 'each, suspended', 'shown with the topic')
    told = [x for x in folder(site, 'bo', 'INBOX') if 'gone@away.example' in x]
    t.same(len(told), 1, 'the owner is told once')
    t.ok(not any('Not delivered' in x for x in folder(site, 'ana', 'INBOX')), 'and the author of the post not at all')

    path = hop.got('back@away.example')[0][0]
    t.same(send(site, path, 'MAILER-DAEMON@far.example', reverse='', data=report(path, '4.4.1', 'delayed')), 250, 'a report of a delay')
    t.same(person('back')['bounce_score'], 0, 'is no bounce')
    t.same(send(site, path, 'MAILER-DAEMON@far.example', reverse='', data=report(path)), 250, 'a report of a failure')
    probe = got('back@away.example', 2)
    t.ok(len(probe) == 2 and b'still in use' in probe[1][2] and probe[1][0] not in ('', path), 'brings a probe', probe)
    t.same(send(site, path, 'MAILER-DAEMON@far.example', reverse='', data=report(path)), 250, 'another failure')
    t.ok(not person('back')['suspended'], 'is waited over')
    t.same(send(site, probe[1][0], 'MAILER-DAEMON@far.example', reverse='', data=report(probe[1][0])), 250, 'the probe comes back')
    t.ok(person('back')['suspended'], 'and that is that', person('back'))
    t.same(send(site, path, 'back@away.example', reverse='', subject='I am away', Auto_Submitted='auto-replied'), 250, 'an auto-reply')
    t.ok(any('I am away' in x for x in folder(site, 'bo', 'Junk')), 'is put aside')
    n = len(hop.got('back@away.example'))
    t.ok('550 5.1.1' in str(send(site, path.replace('bounce-', 'bounce-b'), 'x@far.example', reverse='')), 'a path that nobody gave out')
    c = site.imap('ana')
    t.same(c.select('Topics/pub')[1][0], b'1', 'nothing of it is in the topic')
    c.logout()
    send(site, 'pub' + D, 'ana' + D, person='ana', subject='Second')
    got('fine@away.example', 2)
    t.ok(drained(site) and len(hop.got('back@away.example')) == n, 'nothing goes there any more')
    site.baton('user', 'resume', 'back@away.example')
    t.same(people(site, 'pub')['back@away.example'], 'each', 'an administrator lets it go on')
    t.same(send(site, 'pub+each' + D, 'gone@away.example'), 250, 'or the owner of the address')
    t.same(site.faults(), '', 'check finds nothing')

    # ---- a restart in the middle: each gets it, and once
    t.same(site.stop(), 0, 'it ends cleanly')
    with open(os.path.join(site.home, 'baton.conf')) as f:
        conf = f.read()
    closed = conf.replace(f'relay = 127.0.0.1:{hop.port}', 'relay = 127.0.0.1:1')
    with open(os.path.join(site.home, 'baton.conf'), 'w') as f:
        f.write(closed)
    site.start()
    for i in range(450):
        site.baton('subscribe', f'many{i}@away.example', 'pub')
    send(site, 'pub' + D, 'ana' + D, person='ana', subject='To many')
    rows = json.loads(site.baton('queue', 'list', '--json'))
    site.kill()
    with open(os.path.join(site.home, 'baton.conf'), 'w') as f:
        f.write(conf)
    site.start()
    waits(site, lambda: sum(1 for m in hop.messages if b'To many' in m[2]) >= 450, 600)
    t.ok(drained(site, 600), 'four hundred and fifty subscribers')
    wrong = [f'many{i}@away.example' for i in range(450) if len(hop.got(f'many{i}@away.example')) != 1]
    said = [line for line in site.log().splitlines() if any(f'<{w}>' in line for w in wrong[:3])]
    t.ok(not wrong, 'each gets it once, over a kill', '\n'.join([f'{len(wrong)} not: {wrong[:10]}', *said]))
    t.same(site.faults(), '', 'check finds nothing')
hop.close()
t.done()
