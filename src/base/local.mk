libbaton_a_SOURCES += \
	src/base/arena.c src/base/arena.h src/base/banned.h src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h src/base/crypt.c src/base/crypt.h \
	src/base/encode.c src/base/encode.h src/base/fail.c src/base/fail.h src/base/log.c src/base/log.h \
	src/base/idmap.c src/base/idmap.h src/base/map.c src/base/map.h src/base/numset.c src/base/numset.h src/base/scram.c src/base/scram.h src/base/spool.c src/base/spool.h \
	src/base/str.c src/base/str.h src/base/text.c src/base/text.h src/base/when.c src/base/when.h src/base/zone.c src/base/zone.h src/base/wildmat.c src/base/wildmat.h

check_PROGRAMS += test/unit/base_arena
test_unit_base_arena_SOURCES = test/unit/base_arena.c
test_unit_base_arena_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_buf
test_unit_base_buf_SOURCES = test/unit/base_buf.c
test_unit_base_buf_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_clock
test_unit_base_clock_SOURCES = test/unit/base_clock.c
test_unit_base_clock_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_encode
test_unit_base_encode_SOURCES = test/unit/base_encode.c
test_unit_base_encode_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_log
test_unit_base_log_SOURCES = test/unit/base_log.c
test_unit_base_log_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_idmap
test_unit_base_idmap_SOURCES = test/unit/base_idmap.c
test_unit_base_idmap_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_map
test_unit_base_map_SOURCES = test/unit/base_map.c
test_unit_base_map_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_numset
test_unit_base_numset_SOURCES = test/unit/base_numset.c
test_unit_base_numset_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_scram
test_unit_base_scram_SOURCES = test/unit/base_scram.c
test_unit_base_scram_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_spool
test_unit_base_spool_SOURCES = test/unit/base_spool.c
test_unit_base_spool_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_str
test_unit_base_str_SOURCES = test/unit/base_str.c
test_unit_base_str_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_text
test_unit_base_text_SOURCES = test/unit/base_text.c
test_unit_base_text_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_wildmat
test_unit_base_wildmat_SOURCES = test/unit/base_wildmat.c
test_unit_base_wildmat_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/base_when
test_unit_base_when_SOURCES = test/unit/base_when.c
test_unit_base_when_LDADD = $(UNIT_LIBS)
