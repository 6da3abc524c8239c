#!/usr/bin/env python3
"""Tasks from the command line: opened, changed, taken back, listed, drawn; the same tasks that mail and boards show."""
import csv, io, json, os, re, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()


def run(site, *args, code=0, **kw):
    r = site.baton(*args, check=False, **kw)
    text = (r.stdout + r.stderr).decode()
    if r.returncode != code:
        tap.ok(False, f'baton {" ".join(args)}: exit {code}', f'exit {r.returncode}: {text}')
    return text


def listed(site, *args):
    return [t['task'] for t in json.loads(run(site, 'task', 'list', '--json', *args))]


def board(site, *args):
    return run(site, 'board', 'eng.backend', *args).splitlines()


with Site() as site:
    tap.ok('No open tasks' in run(site, 'task', 'list'), 'an empty list says what to do')
    tap.same(run(site, 'task', 'add', 'eng.backend', '--title', 'Login fails on old phones', '--as', 'ana', '--set', 'assign=bo', '--set', 'due=2020-11-20',
                 '--set', 'priority=high', '--set', 'labels=auth ios', '--text', '-', input='It began today.\n\n[ ] find it\n/done\nStatus: done\n'),
             'T-1 opened in eng.backend\n', 'a task is opened')
    run(site, 'task', 'add', 'eng.backend', '--title', 'Renew, "now"', '--set', 'due=tomorrow', '--set', 'assign=cem')
    run(site, 'task', 'add', 'doc', '--title', 'Köln 日本語', '--as', 'cem', '--set', 'status=doing', '--set', 'assign=me', '--set', 'waits-on=T-1')
    one = json.loads(run(site, 'task', 'show', 'T-1', '--json'))
    tap.same([one[k] for k in ('title', 'topic', 'status', 'assignees', 'due', 'late', 'labels', 'priority', 'text')],
             ['Login fails on old phones', 'eng.backend', 'to-do', ['bo'], '2020-11-20', True, ['auth', 'ios'], 'high',
              'It began today.\n\n[ ] find it\n/done\nStatus: done'], 'its fields are those given, its text is only text')
    with site.imap('bo') as imap:
        imap.select('"Boards/eng/backend/1 To do"', readonly=True)
        _, data = imap.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (Subject From)])')
        tap.ok(b'T-1 Login fails' in data[0][1] and len([d for d in data if isinstance(d, tuple)]) == 2, 'the cards are on the board', data)
        imap.select('Topics/eng/backend', readonly=True)
        _, data = imap.fetch('1', '(BODY.PEEK[HEADER.FIELDS (From)])')
        tap.ok(b'ana@team.example' in data[0][1], 'the thread begins with what its author said', data)

    out = run(site, 'task', 'set', 'T-1', 'status=doing', 'due=2030-01-02', 'labels=+x -ios', '--as', 'bo', '--why', 'I know that code.')
    tap.ok('moved this from To do to Doing' in out and '2 Jan 2030' in out, 'a change is told', out)
    run(site, 'task', 'set', '1', '/take', '--as', 'dee')
    run(site, 'task', 'set', 't-2', '/done', '--as', 'cem')
    tap.ok('so already' in run(site, 'task', 'set', 'T-1', 'status=doing'), 'what is so already is said')
    for args, code, words in ((('T-1', 'status=foo'), 1, 'waiting, done'), (('T-1', 'x=y'), 2, 'no change'), (('T-1', 'due=soonish'), 2, 'a day is'),
                              (('T-1', 'x=y'), 2, 'there are status, assign,'), (('T-1', 'staus=doing'), 2, "was 'status=doing' meant?"),
                              (('T-1', 'due=soonish'), 2, "'due=soonish' is not"), (('T-1', '/don'), 2, 'did you mean "/done"?'),
                              (('T-1', 'assign=bob'), 1, 'Do you mean bo?'), (('T-1', 'assign=marques'), 1, 'Do you mean ana?'),
                              (('T-1', 'assign=Bo Marques'), 1, 'nobody called "marques"'), (('T-1', '/take'), 2, '--as'), (('T-1', 'foo'), 2, 'KEY=VALUE'),
                              (('T-1', 'due='), 2, 'none'), (('T-1', 'title=a\nStatus: done'), 2, 'more than one line'), (('T-1', '/undo'), 2, 'task'),
                              (('T-99', 'due=fri'), 1, 'no task T-99'), (('eng', 'due=fri'), 1, 'like T-142'), (('T-1', 'due=fri', 'status=foo'), 1, 'column'),
                              (('T-1', 'due=fri', '--as', 'zed'), 1, 'no person')):
        out = run(site, 'task', 'set', *args, code=code)
        tap.ok(out.startswith('baton: ') and words in out, f'refused: {" ".join(args)!r}', out)
    run(site, 'task', 'set', 'T-2', 'assign=Ana Marques, BO LIND and Dee')
    tap.same(json.loads(run(site, 'task', 'show', 'T-2', '--json'))['assignees'], ['cem', 'ana', 'bo', 'dee'], 'people may be called by their whole names')
    run(site, 'task', 'set', 'T-2', 'unassign=ana bo dee')
    one = json.loads(run(site, 'task', 'show', 'T-1', '--json'))
    tap.same([one[k] for k in ('status', 'assignees', 'due', 'late', 'labels')], ['doing', ['bo', 'dee'], '2030-01-02', False, ['auth', 'x']],
             'what was refused changed nothing')
    tap.same([(e['version'], e['person']) for e in one['history']], [(1, 'ana'), (2, 'bo'), (3, 'dee')], 'its history')
    shown = run(site, 'task', 'show', 'T-1')
    tap.ok(all(w in shown for w in ('Doing', 'Bo Lind, Dee Howe', '2030-01-02', 'Dee Howe took this.', 'mail T-1@team.example', '[ ] find it')),
           'shown for people', shown)
    run(site, 'task', 'undo', 'T-1', '--as', 'dee')
    tap.same(json.loads(run(site, 'task', 'show', 'T-1', '--json'))['assignees'], ['bo'], 'a change is taken back')
    tap.ok('nothing of yours' in run(site, 'task', 'undo', 'T-1', '--as', 'cem', code=1), "another's is not")

    run(site, 'task', 'set', 'T-1', 'due=2020-11-20')
    for args, want in (((), ['T-1', 'T-3']), (('--all',), ['T-1', 'T-2', 'T-3']), (('--late',), ['T-1']), (('--topic', 'doc'), ['T-3']),
                       (('--assignee', 'cem'), ['T-3']), (('--assignee', 'cem', '--all'), ['T-2', 'T-3']), (('--status', 'Done'), ['T-2'])):
        tap.same(listed(site, *args), want, f'task list {" ".join(args)}')
    tap.ok(re.search(r'days late +bo +eng\.backend +Login', run(site, 'task', 'list')), 'listed for people')

    wide = board(site, '--width', '100')
    tap.ok(re.match(r'1 To do \(0\) +2 Doing \(1\) +3 Waiting \(0\) +4 Done \(1\)$', wide[0]) and any('T-1 Login' in l and 'T-2 Renew' in l for l in wide),
           'columns stand side by side', '\n'.join(wide))
    tap.ok(max(map(len, wide)) <= 100 and '\033' not in ''.join(wide), 'within the width, and plain where it is no terminal')
    narrow = board(site, '--width', '40')
    tap.ok(narrow[0] == '1 To do (0)' and '2 Doing (1)' in narrow and max(map(len, narrow)) <= 40, 'a narrow terminal has one below the other', '\n'.join(narrow))
    tap.same([(c['column'], c['task']) for c in json.loads('\n'.join(board(site, '--json')))], [('Doing', 'T-1'), ('Done', 'T-2')], 'the board for programs')

    import fcntl, pty, struct, termios
    def on_terminal(columns, **env):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        p = subprocess.Popen([os.path.join(BUILD, 'baton'), '--home', site.home, 'board', 'eng.backend'], stdin=slave, stdout=slave, stderr=slave,
                             env={**os.environ, 'TERM': 'xterm', **env})
        os.close(slave)
        text = b''
        try:
            while piece := os.read(master, 4096):
                text += piece
        except OSError:
            pass
        os.close(master)
        p.wait()
        return text.decode()
    coloured = on_terminal(100)
    tap.ok('\033[31m' in coloured and coloured.splitlines()[0].count('(') == 4, 'a terminal has colours and its width', coloured)
    tap.ok('\033' not in on_terminal(100, NO_COLOR='1'), 'NO_COLOR is heeded')
    tap.ok('(' in on_terminal(30) and on_terminal(30).splitlines()[0].count('(') == 1, 'a narrow one stacks')

    rows = list(csv.DictReader(io.StringIO(site.baton('export', 'csv', '-', binary=True).decode(), newline='')))
    tap.same([[r[k] for k in ('number', 'topic', 'title', 'status', 'assignees', 'due', 'labels', 'waits')] for r in rows],
             [['T-1', 'eng.backend', 'Login fails on old phones', 'doing', 'bo', '2020-11-20', 'auth, x', ''],
              ['T-2', 'eng.backend', 'Renew, "now"', 'done', 'cem', rows[1]['due'], '', ''], ['T-3', 'doc', 'Köln 日本語', 'doing', 'cem', '', '', 'T-1']],
             'exported as CSV')
    tap.ok(rows[1]['closed'] and not rows[0]['closed'], 'with when they were closed')
    tap.same(len(list(csv.reader(io.StringIO(site.baton('export', 'csv', '--topic', 'doc', '-'))))), 2, 'of one topic')

    tap.ok('baton board eng.backend' in run(site, 'topic', 'set', 'eng.backend', '--columns', 'To do,Waiting,Done', code=1), 'a column with cards cannot go')
    run(site, 'topic', 'set', 'eng.backend', '--columns', 'To do,Doing,In review,Done')
    tap.ok('To do, Doing, In review, Done' in run(site, 'topic', 'show', 'eng.backend'), 'an empty one can')
    run(site, 'topic', 'add', 'de', '--columns', 'Zu tun,Erledigt', '--access', 'site')
    said = run(site, 'task', 'show', run(site, 'task', 'add', 'de', '--title', 'Deutsch').split()[0])
    tap.ok(run(site, *re.search('Here: +baton (.*) due=fri', said)[1].split()), 'what task show offers can be copied, whatever the columns are called', said)
    run(site, 'task', 'set', 'T-1', 'status=In review')
    tap.ok('In review' in run(site, 'task', 'list'), 'a new one takes cards')
    with site.imap('bo') as imap:
        tap.ok(imap.select('"Boards/eng/backend/3 In review"', readonly=True)[1] == [b'1'], 'where mail programs see it')
    site.baton('backup', os.path.join(site.folder, 'backup'))
    site.stop()
    tap.same(listed(site), ['T-1', 'T-3'], 'without batond, too')
    tap.same(json.loads(run(site, 'stats', '--json'))['messages'], sum(t['messages'] for t in json.loads(run(site, 'topic', 'list', '--json'))), 'stats counts what lies in topics, whoever filed it')
    tap.same(site.faults(), '', 'baton check is clean')
    home = os.path.join(site.folder, 'restored')
    baton = lambda *a: subprocess.run([os.path.join(BUILD, 'baton'), '--home', home, *a], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
    baton('restore', os.path.join(site.folder, 'backup'))
    number = baton('task', 'add', 'doc', '--title', 'new').split()[0]
    tap.ok(int(number[2:]) > 4 and 'Faults: 0' in re.sub(' +', ' ', baton('check')), 'a restored site gives no number of a task again', number)

COMPLETE = """source {top}/contrib/completion/baton
compopt() {{ :; }}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_baton
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(site, *words):
    environment = dict(os.environ, PATH=f'{BUILD}:{os.environ["PATH"]}', BATON_HOME='/nowhere')
    r = subprocess.run(['bash', '-c', COMPLETE.format(top=TOP), 'bash', 'baton', '--home', site.home, *words], env=environment,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    return r.stdout.decode().split()


with Site() as site:
    for title in 'One', 'Two':
        site.baton('task', 'add', 'doc', '--title', title)
    for words, want in (('ta',), ['task']), (('task', 'u'), ['undo']), (('task', 'show', 'T'), ['T-1', 'T-2']), (('task', 'set', 'T-1', 'st'), ['status=', 'start=']), \
            (('subscribe', ''), ['ana', 'bo', 'cem', 'dee']), (('subscribe', 'ana', 'eng.b'), ['eng.backend']), (('subscribe', 'ana', 'doc', 'n'), ['named', 'none']), \
            (('topic', 'set', 'doc', '--acc'), ['--access']), (('topic', 'set', 'doc', '--access', 's'), ['site']), (('user', 'set', 'ana', '--zone', 'Europe/Lisb'), ['Europe/Lisbon']), \
            (('help', 'task', 'a'), ['add']), (('task', 'list', '--late', '--topic', 'd'), ['doc']), (('topic', 'add', 'd'), []), (('frob', 'x'), []):
        tap.same(completed(site, *words), want, f'completion: baton {" ".join(words)}')

tap.done()
