#!/usr/bin/env python3
"""The digest as people get it: unread only, by their own \\Seen over mail and news, once a local date, also after kill -9;
by the clock, too."""
import datetime, email, os, random, re, subprocess, sys, time, zoneinfo
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

ROUNDS = min(12, int(os.environ.get('BATON_ROUNDS') or 12))
tap = Tap()
UTC = datetime.timezone.utc


def digests(site, person):
    with site.imap(person) as imap:
        imap.select('Digests', readonly=True)
        _, data = imap.fetch('1:*', '(FLAGS BODY.PEEK[])') if imap.search(None, 'ALL')[1][0] else (None, [])
        return [email.message_from_bytes(x[1]) for x in data if isinstance(x, tuple)]


def text(mail):
    part = next(p for p in mail.walk() if p.get_content_type() == 'text/plain')
    return part.get_payload(decode=True).decode()


def say(site, who, subject, topic='eng.backend', body='Something to say.\r\n', **fields):
    with site.smtp('submission', who) as s:
        s.sendmail(f'{who}@team.example', [f'{topic}@team.example'], message(subject, f'{who}@team.example', f'{topic}@team.example', body, **fields))


# beside it, another site whose clock brings Dee's digest at the next minute that begins in half a minute or more
clock = Site(people=[PEOPLE[0], PEOPLE[3]])
say(clock, 'ana', 'For the clock')
now = datetime.datetime.now(zoneinfo.ZoneInfo('Australia/Lord_Howe'))
due = now + datetime.timedelta(seconds=90)
clock.baton('user', 'set', 'dee', '--digest-at', due.strftime('%H:%M'), '--days', 'mon-sun')

with clock, Site() as site:
    for person in ('ana', 'bo', 'cem'):
        site.baton('user', 'set', person, '--days', 'mon-sun')

    tap.ok('Nothing to say' in site.baton('digest', 'run', '--user', 'cem', '--print'), 'nothing unread: nothing to say')
    say(site, 'bo', 'Disk alarm', Message_ID='<d1@t>')
    say(site, 'ana', 'Re: Disk alarm', In_Reply_To='<d1@t>', body='> Something to say.\r\n\r\nThe log was full. Fixed *now*.\r\n-- \r\nAna\r\n')
    say(site, 'bo', 'Lunch', topic='doc')
    shown = site.baton('digest', 'run', '--user', 'cem', '--print')
    tap.ok('3 new messages in 2 threads' in shown and '2 new: Bo, Ana' in shown and 'The log was full. Fixed *now*.' in shown
           and '> Something' not in shown, '--print shows threads, who, and the line that matters', shown)
    tap.same(len(digests(site, 'cem')), 0, '--print files nothing')
    with site.nntp('cem') as news:  # what was read is left out
        news.group('doc')
        news.article(1)
        news.quit()
    procs = [subprocess.Popen([os.path.join(BUILD, 'baton'), '--home', site.home, 'digest', 'run', '--user', 'cem'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(8)]
    for p in procs:
        p.wait()
    got = digests(site, 'cem')
    tap.same(len(got), 1, 'eight at once: one digest')
    body = text(got[0])
    tap.ok('2 new messages in 1 thread' in body and 'Lunch' not in body, 'what was read over news is left out', body)
    tap.ok(max(len(l) for l in body.splitlines()) <= 72, 'text lines of at most 72 columns')
    tap.ok(got[0].get_content_type() == 'multipart/alternative' and got[0]['Auto-Submitted'] == 'auto-generated', 'page form')
    with site.imap('cem') as imap:
        imap.select('Topics/eng/backend')
        tap.same(imap.search(None, 'UNSEEN')[1], [b'1 2'], 'a digest sets no \\Seen')

    # the next days
    day = datetime.datetime.now(UTC).replace(hour=23, minute=0, second=0, microsecond=0)
    at = lambda n: (day + datetime.timedelta(days=n)).strftime('%Y-%m-%dT%H:%M:%SZ')
    site.baton('digest', 'run', '--at', at(1))
    tap.same(len(digests(site, 'cem')), 1, 'nothing new since: no mail')
    say(site, 'bo', 'Third', Message_ID='<d3@t>')
    site.baton('digest', 'run', '--at', at(2))
    site.baton('digest', 'run', '--at', at(2))
    got = digests(site, 'cem')
    tap.same(len(got), 2, 'the next day: one, also when asked twice')
    body = text(got[-1])
    tap.ok('Disk alarm' not in body and 'Third' in body and 'Still unread from before: 2 messages' in body, 'only what was filed since; older unread is one count', body)
    tap.ok('Something to say.' in body and len(text(got[-1]).splitlines()) < 20, 'one message only: that message')

    # kill -9 in the middle: once, after all
    bad = []
    for r in range(ROUNDS):
        say(site, 'bo', f'Round {r}')
        runner = subprocess.Popen([os.path.join(BUILD, 'baton'), '--home', site.home, 'digest', 'run', '--at', at(3 + r)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.05))
        site.kill()
        runner.wait()
        site.start()
        site.baton('digest', 'run', '--at', at(3 + r))
    for person in ('ana', 'cem'):
        all_ = [text(m) for m in digests(site, person)]
        for r in range(ROUNDS):
            n = sum(re.search(rf'Round {r}\b', t) is not None for t in all_)
            if n != 1:
                bad.append(f'{person}: round {r} is told {n} times')
        idents = [m['Message-ID'] for m in digests(site, person)]
        if len(set(idents)) != len(idents):
            bad.append(f'{person}: two digests of one date')
    tap.ok(not bad, f'{ROUNDS} times kill -9: every digest once', '\n'.join(bad))

    end = time.monotonic() + 300
    while not digests(clock, 'dee') and time.monotonic() < end:
        time.sleep(0.5)
    got = digests(clock, 'dee')
    tap.ok(got and 'in Lord Howe' in text(got[0]) and f'{due:%H:%M}' in text(got[0]), "the clock brings Dee's at her minute", clock.log()[-2000:])
    tap.same(clock.stop(), 0, 'a clean end')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
