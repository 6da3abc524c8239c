"""screen.py - a terminal program in tmux, driven and read as a person does: no fixed waits, only 'until it shows'."""
import os, re, shutil, subprocess, tempfile, time


class Screen:
    def __init__(self, command, columns=100, lines=36, env=None):
        self.folder = tempfile.mkdtemp(prefix='screen-')
        self.socket = os.path.join(self.folder, 'tmux')
        environment = dict(os.environ, TERM='screen', LANG='C.UTF-8', LC_ALL='C.UTF-8', **(env or {}))
        environment.pop('TMUX', None)
        subprocess.run(['tmux', '-S', self.socket, '-f', '/dev/null', 'new-session', '-d', '-x', str(columns), '-y', str(lines),
                        command + '; echo EXIT $?; sleep 600'], env=environment, check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(['tmux', '-S', self.socket, 'kill-server'], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def text(self):
        r = subprocess.run(['tmux', '-S', self.socket, 'capture-pane', '-p'], stdout=subprocess.PIPE)
        return r.stdout.decode(errors='replace')

    def keys(self, *keys):
        subprocess.run(['tmux', '-S', self.socket, 'send-keys', *keys], check=True)

    def until(self, pattern, seconds=180):
        """True once the pattern shows; False when it does not within the time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, self.text()):
                return True
            time.sleep(0.1)
        print(f'# never on the screen: {pattern}', flush=True)
        return False
