"""outward.py - what the tests of outgoing mail share: [relay] written anew, mail sent, the queue watched, reports read."""
import email, json, os, signal, time
from baton import message

MARK = '\n# of this test\n[relay]\n'
FAST = {'retry-first': '1s', 'retry-most': '1s', 'reply-wait': '300s'}


def set_relay(site, port=None, **keys):
    """Writes [relay] anew and has it read. port: of a next hop here, or what `relay` says."""
    path = os.path.join(site.home, 'baton.conf')
    with open(path) as f:
        conf = f.read().split(MARK)[0]
    if port:
        keys = {'relay': f'127.0.0.1:{port}' if isinstance(port, int) else port, **FAST, **{k.replace('_', '-'): v for k, v in keys.items()}}
        conf += MARK + ''.join(f'{k} = {v}\n' for k, v in keys.items())
    with open(path, 'w') as f:
        f.write(conf)
    if site.daemon:
        n = site.log().count('reload: ')
        site.daemon.send_signal(signal.SIGHUP)
        if not waits(site, lambda: site.log().count('reload: ') > n):
            raise RuntimeError('batond does not reload:\n' + site.log()[-3000:])


def send(site, to, subject='Hello', sender='bo@team.example', person='bo', data=None, **fields):
    to = [to] if isinstance(to, str) else to
    data = data or message(subject, sender=sender or 'bo@team.example', to=', '.join(to), **fields)
    with site.smtp('submission', person) as c:
        refused = c.sendmail(sender, to, data, mail_options=['BODY=8BITMIME'])
    assert not refused, refused
    return data


def queue(site):
    return json.loads(site.baton('queue', 'list', '--json'))


def waits(site, what, seconds=180):
    """Until what() holds."""
    until = time.time() + seconds
    while time.time() < until and not what():
        time.sleep(0.05)
    return what()


def drained(site, seconds=180):
    """Until the queue is empty, and what came of it is on disk and shown: a change made afterwards waits for both."""
    until = time.time() + seconds
    while time.time() < until:
        if not queue(site):
            site.baton('subscribe', 'ana', 'doc', 'digest')
            return True
        time.sleep(0.1)
    return False


def notices(site, person='bo', about=''):
    """The delivery reports in the INBOX that name an address."""
    c = site.imap(person)
    c.select('INBOX')
    out = []
    for n in c.search(None, 'ALL')[1][0].split():
        raw = c.fetch(n, '(BODY.PEEK[])')[1][0][1]
        mail = email.message_from_bytes(raw)
        if mail.get_content_type() == 'multipart/report' and about.encode() in raw:
            out.append(mail)
    c.logout()
    return out


def status_of(notice):
    part = [p for p in notice.walk() if p.get_content_type() == 'message/delivery-status'][0]
    return '\n'.join(block.as_string() for block in part.get_payload())
