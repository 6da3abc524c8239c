#!/usr/bin/env python3
"""All transcripts of this folder against one site."""
import glob, os, subprocess, sys
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, '..', 'lib'))
from baton import *

with Site(people=[PEOPLE[0]], topics=[], conf='\n[login]\nlogin-failures = 1000\n[site]\ndistrib-pats = 10:*:local 90:eng.*,!eng.ops:world\n') as site:
    environment = dict(os.environ, PORT_BASE=str(site.base), BATON=os.path.join(BUILD, 'baton'), BATON_HOME=site.home)
    files = sys.argv[1:] or sorted(glob.glob(os.path.join(FOLDER, '*.talk')))
    failed = subprocess.run([sys.executable, os.path.join(FOLDER, 'talk.py'), *files], env=environment).returncode
    code = site.stop()
    if code:
        print(f'# batond ended with {code}\n' + site.log()[-4000:].replace('\n', '\n# '))
sys.exit(failed or code)
