#!/usr/bin/env python3
"""Who is believed at run/deliver and by `baton deliver`: users whom deliver-users lists, and neither root nor the
daemon's own user. A mail server's pipe hands on what the world claims. With batond and without."""
import os, pwd, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

tap = Tap()


def listed(site, who):
    """deliver-users of the site from now on; None: the key is not there."""
    path = os.path.join(site.home, 'baton.conf')
    with open(path) as f:
        lines = [l for l in f if not l.startswith('deliver-users')]
    at = lines.index('[login]\n') + 1
    if who is not None:
        lines.insert(at, f'deliver-users = {who}\n')
    with open(path, 'w') as f:
        f.writelines(lines)
    if site.daemon:
        site.stop()
        site.start()


def deliver(site, sender, to, subject, user=None, author=None):
    """Exit status and what was said; the mail's From is the sender, unless it has another author."""
    become = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []} if user else {}
    ident = f'<{subject.replace(" ", ".")}@pipe.example>'
    r = subprocess.run([os.path.join(BUILD, 'baton'), '--home', site.home, 'deliver', '--from', sender, to],
                       input=message(subject, sender=author or sender, to=to, Message_ID=ident).replace(b'\r\n', b'\n'),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd='/', **become)
    return r.returncode, r.stdout.decode()


def whole(site, name, user=None):
    """Nobody is listed, then this user; `name` for the messages."""
    me = user.pw_name if user else str(os.getuid())
    listed(site, None)
    status, said = deliver(site, 'bo@team.example', 'ana@team.example', f'{name} forged', user)
    tap.ok(status == 77 and 'an address of this site' in said, f'{name}, not listed: an address of the site is refused', f'{status} {said}')
    status, said = deliver(site, 'bo@team.example', 'nobody@team.example', f'{name} forged to nobody', user)
    tap.ok(status == 77, f'{name}, not listed: whoever it is for', f'{status} {said}')
    tap.same(deliver(site, 'zoe@outside.example', 'ana@team.example', f'{name} from outside', user)[0], 0, f'{name}, not listed: mail from outside comes')
    status, said = deliver(site, 'zoe@outside.example', 'closed@team.example', f'{name} not a member', user)
    tap.ok(status in (67, 77), f'{name}, not listed: and has the rights of mail from outside', f'{status} {said}')
    tap.same(deliver(site, 'bo@home.example', 'closed@team.example', f'{name} from home', user)[0], 0, f"{name}, not listed: a member's outside address may post")
    status, said = deliver(site, '<>', 'ana@team.example', f'{name} From forged', user, author='bo@team.example')
    tap.ok(status == 77, f'{name}, not listed: nor does a From do it that claims the site, behind the null sender', f'{status} {said}')
    listed(site, f'nosuchuser, {me}')
    tap.same(deliver(site, 'bo@team.example', 'closed@team.example', f'{name} believed', user)[0], 0, f'{name}, listed: says who wrote, and has his rights')
    status, said = deliver(site, 'bo@team.example', 'nobody@team.example', f'{name} to nobody', user)
    tap.same(status, 67, f'{name}, listed: nobody has that name')
    listed(site, None)
    tap.same(deliver(site, 'bo@team.example', 'ana@team.example', f'{name} no more', user)[0], 77, f'{name}: no more listed, no more believed')


with Site() as site:
    with open(os.path.join(site.home, 'baton.conf')) as f:
        tap.ok(f'\ndeliver-users = {os.getuid()} ' in f.read(), 'a site to try out lists the user who made it')
    site.baton('topic', 'add', 'closed', '--access', 'members')
    site.baton('subscribe', 'bo', 'closed', 'digest')
    site.baton('user', 'set', 'bo', '--address', 'bo@home.example')
    whole(site, "the daemon's user")
    if os.getuid():
        tap.skip('a mail server', 'needs root to be another user')
    else:
        for folder in (site.folder, site.home, os.path.join(site.home, 'run')):
            os.chmod(folder, 0o755)
        whole(site, 'mail', pwd.getpwnam('mail'))
        os.chmod(site.folder, 0o700)
        status, said = deliver(site, 'zoe@outside.example', 'ana@team.example', 'kept out', pwd.getpwnam('mail'))
        tap.ok(status == 75 and 'permissions' in said, 'who may not reach the site hears so, not that it does not run', f'{status} {said}')
        os.chmod(site.folder, 0o755)
        site.stop()
        status, said = deliver(site, 'zoe@outside.example', 'ana@team.example', 'stopped', pwd.getpwnam('mail'))
        tap.ok(status == 75 and 'does not run' in said, 'and who comes when it does not run hears that', f'{status} {said}')
        site.start()
    status, said = deliver(site, 'zoe@outside.example', 'ana', 'no domain')
    tap.ok(status == 67 and 'name@team.example' in said, 'a name without its domain is refused with what to write', f'{status} {said}')
    site.stop()
    whole(site, 'without batond')
    site.start()
    with site.imap('ana') as imap:
        imap.select('INBOX', readonly=True)
        for name in ('forged', 'no more', 'From forged'):
            tap.same(imap.search(None, 'SUBJECT', f'"{name}"')[1], [b''], f'nothing refused has come: {name}')
    tap.same(site.stop(), 0, 'a clean end')
    tap.same(site.faults(), '', 'baton check is clean')
tap.done()
