#!/usr/bin/env python3
"""The forms of a digest, as those who burst them take them apart; and digests that are mailed out: once, in the change that
files them."""
import email, email.policy, os, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from hop import Hop
from outward import drained, set_relay

tap = Tap()


def say(site, who, subject, topic='eng.backend', body='Something to say.\r\n', **fields):
    data = message(subject, f'{who}@team.example', f'{topic}@team.example', body, **fields)
    with site.smtp('submission', who) as s:
        s.sendmail(f'{who}@team.example', [f'{topic}@team.example'], data)
    return data


def digest(site, person, n=-1):
    with site.imap(person) as imap:
        imap.select('Digests', readonly=True)
        ids = imap.search(None, 'ALL')[1][0].split()
        data = imap.fetch(ids[n], '(FLAGS BODY.PEEK[])')[1]
        return data[0][1], b'\\Seen' in data[0][0] + data[1] if isinstance(data[1], bytes) else b'\\Seen' in data[0][0]


with Site() as site:
    for form in ('mime', '1153'):
        site.baton('user', 'set', 'cem' if form == 'mime' else 'dee', '--digest-form', form)
    sent = [say(site, 'bo', 'Disk alarm', Message_ID='<d1@t>', body='From the start:\r\n--\r\nüber 80 %\r\n-- \r\nBo\r\n'),
            say(site, 'ana', 'Re: Disk alarm', Message_ID='<d2@t>', In_Reply_To='<d1@t>', References='<d1@t>',
                body='------------------------------\r\n\r\nA rule, and *nested*:\r\n\r\n--=_x\r\nContent-Type: text/html\r\n\r\n<b>no part</b>\r\n'),
            say(site, 'bo', 'Menu', topic='doc', Message_ID='<m1@t>', body='Soup?\r\n')]
    site.baton('digest', 'run', '--user', 'cem')
    site.baton('digest', 'run', '--user', 'dee')

    # ---- multipart/digest
    raw, _ = digest(site, 'cem')
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    tap.same((mail.get_content_type(), [p.get_content_type() for p in mail.iter_parts()]), ('multipart/mixed', ['text/plain', 'multipart/digest']), 'the page, and the messages')
    page, inside = list(mail.iter_parts())
    tap.ok('[1] ' in page.get_content() and '[2] ' in page.get_content() and not any(p.defects for p in mail.walk()), 'with numbers, and without defects', page.get_content())
    tap.same(sorted(p.get_content()['Message-ID'] for p in inside.iter_parts()), ['<d1@t>', '<d2@t>', '<m1@t>'], 'all that is new')
    tap.ok(all(data in raw for data in sent), 'octet for octet')
    with open(os.path.join(site.folder, 'digest.mbox'), 'wb') as f:
        f.write(b'From digest@team.example Tue Nov 24 07:30:00 2026\n' + raw.replace(b'\r\n', b'\n') + b'\n')
    burst = subprocess.run(['formail', '-bz', '-ds', 'sh', '-c', 'cat; echo @@@'], stdin=open(os.path.join(site.folder, 'digest.mbox'), 'rb'),
                           stdout=subprocess.PIPE).stdout.split(b'@@@\n')
    subjects = [x for m in burst for x in [email.message_from_bytes(m)['Subject']] if x]
    tap.ok({'Disk alarm', 'Re: Disk alarm', 'Menu'} <= set(subjects), 'formail bursts it', subjects)
    with site.imap('cem') as imap:
        imap.select('Digests', readonly=True)
        got = imap.fetch('1', '(BODYSTRUCTURE BODY.PEEK[2.1.HEADER])')[1]
        tap.ok(b'"message" "rfc822"' in got[0][0].lower() and b'Message-ID: <' in got[0][1], 'IMAP serves its parts', got)

    # ---- RFC 1153
    raw, _ = digest(site, 'dee')
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    text = mail.get_content()
    head, *parts = text.replace('\r\n', '\n').split('\n' + '-' * 70 + '\n')
    parts = parts[0].split('\n' + '-' * 30 + '\n')
    tap.ok(mail.get_content_type() == 'text/plain' and '[1] ' in head and len(parts) == 4 and parts[-1].strip().startswith('End of Baton Digest\n****'),
           'a text with rules, as RFC 1153 draws them', text)
    tap.same(sorted(email.message_from_string(p.lstrip('\n'))['Subject'] for p in parts[:-1]), ['Disk alarm', 'Menu', 'Re: Disk alarm'], 'each part is a message')

    # ---- mailed out
    r = site.baton('user', 'set', 'bo', '--digest-to', 'bo@home.example', check=False)
    tap.ok(r.returncode == 2 and b'--address' in r.stderr, "an address that is not the person's is refused", r.stderr)
    site.baton('user', 'set', 'bo', '--address', 'bo@home.example', '--digest-to', 'bo@home.example')
    tap.ok('bo@home.example' in site.baton('user', 'show', 'bo', '--json'), 'it is shown')
    say(site, 'ana', 'Without a relay')
    site.baton('digest', 'run', '--user', 'bo')
    tap.ok(not digest(site, 'bo')[1] and 'bo@home' not in site.baton('queue', 'list'), 'without a relay it stays in the folder, unread')
    hop = Hop()
    set_relay(site, hop.port)
    say(site, 'ana', 'By mail', Message_ID='<o1@t>')
    at = time.strftime('%Y-%m-%dT23:00:00Z', time.gmtime(time.time() + 2 * 86400))
    site.baton('user', 'set', 'bo', '--days', 'mon-sun')
    for _ in range(2):
        site.baton('digest', 'run', '--at', at)
    got = hop.wait('bo@home.example')
    tap.ok(drained(site), 'the queue is empty then')
    tap.same(len(hop.got('bo@home.example')), 1, 'the digest is mailed out, once')
    raw, seen = digest(site, 'bo')
    mail = email.message_from_bytes(got[0][2], policy=email.policy.default)
    tap.ok(got and got[0][2].endswith(raw) and seen, 'what lies in Digests, as read', got)
    tap.ok(got[0][0].startswith('help+bounce-') and mail['Reply-To'].startswith('r+'), 'what comes back says for whom', got[0][0])
    answer = message('Re: ' + mail['Subject'], 'bo@home.example', mail['Reply-To'], 'Got it.\r\n', In_Reply_To=mail['Message-ID'])
    with site.smtp('smtp') as s:
        s.sendmail('bo@home.example', [mail['Reply-To']], answer)
    with site.imap('ana') as imap:
        imap.select('Topics/eng/backend', readonly=True)
        last = imap.search(None, 'ALL')[1][0].split()[-1]
        tap.ok(b'Got it.' in imap.fetch(last, '(BODY[TEXT])')[1][0][1], 'and it can be answered from there')
    site.baton('user', 'set', 'bo', '--remove-address', 'bo@home.example')
    tap.ok('digest_to": "bo' not in site.baton('user', 'show', 'bo', '--json'), 'an address that goes takes it along')
    hop.close()
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
