EXTRA_DIST += contrib/build contrib/packages test/all test/layers test/run1 test/tsan.supp test/lib/baton.py test/lib/hop.py test/lib/outward.py test/lib/rawclient.py test/lib/screen.py
