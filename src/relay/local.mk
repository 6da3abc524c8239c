libbaton_a_SOURCES += \
	src/relay/client.c src/relay/client.h src/relay/relay.c src/relay/relay.h \
	src/relay/reply.c src/relay/reply.h src/relay/schedule.c src/relay/schedule.h src/relay/settle.c src/relay/settle.h
check_PROGRAMS += test/unit/relay_reply
test_unit_relay_reply_SOURCES = test/unit/relay_reply.c
test_unit_relay_reply_LDADD = $(UNIT_LIBS)
