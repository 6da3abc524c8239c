#!/usr/bin/env python3
"""Four people at one board over SMTP, IMAP and NNTP, at random, often from what they saw some time ago, with kill -9 now and
then; a model beside them knows what each change must come to: applied, so already, or in conflict. Every card is in exactly
one column for everybody, every event is told once, no field is lost. BATON_STEPS (250), BATON_SEED."""
import os, random, re, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

STEPS = int(os.environ.get('BATON_STEPS') or 250)
SEED = seed()
R = random.Random(SEED)
COLUMNS = {'to-do': '1 To do', 'doing': '2 Doing', 'waiting': '3 Waiting', 'done': '4 Done'}
WHO = [name for name, _, _ in PEOPLE]
SETS = ('assignee', 'labels', 'waits')
tap = Tap()
tasks = {}   # number -> Task
done = {}    # what was done -> how often
deeds = []   # in words, for who looks into a failure


def count(what):
    done[what] = done.get(what, 0) + 1


def mailbox(status):
    return f'"Boards/eng/backend/{COLUMNS[status]}"'


class Task:
    """What a task must be."""
    def __init__(self, number, title, status, **fields):
        self.number, self.opening = number, None
        self.fields = {'status': status, 'assignee': [], 'due': '', 'labels': [], 'priority': '', 'title': title, 'waits': [], **fields}
        self.events = [None]  # of version 1; each (who, {field: (before, after)})

    @property
    def version(self):
        return len(self.events)

    @property
    def open(self):
        return self.fields['status'] not in ('done', 'dropped')

    def last_after(self, against, field):
        """Who changed the field last since that version; None: nobody."""
        return next((by for by, changes in reversed([e for e in self.events[against:] if e]) if field in changes), None)

    def change(self, who, wants, against, by_mail=False):
        """wants: {field: value}, of sets (added, removed). What came of it. By mail nobody is in conflict with himself."""
        changes, conflict = {}, False
        for field, want in wants.items():
            now = self.fields[field]
            if field in SETS:
                after = [x for x in now if x not in want[1]]
                after += [x for x in want[0] if x not in after]
                after = after if field == 'assignee' else sorted(after)
            else:
                after = want
            if after == now:
                continue
            last = self.last_after(against, field)
            if field not in SETS and last and not (by_mail and last == who):
                conflict = True
            else:
                changes[field] = (now, after)
        if not changes and not conflict:
            count('same')
            return 'same'
        for field, (_, after) in changes.items():
            self.fields[field] = after
        self.events.append((who, changes))
        count('conflict' if conflict else 'applied')
        return 'conflict' if conflict else 'applied'

    def undo(self, who):
        for version in range(self.version, 1, -1):
            by, changes = self.events[version - 1]
            if by == who and changes:
                back = {f: ([x for x in b if x not in a], [x for x in a if x not in b]) if f in SETS else b for f, (b, a) in changes.items()}
                count('undo')
                return self.change(who, back, version, by_mail=True)
        return 'nothing'


class Person:
    def __init__(self, site, name):
        self.site, self.name, self.seen = site, name, {}  # task -> (status, uid, version, octets)
        self.connections = {}

    def of(self, kind):
        if kind not in self.connections:
            self.connections[kind] = {'imap': lambda: self.site.imap(self.name), 'nntp': lambda: self.site.nntp(self.name),
                                      'smtp': lambda: self.site.smtp('submission', self.name)}[kind]()
        return self.connections[kind]

    def look(self, task):
        """Sees the card as it is now; None when there is none."""
        self.seen.pop(task.number, None)
        if task.fields['status'] == 'dropped':
            return None
        imap = self.of('imap')
        imap.select(mailbox(task.fields['status']))
        found = imap.uid('SEARCH', None, 'HEADER', 'Message-ID', f'<card.T-{task.number}.')[1][0].split()
        assert len(found) == 1, (f'T-{task.number} for {self.name} in {task.fields["status"]}', found)
        octets = imap.uid('FETCH', found[0], '(BODY.PEEK[])')[1][0][1]
        version = int(re.search(rb'(?i)^Message-ID: *<card\.T-\d+\.(\d+)@', octets, re.M)[1])
        assert version == task.version, (f'T-{task.number}', version, task.version)
        self.seen[task.number] = (task.fields['status'], int(found[0]), version, octets)
        return self.seen[task.number]

    def view(self, task):
        """What this one knows of it, perhaps of some time ago."""
        return self.seen[task.number] if task.number in self.seen and R.random() < .4 else self.look(task)

    def send(self, to, subject, body, **fields):
        mail = message(subject, f'{self.name}@team.example', to, body, **fields)
        self.of('smtp').sendmail(f'{self.name}@team.example', [to], mail)

    def post(self, subject, body, **fields):
        mail = message(subject, f'{self.name}@team.example', 'x', body, Newsgroups='eng.backend', **fields).replace(b'To: x\r\n', b'')
        self.of('nntp').post(mail.split(b'\r\n'))

    def append(self, status, octets):
        code, said = self.of('imap').append(mailbox(status), None, None, octets)
        assert code == 'OK', said


def numbers_now(person):
    """Numbers of all tasks by what lies in the columns."""
    imap, out = person.of('imap'), {}
    for status in COLUMNS:
        imap.select(mailbox(status), readonly=True)
        found = imap.uid('FETCH', '1:*', '(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT BATON-TASK)])')[1]
        for part in found:
            if isinstance(part, tuple):
                text = re.sub(r'\r\n[ \t]+', ' ', part[1].decode())
                m = re.search(r'<card\.T-(\d+)\.(\d+)@', text)
                out.setdefault(int(m[1]), []).append((status, int(m[2]), re.search(r'(?i)^Baton-Task: (.*)\r', text, re.M)[1], re.search(r'(?i)^Subject: (.*)\r', text, re.M)[1]))
    return out


# ---- what people do ----

def open_one(p):
    title = f'Thing {len(tasks) + 1} {R.randrange(1000)}'
    wants = {}
    way = R.choice(['+task', 'subject', 'news', 'drop', 'folder'])
    status = 'to-do'
    lines = []
    if R.random() < .5:
        wants['due'] = R.choice(['2020-02-03', '2031-05-06'])
        lines.append(f'Due: {wants["due"]}')
    if R.random() < .5:
        who = R.choice(WHO)
        wants['assignee'] = [who]
        lines.append(f'Assign: {who}')
    body = ''.join(line + '\r\n' for line in lines) + '\r\nWhat is to be done.\r\n'
    if way == '+task':
        p.send('eng.backend+task@team.example', title, body)
    elif way == 'subject':
        p.send('eng.backend@team.example', f'[task] {title}', body)
    elif way == 'news':
        p.post(f'[task] {title}', body)
    else:
        status, wants = R.choice(list(COLUMNS)), {}
        mail = message(title, f'{p.name}@team.example')
        if way == 'drop':
            p.append(status, mail)
        else:
            imap = p.of('imap')
            imap.append('Archive', None, None, mail)
            imap.select('Archive')
            assert imap.uid('MOVE', '*', mailbox(status))[0] == 'OK'
            assert imap.search(None, 'ALL')[1] == [b''], 'it is still in Archive'
    new = [n for n in numbers_now(p) if n not in tasks]
    assert len(new) == 1, ('one task was opened', way, new)
    tasks[new[0]] = Task(new[0], title, status, **wants)
    deeds.append(f'{p.name} opens T-{new[0]} by {way} in {status}, {wants}')
    count('open by ' + way)


def move(p, task):
    view = p.view(task)
    if not view:
        return mail(p, task)
    status, uid, version, octets = view
    target, way = R.choice(list(COLUMNS)), R.choice(['MOVE', 'MOVE', 'COPY', 'EXPUNGE, APPEND', 'APPEND, EXPUNGE'])
    if not octets and 'APPEND' in way:
        way = 'MOVE'
    imap = p.of('imap')
    imap.select(mailbox(status))
    deeds.append(f'{p.name} moves T-{task.number} {version} by {way} from {status} {uid} to {target}')
    came = None

    def expunge():
        imap.uid('STORE', str(uid), '+FLAGS', '(\\Deleted)')
        imap.uid('EXPUNGE', str(uid))
    if way in ('MOVE', 'COPY'):
        code, said = imap.uid(way, str(uid), mailbox(target))
        assert code == 'OK', said
        told = imap.response('COPYUID')[1][0]
        came = int(told.split()[-1]) if told else None
        assert came, ('no COPYUID', code, said)
        if way == 'COPY':
            expunge()
    elif way == 'EXPUNGE, APPEND':
        expunge()
        p.append(target, octets)
    else:
        p.append(target, octets)
        imap.select(mailbox(status))
        expunge()
    task.change(p.name, {'status': target}, version)
    count('move by ' + way)
    p.seen.pop(task.number)
    if came and R.random() < .5:  # goes on with the number that it was told
        p.seen[task.number] = (target, came, task.version, None)


def expunge(p, task):
    view = p.view(task)
    if view:
        imap = p.of('imap')
        imap.select(mailbox(view[0]))
        imap.uid('STORE', str(view[1]), '+FLAGS', '(\\Deleted)')
        imap.expunge()
        deeds.append(f'{p.name} expunges T-{task.number} {view[2]}')
        count('expunge')


def wish(p, task, fields):
    """(lines, wants) for some fields."""
    top, verbs, wants = [], [], {}
    for field in fields:
        if field == 'status':
            status, line = R.choice([('doing', '/start'), ('done', '/done'), ('dropped', '/drop'), ('to-do', '/reopen'), ('waiting', 'Status: waiting')])
            wants[field] = status
            (verbs if line[0] == '/' else top).append(line)
        elif field == 'due':
            wants[field] = R.choice(['2020-02-03', '2031-05-06', '2032-01-02'])
            verbs.append(f'/due {wants[field]}')
        elif field == 'assignee':
            who, how = R.choice(WHO), R.choice(['/take', 'Assign', 'Unassign'])
            wants[field] = ([p.name], []) if how == '/take' else ([who], []) if how == 'Assign' else ([], [who])
            (verbs if how == '/take' else top).append(how if how == '/take' else f'{how}: {who}')
        elif field == 'labels':
            add, remove = R.sample(['auth', 'ios', 'slow', 'web'], 2)
            wants[field] = ([add], [remove])
            verbs.append(f'/label +{add} -{remove}')
        elif field == 'priority':
            word = R.choice(['high', 'low', 'normal'])
            wants[field] = '' if word == 'normal' else word
            top.append(f'Priority: {word}')
        elif field == 'title':
            wants[field] = f'Called {R.randrange(1000)}'
            top.append(f'Title: {wants[field]}')
        else:
            others = [n for n in tasks if n != task.number]
            if others:
                n = R.choice(others)
                wants[field] = ([n], [])
                verbs.append(f'/wait T-{n}')
    return top, verbs, wants


def mail(p, task):
    view = p.view(task)
    fields = R.sample(['status', 'status', 'due', 'assignee', 'labels', 'priority', 'title', 'waits'], R.choice([1, 1, 2, 3]))
    top, verbs, wants = wish(p, task, list(dict.fromkeys(fields)))
    body = ''.join(x + '\r\n' for x in top) + '\r\nSome words.\r\n' + ''.join(x + '\r\n' for x in verbs)
    answer(p, task, view, body)
    deeds.append(f'{p.name} answers T-{task.number} {view and view[2]}: {top + verbs}')
    task.change(p.name, wants, view[2] if view else task.version, by_mail=True)


def answer(p, task, view, body):
    subject, to = f'Re: T-{task.number}', f'T-{task.number}@team.example'
    ident = f'<card.T-{task.number}.{view[2]}@team.example>' if view else ''
    way = R.choice(['task', 'topic', 'news']) if view else 'task'
    if way == 'news':
        p.post(subject, body, References=ident)
    else:
        p.send(to if way == 'task' else 'eng.backend@team.example', subject, body, **({'In_Reply_To': ident} if view else {}))
    count('answer by ' + way)


def undo(p, task):
    answer(p, task, None, '/undo\r\n')
    deeds.append(f'{p.name} undoes T-{task.number}: {task.undo(p.name)}')


def race(p, task):
    """Two at one field, or at two, at the same moment."""
    other = people[R.choice([n for n in WHO if n != p.name])]
    a, b = p.look(task), other.look(task)
    if not a:
        return mail(p, task)
    first, second = R.sample([s for s in COLUMNS if s != a[0]], 2)
    differ = R.random() < .4
    gate, said = threading.Barrier(2), []

    def run(who, view, target):
        imap = who.of('imap')
        imap.select(mailbox(view[0]))
        gate.wait(300)
        if target:
            said.append(imap.uid('MOVE', str(view[1]), mailbox(target))[0])
        else:
            who.send(f'T-{task.number}@team.example', 'x', '/due 2033-03-03\r\n', In_Reply_To=f'<card.T-{task.number}.{view[2]}@team.example>')
            said.append('OK')
    other.of('smtp')
    threads = [threading.Thread(target=run, args=args) for args in ((p, a, first), (other, b, None if differ else second))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert said == ['OK', 'OK'], said
    at = numbers_now(p)[task.number]
    assert len(at) == 1 and at[0][0] in ((first,) if differ else (first, second)), (task.number, at, first, second)
    deeds.append(f'{p.name} and {other.name} both at T-{task.number} {a[2]}: {first}, {"due" if differ else second}; {at[0][0]}')
    if differ:
        task.change(p.name, {'status': first}, a[2])
        task.change(other.name, {'due': '2033-03-03'}, a[2])
    else:
        order = [(p.name, first), (other.name, second)]
        for who, target in order if at[0][0] == first else reversed(order):
            task.change(who, {'status': target}, a[2])
    count('race')


# ---- what must be ----

def shown(task):
    f = task.fields
    out = [f'T-{task.number}', f'status={f["status"]}']
    for name in ('assignee', 'due', 'labels', 'priority'):
        value = ','.join(f[name]) if isinstance(f[name], list) else f[name]
        out += [f'{name}={value}'] if value else []
    return '; '.join(out)


def differences(site):
    out = []
    want = {n: [(t.fields['status'], t.version, shown(t))] for n, t in tasks.items() if t.fields['status'] != 'dropped'}
    for p in people.values():
        got = numbers_now(p)
        for n in sorted(set(got) | set(want)):
            seen = [x[:3] for x in got.get(n, [])]
            if seen != want.get(n, []):
                out.append(f'T-{n} for {p.name}: {seen}, not {want.get(n)}')
            elif not got[n][0][3].startswith(f'T-{n} {tasks[n].fields["title"]}'):
                out.append(f'T-{n} for {p.name}: {got[n][0][3]}')
        awaited = {n for t in tasks.values() if t.open for n in t.fields['waits']}
        mine = {n for n, t in tasks.items() if t.open and p.name in t.fields['assignee']}
        for folder, there in (('Tasks/Mine', mine), ('Tasks/Late', {n for n in mine if tasks[n].fields['due'].startswith('2020')}),
                              ('"Tasks/Waiting on me"', mine & awaited)):
            got = numbers_in(p, folder)
            if got != sorted(there):
                out.append(f'{folder} of {p.name}: {got}, not {sorted(there)}')
    told = journals(people['ana'])
    for n, t in tasks.items():
        if sorted(told.get(n, [])) != list(range(2, t.version + 1)):
            out.append(f'T-{n} at version {t.version} is told as {sorted(told.get(n, []))}')
    return out


def numbers_in(p, folder):
    imap = p.of('imap')
    if imap.select(folder, readonly=True)[0] != 'OK':
        return []
    found = imap.uid('FETCH', '1:*', '(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])')[1]
    return sorted(int(re.search(rb'card\.T-(\d+)\.', x[1])[1]) for x in found if isinstance(x, tuple))


def journals(p):
    imap, out = p.of('imap'), {}
    imap.select('Topics/eng/backend', readonly=True)
    for x in imap.uid('FETCH', '1:*', '(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])')[1]:
        if isinstance(x, tuple) and (m := re.search(rb'<journal\.T-(\d+)\.(\d+)@', x[1])):
            out.setdefault(int(m[1]), []).append(int(m[2]))
    return out


def step(site):
    p = people[R.choice(WHO)]
    if len(tasks) < 3 or R.random() < .06:
        return open_one(p)
    deed = R.choices([move, mail, expunge, undo, race], [35, 30, 8, 15, 8])[0]
    deed(p, tasks[R.choice(list(tasks))])


def reconnect():
    for p in people.values():
        p.connections = {}


print(f'# seed {SEED}')
with Site(conf='\n[login]\nlogin-failures = 1000\n') as site:
    people = {name: Person(site, name) for name in WHO}
    fault, kills, at = '', 0, 0
    try:
        for at in range(1, STEPS + 1):
            step(site)
            if R.random() < .02:
                site.kill()
                site.start()
                reconnect()
                kills += 1
                deeds.append('kill -9')
            if at % 100 == 0 or at == STEPS:
                wrong = differences(site)
                assert not wrong, '\n'.join(wrong)
    except Exception as e:
        fault = f'seed {SEED}, step {at}: {type(e).__name__} {e}\n' + '\n'.join(deeds[-25:])
    tap.ok(not fault, f'{at} steps, {kills} times killed, {len(tasks)} tasks: all is as the model has it', fault)
    print('# ' + ', '.join(f'{k} {v}' for k, v in sorted(done.items())))
    missing = [w for w in ('applied', 'conflict', 'same', 'undo', 'race', 'expunge') if not done.get(w)]
    tap.ok(fault or not missing, 'everything was tried', missing)
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
