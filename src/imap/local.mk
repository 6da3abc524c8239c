libbaton_a_SOURCES += \
	src/imap/append.c src/imap/auth.c src/imap/batch.c src/imap/board.c src/imap/board.h src/imap/copy.c src/imap/fetch.c \
	src/imap/fetch_body.c src/imap/fetch_body.h src/imap/folders.c src/imap/idle.c src/imap/imap.h \
	src/imap/inside.h src/imap/items.c src/imap/items.h src/imap/keys.c src/imap/keys.h \
	src/imap/list.c src/imap/modseq.c src/imap/parse.c src/imap/parse.h src/imap/pattern.c src/imap/pattern.h \
	src/imap/found.c src/imap/found.h src/imap/search.c src/imap/search.h src/imap/select.c src/imap/session.c src/imap/sort.c src/imap/sorting.c src/imap/sorting.h src/imap/status.c src/imap/store.c src/imap/subscribe.c src/imap/subscribe.h \
	src/imap/thread.c src/imap/tree.c src/imap/tree.h src/imap/update.c

check_PROGRAMS += test/unit/imap_parse
test_unit_imap_parse_SOURCES = test/unit/imap_parse.c
test_unit_imap_parse_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/imap_items
test_unit_imap_items_SOURCES = test/unit/imap_items.c
test_unit_imap_items_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/imap_keys
test_unit_imap_keys_SOURCES = test/unit/imap_keys.c
test_unit_imap_keys_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/imap_tree
test_unit_imap_tree_SOURCES = test/unit/imap_tree.c
test_unit_imap_tree_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/imap_pattern
test_unit_imap_pattern_SOURCES = test/unit/imap_pattern.c
test_unit_imap_pattern_LDADD = $(UNIT_LIBS)
