#!/usr/bin/env python3
"""A board as the programs of people use it: mbsync both ways, neomutt, plain IMAP in the ways that clients have of moving a
message; two at the same card, one who was away, thirty cards at once, the board of another topic."""
import os, re, shutil, subprocess, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *
from screen import Screen
import rawclient

tap = Tap()
COLUMNS = ['1 To do', '2 Doing', '3 Waiting', '4 Done']


def board(n, topic='eng/backend'):
    return f'"Boards/{topic}/{COLUMNS[n - 1]}"'


def folder(imap, name):
    """[(uid, subject, message-id)] of a folder."""
    code, said = imap.select(name, readonly=True)
    assert code == 'OK', (name, said)
    if said == [b'0']:
        return []
    found = imap.fetch('1:*', '(UID BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)])')[1]
    out = []
    for part in found:
        if isinstance(part, tuple):
            text = re.sub(r'\r\n[ \t]+', ' ', part[1].decode())
            out.append((int(re.search(rb'UID (\d+)', part[0])[1]), re.search('(?i)^subject: (.*)\r', text, re.M)[1].strip(),
                        re.search('(?i)^message-id: *(\\S+)', text, re.M)[1]))
    return out


def cards(site, person='ana', topic='eng/backend'):
    """{task: [columns]} as a person sees the board."""
    out = {}
    with site.imap(person) as imap:
        for n in range(1, 5):
            for _, subject, _ in folder(imap, board(n, topic)):
                out.setdefault(re.match(r'T-\d+', subject)[0], []).append(n)
    return out


def one(site, person, task):
    """Its column; None when it is not in exactly one."""
    at = cards(site, person).get(task, [])
    return at[0] if len(at) == 1 else None


def open_task(site, title, column=1, person='ana', topic='eng/backend'):
    with site.imap(person) as imap:
        code, said = imap.append(board(column, topic), None, None, message(title, sender=f'{person}@team.example'))
        assert code == 'OK', said
        return re.match(r'T-\d+', [s for _, s, _ in folder(imap, board(column, topic)) if re.fullmatch(r'T-\d+ ' + re.escape(title), s)][0])[0]


def uid_of(imap, column, task, topic='eng/backend'):
    """Selects the column for writing."""
    uids = [u for u, s, _ in folder(imap, board(column, topic)) if s.startswith(task + ' ')]
    imap.select(board(column, topic))
    return str(uids[0]) if uids else None


def journals(site, task, topic='eng/backend'):
    """The texts of what the thread tells of the task, in order."""
    number = task[2:]
    with site.imap() as imap:
        imap.select(f'Topics/{topic}', readonly=True)
        found = imap.uid('SEARCH', None, 'HEADER', 'Message-ID', f'journal.T-{number}.')[1][0].split()
        return [imap.uid('FETCH', u, '(BODY.PEEK[TEXT])')[1][0][1].decode() for u in found]


def unread_journals(site, person, task):
    with site.imap(person) as imap:
        imap.select('Topics/eng/backend', readonly=True)
        return len(imap.uid('SEARCH', None, 'UNSEEN', 'HEADER', 'Message-ID', f'journal.T-{task[2:]}.')[1][0].split())


def settled(name, site):
    tap.same({t: c for person in ('ana', 'bo', 'dee') for t, c in cards(site, person).items() if len(c) != 1}, {}, name + ': every card in one column for everybody')


# ---- mbsync ----

class Copy:
    """A board in local Maildirs."""
    def __init__(self, site, person):
        self.top = os.path.join(site.folder, 'copy-' + person)
        os.makedirs(self.top)
        self.rc = os.path.join(self.top, 'rc')
        with open(self.rc, 'w') as f:
            f.write(f'IMAPAccount b\nHost 127.0.0.1\nPort {site.port("imap")}\nUser {person}\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n'
                    'IMAPStore far\nAccount b\n\nMaildirStore near\nSubFolders Verbatim\n'
                    f'Path {self.top}/\nInbox {self.top}/INBOX\n\nChannel c\nFar :far:\nNear :near:\n'
                    f'Patterns "Boards/eng/backend/*"\nCreate Near\nSync All\nExpunge Both\nSyncState {self.top}/state-\n')

    def sync(self):
        r = subprocess.run(['mbsync', '-c', self.rc, 'c'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return '' if r.returncode == 0 else r.stdout.decode() or 'failed'

    def files(self, n):
        place = os.path.join(self.top, 'Boards/eng/backend', COLUMNS[n - 1])
        return [os.path.join(place, d, f) for d in ('cur', 'new') for f in os.listdir(os.path.join(place, d))]

    def find(self, n, task):
        for path in self.files(n):
            with open(path, errors='replace') as f:
                if re.search(f'^Subject: {task} ', f.read(), re.M):
                    return path
        return None

    def move(self, task, old, new):
        """As mutt does in Maildirs, and a person with mv who knows that U= is mbsync's own."""
        path = self.find(old, task)
        name = re.sub(r',U=\d+', '', os.path.basename(path))
        os.rename(path, os.path.join(self.top, 'Boards/eng/backend', COLUMNS[new - 1], 'cur', name if ':2,' in name else name + ':2,'))

    def held(self):
        out = {}
        for n in range(1, 5):
            for path in self.files(n):
                with open(path, errors='replace') as f:
                    out.setdefault(re.search(r'^Subject: (T-\d+)', f.read(), re.M)[1], []).append(n)
        return out


def mbsync(site):
    first, second = open_task(site, 'Label the cables'), open_task(site, 'Order fuses', 3)
    here = Copy(site, 'dee')
    tap.same(here.sync(), '', 'mbsync: a board comes down')
    tap.same((here.held().get(first), here.held().get(second)), ([1], [3]), 'mbsync: both cards')
    for task, old, new, what in ((first, 1, 2, 'EXPUNGE before APPEND'), (second, 3, 1, 'APPEND before EXPUNGE')):
        here.move(task, old, new)
        tap.same(here.sync(), '', f'mbsync, {what}: the move goes up')
        tap.same(one(site, 'ana', task), new, f'mbsync, {what}: the card is there')
        told = journals(site, task)
        tap.same(len(told), 1, f'mbsync, {what}: it is told once')
        tap.ok(told and f'Dee Howe moved this from {COLUMNS[old - 1][2:]} to {COLUMNS[new - 1][2:]}.' in told[0], f'mbsync, {what}: by whom', told)
        tap.same(here.sync(), '', f'mbsync, {what}: once more')
        tap.same(here.held(), cards(site), f'mbsync, {what}: both sides hold the same')
    before = [journals(site, first), journals(site, second)]
    for _ in range(3):
        here.sync()
    tap.same(here.held(), cards(site), 'mbsync: stable after three more')
    tap.same([journals(site, first), journals(site, second)], before, 'mbsync: and nothing more is told')
    os.unlink(here.find(2, first))
    here.sync()
    here.sync()
    tap.same((here.held()[first], one(site, 'ana', first)), ([2], 2), 'mbsync: a card that is deleted comes again')
    # away: somebody else moves it first, elsewhere
    with site.imap('bo') as imap:
        imap.uid('MOVE', uid_of(imap, 2, first), board(4))
    here.move(first, 2, 3)
    tap.same(here.sync(), '', 'mbsync: a late move')
    here.sync()
    tap.same((one(site, 'ana', first), here.held()[first]), (4, [4]), 'mbsync: who was first wins, and both sides hold that')
    tap.ok('Not done: Dee Howe wanted Waiting as the status, but Bo Lind' in ' '.join(journals(site, first)[-1].split()), 'mbsync: the thread tells the other', journals(site, first)[-1])
    settled('mbsync', site)


# ---- neomutt ----

def neomutt(site):
    task, other = open_task(site, 'Mend the fan'), open_task(site, 'Read the meter')
    home = os.path.join(site.folder, 'mutt')
    os.makedirs(home)
    with open(home + '/rc', 'w') as f:
        f.write(f'set folder="imap://bo@127.0.0.1:{site.port("imap")}/"\nset spoolfile="+INBOX"\nset imap_pass="{PASSWORD}"\nset ssl_starttls=no\nset ssl_force_tls=no\n'
                f'set smtp_url="smtp://bo@127.0.0.1:{site.port("submission")}/"\nset smtp_pass="{PASSWORD}"\nset realname="Bo Lind"\nset from="bo@team.example"\nset record=""\n'
                'bind editor <space> noop\nset confirmappend=no\nset confirmcreate=no\nset delete=yes\nset sort=date\nset sleep_time=0\nset wait_key=no\nset quit=yes\nset fast_reply\nset include=yes\n'
                'set editor="sh -c \'echo /done >> $0\'"\nset index_format="%Z %s"\nmailboxes +INBOX\n')
    with Screen(f'neomutt -n -F {home}/rc -f "=Boards/eng/backend/1 To do"', env={'HOME': home}) as s:
        if not tap.ok(s.until(f'{task} Mend the fan'), 'neomutt: a column lists its cards', s.text()):
            return
        s.keys('/')
        s.until('Search for')
        s.keys('-l', 'Mend the fan')
        s.keys('Enter')
        s.keys('s')
        if not tap.ok(s.until('Save.*mailbox'), 'neomutt: s asks where to', s.text()): return
        s.keys('C-u')
        s.keys('-l', '=Boards/eng/backend/2 Doing')
        s.keys('Enter', '$')
        tap.ok(s.until(f'(?s)^(?!.*{task} Mend)'), 'neomutt: s and $ take it away', s.text())
        s.keys('q')
        s.until('EXIT')
    tap.same(one(site, 'ana', task), 2, 'neomutt: a card is saved to another column')
    tap.same(len(journals(site, task)), 1, 'neomutt: told once')
    with Screen(f'neomutt -n -F {home}/rc -f "=Boards/eng/backend/1 To do"', env={'HOME': home}) as s:
        s.until(f'{other} Read the meter')
        s.keys('/')
        s.until('Search for')
        s.keys('-l', 'Read the meter')
        s.keys('Enter')
        s.keys('r')
        tap.ok(s.until(f'To: .*{other}@team\\.example'), 'neomutt: r answers the task', s.text())
        s.keys('y')
        tap.ok(s.until('Mail sent|sent\\.'), 'neomutt: the answer goes', s.text())
        s.keys('q')
        s.until('EXIT')
    tap.same(one(site, 'ana', other), 4, 'neomutt: /done in a reply to a card')
    with Screen(f'neomutt -n -F {home}/rc -f "=Boards/eng/backend/2 Doing"', env={'HOME': home}) as s:
        s.until(f'{task} Mend the fan')
        s.keys('/')
        s.until('Search for')
        s.keys('-l', 'Mend the fan')
        s.keys('Enter')
        s.keys('d', '$')
        tap.ok(s.until('(?m)^ *N? *' + task + ' Mend'), 'neomutt: a card that is deleted comes again', s.text())
        s.keys('q')
        s.until('EXIT')
    tap.same(one(site, 'ana', task), 2, 'neomutt: where it was')
    tap.same(len(journals(site, task)), 1, 'neomutt: and nothing is told of that')


# ---- IMAP ----

def copy_and_expunge(site):
    task = open_task(site, 'Sweep')
    with site.imap('bo') as imap:
        uid = uid_of(imap, 1, task)
        imap.uid('COPY', uid, board(2))
        imap.uid('STORE', uid, '+FLAGS', '(\\Deleted)')
        imap.expunge()
        tap.same(one(site, 'cem', task), 2, 'COPY, \\Deleted, EXPUNGE')
        uid = uid_of(imap, 2, task)
        imap.uid('STORE', uid, '+FLAGS', '(\\Seen \\Flagged)')
        now = imap.uid('FETCH', uid, '(FLAGS)')[1][0]
        tap.ok(b'\\Seen' in now and b'\\Flagged' in now, 'flags of a card are kept', now)
        with site.imap('cem') as two:
            two.select(board(2))
            now = two.uid('FETCH', uid, '(FLAGS)')[1][0]
            tap.ok(b'\\Flagged' not in now, "and are one's own", now)
        imap.uid('STORE', uid, '+FLAGS', '(\\Deleted)')
        imap.expunge()
    tap.same(one(site, 'cem', task), 2, 'EXPUNGE alone: it comes again')
    tap.same(len(journals(site, task)), 1, 'and that is not told')


def append_many(site):
    with rawclient.Imap(site.port('imap')) as c:
        c.login('bo')
        all = [message(f'Many {i}') for i in range(5)]
        c.send(b'x APPEND ' + board(1).encode() + b''.join(b' {%d+}\r\n' % len(m) + m for m in all) + b'\r\n')
        while not (line := c.line()).startswith(b'x '):
            pass
    tap.ok(b'OK' in line, 'MULTIAPPEND of five', line)
    with site.imap() as imap:
        there = [s for _, s, _ in folder(imap, board(1)) if 'Many' in s]
        listed = folder(imap, board(1))
        m = re.search(rb'APPENDUID \d+ (\S+)\]', line)
        tap.same(sorted(s.split(' ', 1)[1] for s in there), [f'Many {i}' for i in range(5)], 'MULTIAPPEND: five tasks')
        low, _, high = m[1].split(b',')[0].partition(b':') if m else (b'0', b'', b'0')
        tap.ok(m and not {u for u, _, _ in listed} & set(range(int(low), int(high or low) + 1)), 'MULTIAPPEND: the numbers told are not those of the cards', (line, listed))


def race(site):
    both = conflicts = told = 0
    for round in range(6):
        task = open_task(site, f'Race {round}')
        gate, said = threading.Barrier(2), {}

        def run(person, column):
            with site.imap(person) as imap:
                uid = uid_of(imap, 1, task)
                gate.wait(180)
                said[person] = imap.uid('MOVE', uid, board(column))[0]
        threads = [threading.Thread(target=run, args=a) for a in (('bo', 2), ('cem', 3))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        both += one(site, 'dee', task) in (2, 3) and said == {'bo': 'OK', 'cem': 'OK'}
        conflicts += len([j for j in journals(site, task) if 'Not done:' in j]) == 1
        first, second = ('bo', 'cem') if one(site, 'dee', task) == 2 else ('cem', 'bo')
        told += (unread_journals(site, first, task), unread_journals(site, second, task)) == (1, 2)
    tap.same(both, 6, 'two at one card: it is in one column, six times')
    tap.same(conflicts, 6, 'two at one card: the thread tells the other what was not done')
    tap.same(told, 6, 'two at one card: and that is unread for both')


def condstore(site):
    task = open_task(site, 'Thunder')
    with site.imap('cem') as cem:
        uid = uid_of(cem, 1, task)
        with rawclient.Imap(site.port('imap')) as c:
            c.login('bo')
            c.command('ENABLE CONDSTORE QRESYNC')
            said = b''.join(map(bytes, raw(c, f'SELECT {board(2)} (CONDSTORE)')))
            validity, highest, next_ = (int(re.search(b'%s (\\d+)' % w, said)[1]) for w in (b'UIDVALIDITY', b'HIGHESTMODSEQ', b'UIDNEXT'))
            cem.uid('MOVE', uid, board(2))
            raw(c, 'NOOP')
            said = b''.join(raw(c, f'UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE {highest} VANISHED)'))
            new = [int(u) for u in re.findall(rb'FETCH \(UID (\d+)', said)]
            tap.ok(new and max(new) == next_ + 1 and b'MODSEQ' in said, 'CHANGEDSINCE gives the card that came', said)
            # by UID MOVE, as Thunderbird drags; then it looks at where it went
            said = b''.join(raw(c, f'UID MOVE {max(new)} {board(3)}'))
            tap.ok(re.search(rb'COPYUID \d+ %d \d+' % max(new), said) and b'VANISHED %d' % max(new) in said, 'UID MOVE: COPYUID and VANISHED', said)
            burned = int(re.search(rb'COPYUID \d+ \d+ (\d+)', said)[1])
            said = b''.join(raw(c, f'SELECT {board(2)} (QRESYNC ({validity} {highest} 1:{max(new)}))'))
            tap.ok(b'VANISHED (EARLIER)' in said and str(max(new)).encode() in said, 'QRESYNC: it has gone', said)
            raw(c, f'SELECT {board(3)}')
            said = b''.join(raw(c, f'UID FETCH {burned}:* (UID)'))
            tap.ok(re.search(rb'UID %d[ )]' % (burned + 1), said) and not re.search(rb'UID %d[ )]' % burned, said), 'the fresh card is the next number', said)
            # the client goes on with the number that it was told
            said = b''.join(raw(c, f'UID MOVE {burned} {board(4)}'))
            tap.ok(b'COPYUID' in said, 'the number that it was told moves it on', said)
    tap.same(one(site, 'ana', task), 4, 'and there it is')
    tap.ok(not any('Not done' in j for j in journals(site, task)), 'without a conflict', journals(site, task))


def raw(c, command):
    """The lines and literals of the answer."""
    c.send(f'q {command}\r\n')
    out = []
    while True:
        line = c.line()
        out.append(line)
        if m := re.search(rb'\{(\d+)\}\r\n$', line):
            out.append(c.octets(int(m[1])))
        elif line.startswith(b'q '):
            return out


def thirty(site):
    tasks = [open_task(site, f'Drag {i}') for i in range(30)]
    with site.imap('bo') as imap:
        imap.select(board(1), readonly=True)
        uids = [str(u) for u, s, _ in folder(imap, board(1)) if 'Drag' in s]
        imap.select(board(1))
        code, said = imap.uid('MOVE', ','.join(uids), board(3))
        tap.same((len(uids), code), (30, 'OK'), 'thirty cards at once')
    at = cards(site, 'dee')
    tap.same({str(at.get(t)) for t in tasks}, {'[3]'}, 'thirty cards: all are there')
    tap.same({len(journals(site, t)) for t in tasks[::7]}, {1}, 'thirty cards: each is told once')


def other_topic(site):
    task = open_task(site, 'Wrong team')
    with site.imap('bo') as imap:
        code, said = imap.uid('MOVE', uid_of(imap, 1, task), board(2, 'eng/ops'))
        tap.same(code, 'OK', 'to the board of another topic')
    tap.same((cards(site).get(task), cards(site, topic='eng/ops').get(task)), (None, [2]), 'it is there now and no longer here')
    with site.imap() as imap:
        there = [s for _, s, _ in folder(imap, 'Topics/eng/ops')]
    tap.ok('Wrong team' in there and any(s.startswith(f'[{task}]') for s in there), 'its thread goes on there', there)
    told = journals(site, task)
    tap.ok(told and 'Bo Lind moved this from the topic eng.backend to eng.ops.' in ' '.join(told[-1].split()), 'and who read it here are told', told)
    with site.imap('bo') as imap:
        imap.uid('MOVE', uid_of(imap, 2, task, 'eng/ops'), board(1))
    tap.same((cards(site).get(task), cards(site, topic='eng/ops').get(task)), ([1], None), 'and back again')
    site.baton('topic', 'add', 'secret', '--about', 'x', '--access', 'members', '--owner', 'ana')
    with site.imap('bo') as imap:
        uid = uid_of(imap, 1, task)
        code, said = imap.uid('MOVE', uid, '"Boards/secret/1 To do"')
        tap.ok(code == 'NO' and (b'NONEXISTENT' in said[0] or b'TRYCREATE' in said[0]), 'to a board that one may not see', said)
    tap.same(cards(site).get(task), [1], 'it stays')


def refusals(site):
    task = open_task(site, 'Stay here')
    with site.imap('bo') as imap:
        uid = uid_of(imap, 1, task)
        for command, name in ((('MOVE', uid, 'Archive'), 'to a folder of one\'s own'), (('MOVE', uid, 'Tasks/Mine'), 'to Tasks/Mine')):
            code, said = imap.uid(*command)
            text = said[0].decode()
            tap.ok(code == 'NO' and text.startswith('[NOPERM]') and len(text) > 30 and text.isascii(), f'a card {name}: {text}', said)
        for what, run in (('CREATE', lambda: imap.create('"Boards/eng/backend/9 Mine"')), ('DELETE', lambda: imap.delete(board(1))), ('RENAME', lambda: imap.rename(board(1), '"x"'))):
            code, said = run()
            text = said[0].decode()
            tap.ok(code == 'NO' and text.startswith('[NOPERM]') and len(text) > 30, f'{what} of a column: {text}', said)
    tap.same(one(site, 'ana', task), 1, 'it stays where it was')


def partly(site):
    """Some of a drag cannot be: the rest is done, and the client is told of which."""
    site.baton('topic', 'add', 'lab', '--about', 'x', '--access', 'members', '--owner', 'ana')
    site.baton('subscribe', 'bo', 'lab', 'digest')
    tasks = [open_task(site, f'Part {i}') for i in range(3)]
    with site.smtp('submission', 'ana') as c:
        c.sendmail('ana@team.example', [f'{tasks[1]}@team.example'], message('x', 'ana@team.example', f'{tasks[1]}@team.example', 'Assign: dee\r\n\r\nFor you.\r\n'))
    with site.imap('bo') as imap:
        imap.uid('COPY', uid_of(imap, 1, tasks[2]), board(1))  # it comes again, last
        uids = [uid_of(imap, 1, t) for t in tasks]
        code, said = imap.uid('MOVE', ','.join(uids), board(2, 'lab'))
        copied = imap.response('COPYUID')[1][0]
    text = said[0].decode()
    tap.ok(code == 'NO' and text.startswith('[CANNOT]') and 'Dee Howe' in text, f'what cannot be is refused: {text}', said)
    there = cards(site, 'bo', 'lab')
    tap.same([there.get(t) for t in tasks], [[2], None, [2]], 'the others are moved')
    tap.same(one(site, 'dee', tasks[1]), 1, 'the one stays')
    tap.ok(uids == sorted(uids, key=int) and copied and copied.split()[1].decode() == f'{uids[0]},{uids[2]}', 'COPYUID names those that went', copied)


def ranges(site):
    """A client that was away writes neighbours as a range, and numbers of what has gone lie in it."""
    tasks = [open_task(site, f'Range {i}') for i in range(4)]
    with site.imap('bo') as imap, site.smtp('submission', 'ana') as c:
        uids = [uid_of(imap, 1, t) for t in tasks]

        def touch(task):  # a new card, in the same column
            to = f'{task}@team.example'
            c.sendmail('ana@team.example', [to], message('x', 'ana@team.example', to, '/label +x\r\n'))
        touch(tasks[1])
        imap.noop()
        imap.uid('MOVE', f'{uids[0]}:{uids[2]}', board(2))
        tap.same([one(site, 'cem', t) for t in tasks], [2, 1, 2, 1], 'of a range of cards what has gone is not meant')
        touch(tasks[3])
        imap.select(board(1))
        imap.uid('MOVE', f'{uids[1]},{uids[3]}', board(3))
        tap.same([one(site, 'cem', t) for t in tasks], [2, 3, 2, 3], 'what is named by itself is')
        both = [open_task(site, f'Away {i}') for i in range(2)]
        gone = [uid_of(imap, 1, t) for t in both]
        for task in both:
            touch(task)
        imap.select(board(1))
        imap.uid('MOVE', ':'.join(gone), board(2))
        tap.same([one(site, 'cem', t) for t in both], [2, 2], 'and a range of which nothing is left')


def odd_ways(site):
    mail = message('Twice', sender='bo@team.example')
    with site.imap('bo') as imap:
        imap.append(board(1), None, None, mail)
        imap.append(board(3), None, None, mail)
        at = [c for t, c in cards(site).items() if any(s == f'{t} Twice' for n in (1, 3) for _, s, _ in folder(imap, board(n)))]
        tap.same(at, [[3]], 'the same message on two columns is one task, in the second')
        task = open_task(site, 'By way of Archive')
        imap.uid('COPY', uid_of(imap, 1, task), 'Archive')
        imap.select('Archive')
        code, said = imap.uid('MOVE', '*', board(2))
        tap.same((code, one(site, 'ana', task), folder(imap, 'Archive')), ('OK', 2, []), 'a card that was copied to a folder goes to a column from there')
        code, said = imap.append(board(1), None, None, message('Forged', sender='Ana <T-9999@team.example>', Message_ID='<card.T-9999.1@team.example>'))
        text = said[0].decode()
        tap.ok(code == 'NO' and 'T-9999' in text, f'a card of no task: {text}', said)
        # its reply, dragged onto the board, is about the same task
        with site.smtp('submission', 'bo') as c:
            c.sendmail('bo@team.example', [f'{task}@team.example'], message('Re: x', 'bo@team.example', f'{task}@team.example', 'A comment.\r\n', Message_ID=f'<comment.{task}@bo>'))
        imap.select('Topics/eng/backend')
        uid = imap.uid('SEARCH', None, 'HEADER', 'Message-ID', f'<comment.{task}@bo>')[1][0].decode()
        imap.uid('COPY', uid, board(4))
        tap.same(one(site, 'ana', task), 4, 'an answer in its thread moves the task, too')


def kept(site):
    """What a client keeps of an answer, in Drafts and Sent, commands nothing."""
    task = open_task(site, 'Kept')
    with site.imap('bo') as imap:
        imap.select('"Boards/eng/backend/1 To do"', readonly=True)
        card = imap.search(None, 'SUBJECT', f'"{task} "')[1][0].split()[0]
        answered = re.search(rb'References: *(<[^>]+>)', imap.fetch(card, '(BODY.PEEK[HEADER])')[1][0][1])[1].decode()
        for folder in 'Drafts', 'Sent', 'Archive':
            said = imap.append(folder, None, None, message('Re: Kept', 'bo@team.example', 'ana@team.example', '/done\r\n', In_Reply_To=answered))
            tap.same(said[0], 'OK', f'an answer is kept in {folder}')
    tap.same(one(site, 'ana', task), 1, 'and moves nothing')
    with site.smtp('submission', 'bo') as c:
        c.sendmail('bo@team.example', ['ana@team.example'], message('Re: Kept', 'bo@team.example', 'ana@team.example', '/done\r\n', In_Reply_To=answered))
    tap.same(one(site, 'ana', task), 4, 'sent to its author alone it does')


with Site(conf='\n[login]\nlogin-failures = 1000\n') as site:
    for part in (mbsync, neomutt, copy_and_expunge, append_many, race, condstore, thirty, other_topic, refusals, partly, ranges, odd_ways, kept):
        missing = [p for p in {mbsync: ['mbsync'], neomutt: ['neomutt', 'tmux']}.get(part, []) if not shutil.which(p)]
        if missing:
            tap.skip(part.__name__, f'{missing[0]} is not installed')
        elif not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part(site)
    settled('at the end', site)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
