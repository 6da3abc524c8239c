EXTRA_DIST += test/bench/run test/bench/sides.py test/bench/peers.py test/bench/load.h test/bench/load.c \
	test/bench/link.c test/bench/message.c test/bench/scenes.c
