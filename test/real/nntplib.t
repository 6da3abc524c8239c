#!/usr/bin/env python3
"""Python's nntplib: every command that it has, in the clear and under TLS."""
import datetime, os, ssl, sys, warnings
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

warnings.simplefilter('ignore')
try:
    import nntplib
except ImportError:
    skip_all('this Python has no nntplib')
tap = Tap()
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE


def refused(call, code):
    try:
        call()
    except nntplib.NNTPError as e:
        return e.response[:3] == code
    return False


with Site() as site:
    port = site.port('nntp')
    stranger = nntplib.NNTP('127.0.0.1', port, timeout=PATIENCE)
    tap.ok('VERSION' in stranger.getcapabilities() and 'STARTTLS' in stranger.getcapabilities(), 'CAPABILITIES, with STARTTLS')
    tap.ok(refused(lambda: stranger.group('eng.backend'), '480'), 'GROUP needs a login')
    tap.ok(refused(lambda: stranger.login('ana', 'wrong', False), '481'), 'a wrong password')
    stranger.quit()

    n = nntplib.NNTP('127.0.0.1', port, timeout=PATIENCE)
    n.starttls(trusting)
    tap.ok('STARTTLS' not in n.getcapabilities() and 'AUTHINFO' in n.getcapabilities(), 'after STARTTLS: no second one')
    n.login('ana', PASSWORD, False)
    tap.ok('POST' in n.getcapabilities() and 'OVER' in n.getcapabilities(), 'after the login: READER, POST, OVER')
    tap.same(n.group('eng.backend')[1:4], (0, 1, 0), 'an empty group: 0 1 0')
    tap.ok(refused(lambda: n.group('no.such'), '411') and n.group('eng.backend'), 'no such group: 411')
    for i in range(5):
        article = message(f'Article {i}', sender='Ana <ana@team.example>', Newsgroups='eng.backend,doc' if i == 2 else 'eng.backend',
                          Message_ID=f'<a{i}@t>', body=f'.one dot\r\n..two dots\r\n.\r\nbody {i} äöü\r\n', **({'References': '<a0@t>'} if i else {}))
        tap.ok(n.post(article.splitlines(True)).startswith('240'), f'POST {i}')
    tap.ok(refused(lambda: n.post(article.splitlines(True)), '441'), 'POST of the same id again: 441')
    tap.ok(refused(lambda: n.post(message('x', sender='ana@team.example', Newsgroups='no.such').splitlines(True)), '441'), 'POST to no such group: 441')
    tap.ok(refused(lambda: n.post(message('x', sender='bo@team.example', Newsgroups='doc').splitlines(True)), '441'), "POST with another's From: 441")
    tap.same(n.group('eng.backend')[1:4], (5, 1, 5), 'GROUP')
    resp, over = n.over((1, 5))
    tap.same([o[1]['subject'] for o in over], [f'Article {i}' for i in range(5)], 'OVER')
    head = n.head('<a2@t>')[1].lines
    xref = [l for l in head if l.startswith(b'Xref:')]
    tap.ok(len(xref) == 1 and b' eng.backend:3' in xref[0] and b' doc:1' in xref[0], 'a crosspost: one Xref with both numbers', str(head))
    tap.same(n.stat('<a2@t>')[1], 0, 'STAT by id: number 0')
    size = int(over[2][1][':bytes'])
    article = n.article(3)[1]
    octets = b''.join(l + b'\r\n' for l in article.lines)
    tap.same(len(octets), size, ':bytes is what ARTICLE gives, without stuffing')
    tap.ok(octets.endswith('.one dot\r\n..two dots\r\n.\r\nbody 2 äöü\r\n'.encode()), 'dots come back as they went')
    tap.same(b''.join(l + b'\r\n' for l in n.head(3)[1].lines) + b'\r\n' + b''.join(l + b'\r\n' for l in n.body(3)[1].lines), octets, 'HEAD and BODY make ARTICLE')
    n.stat(1)
    tap.ok(n.next()[1] == 2 and n.next()[1] == 3 and n.last()[1] == 2, 'NEXT and LAST')
    n.stat(5)
    tap.ok(refused(n.next, '421') and n.stat()[1] == 5, 'NEXT at the end: 421, and the current article stays')
    tap.same([s for _, s in n.xhdr('subject', '2-3')[1]], ['Article 1', 'Article 2'], 'XHDR')
    tap.ok('eng.backend' in [g.group for g in n.list()[1]] and n.description('eng.backend') == 'Servers and stores', 'LIST, LIST NEWSGROUPS')
    hour_ago = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=1)
    tap.ok('doc' in [g.group for g in n.newgroups(hour_ago)[1]], 'NEWGROUPS')
    tap.same(sorted(n.newnews('eng.*', hour_ago)[1]), [f'<a{i}@t>' for i in range(5)], 'NEWNEWS')
    tap.ok(abs((n.date()[1] - hour_ago).total_seconds() - 3600) < 300 and n.help()[0].startswith('100'), 'DATE and HELP')
    n.quit()
    with nntplib.NNTP_SSL('127.0.0.1', site.port('nntps'), user='bo', password=PASSWORD, ssl_context=trusting, timeout=PATIENCE) as t:
        tap.same(t.group('doc')[1:4], (1, 1, 1), 'implicit TLS')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
