# Fuzz targets: configure --enable-fuzz with CC=clang, then
#   test/fuzz/NAME -dict=test/fuzz/dict/NAME a-folder test/fuzz/corpus/NAME
# What such a run finds goes, minimised (-merge=1), into the corpus, which test/unit/fuzz_NAME replays
# in every build.

check_PROGRAMS += test/unit/fuzz_address
test_unit_fuzz_address_SOURCES = test/fuzz/address.c test/fuzz/replay.c
test_unit_fuzz_address_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_mime
test_unit_fuzz_mime_SOURCES = test/fuzz/mime.c test/fuzz/replay.c
test_unit_fuzz_mime_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_imap_parse
test_unit_fuzz_imap_parse_SOURCES = test/fuzz/imap_parse.c test/fuzz/replay.c
test_unit_fuzz_imap_parse_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_smtp_parse
test_unit_fuzz_smtp_parse_SOURCES = test/fuzz/smtp_parse.c test/fuzz/replay.c
test_unit_fuzz_smtp_parse_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_nntp_parse
test_unit_fuzz_nntp_parse_SOURCES = test/fuzz/nntp_parse.c test/fuzz/replay.c
test_unit_fuzz_nntp_parse_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_codec
test_unit_fuzz_codec_SOURCES = test/fuzz/codec.c test/fuzz/replay.c
test_unit_fuzz_codec_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_directive
test_unit_fuzz_directive_SOURCES = test/fuzz/directive.c test/fuzz/replay.c
test_unit_fuzz_directive_LDADD = libbaton.a

check_PROGRAMS += test/unit/fuzz_answer
test_unit_fuzz_answer_SOURCES = test/fuzz/answer.c test/fuzz/replay.c
test_unit_fuzz_answer_LDADD = libbaton.a

if FUZZ
noinst_PROGRAMS += test/fuzz/answer
test_fuzz_answer_SOURCES = test/fuzz/answer.c
test_fuzz_answer_LDADD = libbaton.a
test_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/directive
test_fuzz_directive_SOURCES = test/fuzz/directive.c
test_fuzz_directive_LDADD = libbaton.a
test_fuzz_directive_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/address
test_fuzz_address_SOURCES = test/fuzz/address.c
test_fuzz_address_LDADD = libbaton.a
test_fuzz_address_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/mime
test_fuzz_mime_SOURCES = test/fuzz/mime.c
test_fuzz_mime_LDADD = libbaton.a
test_fuzz_mime_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/imap_parse
test_fuzz_imap_parse_SOURCES = test/fuzz/imap_parse.c
test_fuzz_imap_parse_LDADD = libbaton.a
test_fuzz_imap_parse_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/smtp_parse
test_fuzz_smtp_parse_SOURCES = test/fuzz/smtp_parse.c
test_fuzz_smtp_parse_LDADD = libbaton.a
test_fuzz_smtp_parse_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/nntp_parse
test_fuzz_nntp_parse_SOURCES = test/fuzz/nntp_parse.c
test_fuzz_nntp_parse_LDADD = libbaton.a
test_fuzz_nntp_parse_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += test/fuzz/codec
test_fuzz_codec_SOURCES = test/fuzz/codec.c
test_fuzz_codec_LDADD = libbaton.a
test_fuzz_codec_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
