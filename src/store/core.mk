# The store's core: environment, transactions, writer, and what is checked before recovery.
libbaton_a_SOURCES += \
	src/store/bdb.h src/store/env.c src/store/txn.c src/store/scan.c \
	src/store/writer.c src/store/store.c \
	src/store/layout.c src/store/layout.h src/store/logcheck.c src/store/logcheck.h \
	src/store/pagecheck.c src/store/pagecheck.h src/store/watermark.c src/store/watermark.h \
	src/store/disk.c src/store/disk.h src/store/known.c src/store/known.h src/store/cache.c src/store/cache.h \
	src/store/backup.c src/store/backup.h src/store/renew.c src/store/renew.h src/store/spare.c src/store/spare.h src/store/pages.c src/store/pages.h
check_PROGRAMS += test/unit/store_env test/unit/store_writer test/unit/store_logcheck \
	test/unit/store_known test/unit/store_spare test/unit/store_cache
test_unit_store_env_SOURCES = test/unit/store_env.c test/unit/store_stub.h
test_unit_store_env_LDADD = $(UNIT_LIBS)
test_unit_store_writer_SOURCES = test/unit/store_writer.c test/unit/store_stub.h
test_unit_store_writer_LDADD = $(UNIT_LIBS)
test_unit_store_logcheck_SOURCES = test/unit/store_logcheck.c test/unit/store_stub.h
test_unit_store_logcheck_LDADD = $(UNIT_LIBS)
test_unit_store_known_SOURCES = test/unit/store_known.c test/unit/store_stub.h
test_unit_store_known_LDADD = $(UNIT_LIBS)
test_unit_store_cache_SOURCES = test/unit/store_cache.c
test_unit_store_cache_LDADD = $(UNIT_LIBS)
test_unit_store_spare_SOURCES = test/unit/store_spare.c test/unit/store_stub.h
test_unit_store_spare_LDADD = $(UNIT_LIBS)
