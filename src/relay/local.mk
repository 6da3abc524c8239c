libbaton_a_SOURCES += \
	src/relay/client.c src/relay/client.h src/relay/client_inside.h src/relay/client_send.c src/relay/deliver.c src/relay/deliver.h \
	src/relay/domains.c src/relay/domains.h src/relay/parts.c src/relay/parts.h src/relay/pool.c src/relay/pool.h \
	src/relay/route.c src/relay/route.h src/relay/relay.c src/relay/relay.h \
	src/relay/reply.c src/relay/reply.h src/relay/schedule.c src/relay/schedule.h src/relay/settle.c src/relay/settle.h
check_PROGRAMS += test/unit/relay_reply
test_unit_relay_reply_SOURCES = test/unit/relay_reply.c
test_unit_relay_reply_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/relay_domains
test_unit_relay_domains_SOURCES = test/unit/relay_domains.c
test_unit_relay_domains_LDADD = $(UNIT_LIBS)
