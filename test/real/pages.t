#!/usr/bin/env python3
"""The manual as it is read in a terminal of 80 columns: no line is wider, and groff warns of nothing."""
import glob, os, shutil, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import *

if not shutil.which('man') or not shutil.which('groff'):
    skip_all('man and groff are not installed')
tap = Tap()
pages = sorted(glob.glob(os.path.join(TOP, 'doc', '*.[1-8]'))) + [os.path.join(BUILD, 'doc', 'baton-headers.7')]
for page in pages:
    name = os.path.basename(page)
    shown = subprocess.run(['groff', '-mandoc', '-Tutf8', '-P-cbou', '-rLL=78n', page], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    lines = shown.stdout.decode().split('\n')
    tap.ok(len(lines) > 40, f'{name} is shown', shown.stdout[-500:])
    tap.same([line for line in lines if len(line.expandtabs()) > 80], [], f'{name}: 80 columns')
    tap.same(shown.stderr.decode(), '', f'{name}: no warning')
tap.done()
