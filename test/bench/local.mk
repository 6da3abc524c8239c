EXTRA_DIST += test/bench/run test/bench/sides.py test/bench/peers.py test/bench/load.h test/bench/load.c \
	test/bench/link.c test/bench/message.c test/bench/scenes.c
noinst_PROGRAMS += test/bench/morning
test_bench_morning_SOURCES = test/bench/morning.c
test_bench_morning_LDADD = libbaton.a
