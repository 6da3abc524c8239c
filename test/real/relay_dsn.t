#!/usr/bin/env python3
"""What a sender wants to hear of his mail (RFC 3461): said to a next hop that knows it, word for word; where the next
hop does not, and for deliveries here, the report is written here. By hand, by msmtp and by swaks."""
import os, re, shutil, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import PASSWORD, Site, Tap, message
from hop import Hop
from outward import drained, notices, set_relay, status_of

t = Tap()
USUAL = ['PIPELINING', '8BITMIME', 'SIZE 10000000']


def send(site, to, mail=(), subject='Hello', body='Hello.\r\n', sender='bo@team.example'):
    """to: pairs of an address and its parameters."""
    data = message(subject, body=body)
    with site.smtp('submission', 'bo') as c:
        c.ehlo()
        assert c.mail(sender, mail)[0] == 250
        for address, options in to:
            code, text = c.rcpt(address, options)
            assert code == 250, text
        assert c.data(data)[0] == 250
    return data


def kinds(site, about):
    """What was reported about an address: the actions, sorted."""
    blocks = [b for n in notices(site, 'bo', about) for b in re.split('\n(?=Original-Rec|Final-Rec)', status_of(n))]
    return sorted(re.search('Action: (.*)', b)[1] for b in blocks if 'Final-Recipient: rfc822; ' + about in b)


with Site() as site:
    with site.smtp('submission', 'bo') as c:
        c.ehlo()
        t.ok(c.has_extn('dsn'), 'submission offers DSN')
    with site.smtp() as c:
        c.ehlo()
        t.ok(not c.has_extn('dsn'), 'port 25 does not: who brings mail there tells its own people')

    # ---- a next hop that knows DSN is told all, and tells its own
    for pipelining in True, False:
        hop = Hop(extensions=['DSN', '8BITMIME'] + ['PIPELINING'] * pipelining)
        set_relay(site, hop.port)
        send(site, [('a@away.example', ['NOTIFY=success,delay', 'ORCPT=rfc822;A+2Bx@old.example']),
                    ('b@away.example', ['NOTIFY=NEVER']), ('c@away.example', [])], ['RET=HDRS', 'ENVID=id+2B1'])
        t.ok(drained(site), f'it leaves (pipelining {pipelining})')
        said = [x for x in hop.commands if x.startswith(('MAIL', 'RCPT'))]
        t.same(said, ['MAIL FROM:<bo@team.example> RET=HDRS ENVID=id+2B1',
                      'RCPT TO:<a@away.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;A+2Bx@old.example',
                      'RCPT TO:<b@away.example> NOTIFY=NEVER', 'RCPT TO:<c@away.example>'],
               f'the parameters are passed on, and none made up (pipelining {pipelining})')
        hop.close()
    t.same(notices(site), [], 'and nothing is reported here')

    # ---- one that does not: success is reported as far as it is known
    hop = Hop(extensions=USUAL)
    set_relay(site, hop.port)
    send(site, [('d@away.example', ['NOTIFY=SUCCESS', 'ORCPT=rfc822;D+2Bx@old.example']), ('e@away.example', ['NOTIFY=FAILURE']),
                ('f@away.example', []), ('ana@team.example', ['NOTIFY=SUCCESS']), ('eng.backend@team.example', ['NOTIFY=SUCCESS'])],
         ['RET=FULL', 'ENVID=both+20sides'], 'both', 'secret words\r\n')
    t.ok(drained(site) and len(hop.got('f@away.example')) == 1, 'it leaves')
    t.ok(not any(w in x for x in hop.commands for w in ('NOTIFY', 'ORCPT', 'RET=', 'ENVID')), 'without a parameter', hop.commands)
    found = notices(site, 'bo', 'd@away.example')
    t.same(len(found), 1, 'one report')
    text = status_of(found[0])
    t.ok('Action: relayed' in text and 'Original-Recipient: rfc822; D+x@old.example' in text and 'Status: 2.0.0' in text
         and 'Original-Envelope-Id: both sides' in text and 'Diagnostic-Code: smtp; 250 2.0.0 Taken' in text, 'relayed', text)
    t.ok('e@away.example' not in text and 'f@away.example' not in text, 'of who asked for it only', text)
    t.ok(b'secret words' not in found[0].as_bytes() and 'Passed on: both' == found[0]['Subject'],
         'with the header alone: RET= is about failures', found[0].as_string())
    here = notices(site, 'bo', 'Final-Recipient: rfc822; ana@')
    t.same(len(here), 1, 'the delivery here is reported')
    text = status_of(here[0])
    t.ok(text.count('Action: delivered') == 2 and 'eng.backend@team.example' in text and 'away' not in text
         and 'Original-Envelope-Id: both sides' in text, 'of the person and the topic, once', text)
    t.ok(here[0]['Auto-Submitted'] == 'auto-replied' and here[0]['Return-Path'] == '<>' and here[0]['To'] == '<bo@team.example>',
         'as RFC 3464 wants it', here[0].as_string())
    t.same(notices(site, 'ana'), [], 'nobody else hears of it')
    t.same(kinds(site, 'e@away.example'), [], 'who asked for failures hears nothing of a success')
    send(site, [('n@away.example', ['NOTIFY=SUCCESS']), ('cem@team.example', ['NOTIFY=SUCCESS'])], sender='')
    t.ok(drained(site) and kinds(site, 'n@away.example') == [] and kinds(site, 'cem@team.example') == [], 'the null sender is not answered')
    hop.close()

    # ---- failures: as asked
    hop = Hop(plan=lambda s, a, n: '550 5.1.1 Nobody' if s == 'rcpt' and a.startswith('no') else None)
    set_relay(site, hop.port)
    for who, options, want in [('nousual', [], ['failed']), ('nofailure', ['NOTIFY=FAILURE'], ['failed']), ('nonever', ['NOTIFY=NEVER'], []),
                               ('nosuccess', ['NOTIFY=SUCCESS'], []), ('nodelay', ['NOTIFY=DELAY'], []),
                               ('noall', ['NOTIFY=SUCCESS,FAILURE,DELAY'], ['failed'])]:
        send(site, [(f'{who}@away.example', options)])
        t.ok(drained(site), f'{who}: it does not stay')
        t.same(kinds(site, f'{who}@away.example'), want, f'{who} {options}: reported as asked')
    body = 'x' * 70 + '\r\n'
    for options, size, whole in [([], 1, True), (['RET=FULL'], 1, True), (['RET=HDRS'], 1, False), ([], 2000, False), (['RET=FULL'], 2000, True)]:
        who = f'no{"".join(options)[4:]}{size}@away.example'.lower()
        send(site, [(who, [])], options, body=body * size + 'the end\r\n')
        t.ok(drained(site), f'{who}: it does not stay')
        found = notices(site, 'bo', who)
        t.same([b'the end' in n.as_bytes() for n in found], [whole], f'{options}, {size} lines: whole {whole}')
    hop.close()

    # ---- delays: as asked
    hop = Hop(plan=lambda s, a, n: '450 4.2.0 Come again' if s == 'rcpt' and not a.startswith('ok') else None)
    set_relay(site, hop.port, warn='1s', give_up='4s')
    send(site, [('late.usual@away.example', []), ('late.never@away.example', ['NOTIFY=NEVER']), ('late.delay@away.example', ['NOTIFY=DELAY']),
                ('late.failure@away.example', ['NOTIFY=FAILURE'])])
    t.ok(drained(site, 40), 'given up in the end')
    t.same([kinds(site, f'late.{x}@away.example') for x in ('usual', 'never', 'delay', 'failure')],
           [['delayed', 'failed'], [], ['delayed'], ['failed']], 'delays and failures are reported as asked')
    hop.close()

    # ---- what waits keeps it, over a restart
    set_relay(site, 1, retry_first='1h', retry_most='1h')
    send(site, [('kept@away.example', ['NOTIFY=SUCCESS', 'ORCPT=rfc822;kept@old.example'])], ['RET=FULL', 'ENVID=kept'])
    site.stop()
    hop = Hop(extensions=['DSN'])
    set_relay(site, hop.port)
    site.start()
    site.baton('queue', 'run')
    t.ok(hop.wait('kept@away.example'), 'after a restart it leaves')
    t.ok('MAIL FROM:<bo@team.example> RET=FULL ENVID=kept' in hop.commands and
         'RCPT TO:<kept@away.example> NOTIFY=SUCCESS ORCPT=rfc822;kept@old.example' in hop.commands, 'with all that was asked', hop.commands)
    t.ok(drained(site), 'and is done')

    # ---- msmtp
    if shutil.which('msmtp'):
        before = len(hop.commands)
        r = subprocess.run(['msmtp', '--host=127.0.0.1', f'--port={site.port("submission")}', '--auth=plain', '--user=bo',
                            f'--passwordeval=echo {PASSWORD}', '--tls=off', '--from=bo@team.example', '--dsn-notify=success,failure',
                            '--dsn-return=headers', 'msmtp@away.example', 'dee@team.example'], input=message('by msmtp'), capture_output=True)
        t.same((r.returncode, r.stderr), (0, b''), 'msmtp: dsn_notify and dsn_return are taken')
        t.ok(hop.wait('msmtp@away.example'), 'msmtp: it arrives')
        said = hop.commands[before:]
        t.ok('MAIL FROM:<bo@team.example> RET=HDRS' in said and 'RCPT TO:<msmtp@away.example> NOTIFY=SUCCESS,FAILURE' in said,
             'msmtp: with what was asked', said)
        t.same(kinds(site, 'dee@team.example'), ['delivered'], 'msmtp: the delivery here is reported')
    else:
        t.skip('msmtp', 'not installed')

    # ---- swaks, which says what it is told
    if shutil.which('swaks'):
        def swaks(sender, to):
            """What is given closes the path and goes on; swaks adds a '>', which xtext may hold."""
            return subprocess.run(['swaks', '--server', f'127.0.0.1:{site.port("submission")}', '--auth', 'PLAIN', '--auth-user', 'bo',
                                   '--auth-password', PASSWORD, '--from', sender, '--to', to, '--h-From', '<bo@team.example>'],
                                  capture_output=True, text=True)
        r = swaks('bo@team.example> RET=FULL ENVID=swaks', 'swaks@away.example> NOTIFY=SUCCESS ORCPT=rfc822;swaks@old.example')
        t.ok(r.returncode == 0 and '250-DSN' in r.stdout and hop.wait('swaks@away.example'), 'swaks: sees the offer, and its mail arrives', r.stdout)
        t.ok('MAIL FROM:<bo@team.example> RET=FULL ENVID=swaks>' in hop.commands and
             'RCPT TO:<swaks@away.example> NOTIFY=SUCCESS ORCPT=rfc822;swaks@old.example>' in hop.commands, 'swaks: with what was asked', hop.commands)
        r = swaks('bo@team.example> RET=FULL ENVID=swaks+', 'bad@away.example')
        t.ok('501 5.5.4' in r.stdout, 'swaks: a broken ENVID is refused', r.stdout)
        r = swaks('bo@team.example', 'bad@away.example> NOTIFY=NEVER ORCPT=rfc822;')
        t.ok(r.returncode == 0 and hop.wait('bad@away.example'), 'swaks: an address that is none, well formed', r.stdout)
        r = swaks('bo@team.example', 'bad@away.example> NOTIFY=NEVER+2CDELAY')
        t.ok('501 5.5.4' in r.stdout, 'swaks: a broken NOTIFY is refused', r.stdout)
    else:
        t.skip('swaks', 'not installed')
    hop.close()
    t.same(site.faults(), '', 'check finds nothing')
    t.same(site.log().count('Sanitizer'), 0, 'no sanitizer speaks up')
t.done()
