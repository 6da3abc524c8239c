#!/usr/bin/env python3
"""What comes in by one way is at once in all of them, under the same number and Message-ID: Python's imaplib,
smtplib and nntplib against one site."""
import email, os, re, smtplib, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()


def uid_of(imap, ident):
    typ, data = imap.uid('SEARCH', None, 'HEADER', 'Message-ID', f'"{ident}"')
    return data[0].decode().split()


def behind_prefix(octets, original):
    return octets[len(octets) - len(original):]


with Site() as site:
    with site.imap() as imap:
        tap.same(imap.enable('UTF8=ACCEPT')[0], 'OK', 'ENABLE UTF8=ACCEPT')
        tap.same(imap.create('"Grüße & Küsse"')[0], 'OK', 'CREATE in UTF-8')
        tap.ok('"Grüße & Küsse"'.encode() in imap.list('""', 'Gr*')[1][0], 'LIST in UTF-8')
        imap.select('"Grüße & Küsse"')
        tap.same(imap.search(None, 'SUBJECT "Ä"')[1], [b''], 'SEARCH without a charset')
        imap.unselect()
        tap.same(imap.delete('"Grüße & Küsse"')[0], 'OK', 'DELETE')
    with site.imap() as imap:
        tap.ok(b'INBOX' in b' '.join(imap.list()[1]), 'LIST has INBOX')
        names = [re.search(rb'(\S+)$', l).group(1).strip(b'"') for l in imap.list()[1]]
        for want in (b'Digests', b'Drafts', b'Sent', b'Archive', b'Junk', b'Trash', b'Topics/eng/backend', b'Topics/doc'):
            tap.ok(want in names, f'LIST has {want.decode()}', str(names))
        tap.ok(b'NAMESPACE' in imap.capability()[1][0], 'CAPABILITY')
        tap.same(imap.namespace()[0], 'OK', 'NAMESPACE')

        # one message by each way
        sent = {}
        for way in ('submission', 'lmtp', 'pipe', 'append', 'post'):
            ident = f'<way.{way}@test.example>'
            outside = way in ('lmtp', 'pipe')
            octets = message(f'By {way}', sender='zoe@outside.example' if outside else 'ana@team.example', Message_ID=ident,
                             body='First line.\r\n.dot line\r\n..two\r\nÄ\r\n', Newsgroups='eng.backend')
            sent[way] = ident, octets
        site.baton('topic', 'set', 'eng.backend', '--access', 'open')
        s = site.smtp('submission', 'ana'); s.sendmail('ana@team.example', ['eng.backend@team.example'], sent['submission'][1]); s.quit()
        s = site.smtp('lmtp'); s.sendmail('zoe@outside.example', ['eng.backend@team.example'], sent['lmtp'][1]); s.quit()
        site.baton('deliver', '--from', 'zoe@outside.example', 'eng.backend@team.example', input=sent['pipe'][1].replace(b'\r\n', b'\n'))
        typ, data = imap.append('Topics/eng/backend', '(\\Flagged)', None, sent['append'][1])
        tap.ok(typ == 'OK' and b'APPENDUID' in data[0], 'APPEND to a topic answers APPENDUID', data)
        news = site.nntp()
        tap.ok(news.post(sent['post'][1].splitlines(True)).startswith('240'), 'POST 240')

        imap.select('Topics/eng/backend')
        _, count, first, last, _ = news.group('eng.backend')
        tap.same((count, first, last), (5, 1, 5), 'GROUP counts all five')
        for way, (ident, octets) in sent.items():
            uids = uid_of(imap, ident)
            if not tap.same(len(uids), 1, f'{way}: one message under its id over IMAP'):
                continue
            _, data = imap.uid('FETCH', uids[0], '(FLAGS RFC822.SIZE BODY.PEEK[])')
            got = data[0][1]
            tap.same(behind_prefix(got, octets), octets, f'{way}: the octets behind the prefix are those sent')
            size = int(re.search(rb'RFC822.SIZE (\d+)', data[0][0]).group(1))
            tap.same(size, len(got), f'{way}: RFC822.SIZE is what BODY[] gives')
            _, number, _ = news.stat(ident)
            article = news.article(int(uids[0]))[1]
            tap.same(article.message_id, ident, f'{way}: the article of the same number has the same id')
            text = b'\r\n'.join(article.lines) + b'\r\n'
            tap.ok(text.endswith(octets), f'{way}: the article is the same octets', text[-300:])
        over = news.over((1, 5))[1]
        headers = [imap.uid('FETCH', str(n), '(BODY.PEEK[HEADER])')[1][0][1] for n in range(1, 6)]
        tap.same([o[1]['message-id'] for o in over], [email.message_from_bytes(h)['Message-ID'] for h in headers], 'OVER and FETCH HEADER name the same ids in the same order')
        tap.ok(all(o[1]['xref'].endswith(f'eng.backend:{o[0]}') for o in over), 'Xref has the numbers')

        # reading is per person, and one thing for mail and news
        bo = site.imap('bo')
        bo.select('Topics/eng/backend')
        tap.same(bo.search(None, 'UNSEEN')[1], [b'1 2 3 4 5'], 'Bo has read nothing')
        bo.store('2', '+FLAGS', '(\\Seen \\Flagged blue)')
        tap.same(bo.search(None, 'SEEN')[1], [b'2'], 'STORE \\Seen')
        tap.same(bo.search(None, 'KEYWORD', 'blue')[1], [b'2'], 'STORE keyword')
        reader = site.nntp('bo')
        reader.group('eng.backend')
        reader.article(3)
        reader.quit()
        bo.noop()
        tap.same(bo.search(None, 'SEEN')[1], [b'2 3'], 'what Bo read over news is seen over IMAP')
        cem = site.imap('cem')
        cem.select('Topics/eng/backend')
        tap.same(cem.search(None, 'SEEN')[1], [b''], "Cem's flags are his own")
        cem.store('1', '+FLAGS', '\\Deleted')
        tap.same(cem.expunge()[0], 'NO', 'EXPUNGE in a topic needs its owner')

        # a personal folder: octet for octet, flags and date kept
        raw = message('Draft', body='x\r\n')
        imap.append('Drafts', '(\\Draft \\Seen)', '"24-Nov-2026 07:30:00 +0100"', raw)
        imap.select('Drafts')
        _, data = imap.fetch('1', '(FLAGS INTERNALDATE BODY.PEEK[])')
        tap.same(data[0][1], raw, 'APPEND comes back octet for octet')
        tap.ok(b'\\Draft' in data[0][0] and b'\\Seen' in data[0][0], 'with its flags', data)
        _, data = imap.fetch('1', '(ENVELOPE BODYSTRUCTURE)')
        tap.ok(b'"Draft"' in data[0] and b'"text" "plain"' in data[0].lower(), 'ENVELOPE and BODYSTRUCTURE', data)
        imap.store('1', '+FLAGS', '\\Deleted')
        tap.same(imap.expunge()[1], [b'1'], 'EXPUNGE')

        # IDLE is told at once
        imap.select('INBOX')
        imap.send(b'i1 IDLE\r\n')
        tap.ok(imap.readline().startswith(b'+ '), 'IDLE')
        s = site.smtp('smtp')
        s.sendmail('zoe@outside.example', ['ana@team.example'], message('Hello', sender='zoe@outside.example'))
        tap.same(imap.readline().strip(), b'* 1 EXISTS', 'EXISTS comes while idle')
        imap.send(b'DONE\r\n')
        while not imap.readline().startswith(b'i1 OK'):
            pass
        # refusals
        for rcpt, name in (('nobody@team.example', 'unknown'), ('x@elsewhere.example', 'relay')):
            code, text = s.docmd('MAIL FROM:<zoe@outside.example>')
            code, text = s.docmd(f'RCPT TO:<{rcpt}>')
            tap.same(code, 550, f'{name} recipient is refused at RCPT')
            s.docmd('RSET')
        tap.same(s.docmd('MAIL FROM:<ana@team.example>')[0], 550, 'an address of the site needs a login')
        s.quit()
    tap.same(site.stop(), 0, 'SIGTERM ends the daemon cleanly')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
