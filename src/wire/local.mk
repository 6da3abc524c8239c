libbaton_a_SOURCES += \
	src/wire/block.c src/wire/crew.c src/wire/crew.h src/wire/dial.c src/wire/dial.h \
	src/wire/dns.c src/wire/dns.h src/wire/dial_tls.c src/wire/dial_tls.h src/wire/inside.h src/wire/limits.c \
	src/wire/listen.c src/wire/sasl.c src/wire/sasl.h src/wire/sasl_scram.c src/wire/session.c \
	src/wire/share.c src/wire/squeeze.c src/wire/stay.c src/wire/stream.c src/wire/table.c src/wire/tls.c src/wire/tls.h \
	src/wire/verb.c src/wire/verb.h \
	src/wire/wire.c src/wire/wire.h
check_PROGRAMS += test/unit/base_crypt test/unit/wire_crew test/unit/wire_block \
	test/unit/wire_sasl test/unit/wire_squeeze test/unit/wire_tls test/unit/wire_verb
test_unit_base_crypt_SOURCES = test/unit/base_crypt.c
test_unit_base_crypt_LDADD = $(UNIT_LIBS)
test_unit_wire_crew_SOURCES = test/unit/wire_crew.c test/unit/wire_echo.c test/unit/wire_echo.h
test_unit_wire_crew_LDADD = $(UNIT_LIBS)
test_unit_wire_block_SOURCES = test/unit/wire_block.c test/unit/wire_echo.c test/unit/wire_echo.h
test_unit_wire_block_LDADD = $(UNIT_LIBS)
test_unit_wire_sasl_SOURCES = test/unit/wire_sasl.c
test_unit_wire_sasl_LDADD = $(UNIT_LIBS)
test_unit_wire_squeeze_SOURCES = test/unit/wire_squeeze.c
test_unit_wire_squeeze_LDADD = $(UNIT_LIBS)
test_unit_wire_tls_SOURCES = test/unit/wire_tls.c test/unit/wire_echo.c test/unit/wire_echo.h
test_unit_wire_tls_LDADD = $(UNIT_LIBS)
test_unit_wire_verb_SOURCES = test/unit/wire_verb.c
test_unit_wire_verb_LDADD = $(UNIT_LIBS)
