libbaton_a_SOURCES += \
	src/nntp/article.c src/nntp/auth.c src/nntp/cancel.c src/nntp/cancel.h src/nntp/group.c src/nntp/hdr.c src/nntp/list.c src/nntp/nntp.h \
	src/nntp/over.c src/nntp/post.c src/nntp/proto.c src/nntp/proto.h src/nntp/range.c src/nntp/range.h \
	src/nntp/session.c src/nntp/session.h
check_PROGRAMS += test/unit/nntp_range test/unit/nntp_proto
test_unit_nntp_range_SOURCES = test/unit/nntp_range.c
test_unit_nntp_range_LDADD = $(UNIT_LIBS)
test_unit_nntp_proto_SOURCES = test/unit/nntp_proto.c
test_unit_nntp_proto_LDADD = $(UNIT_LIBS)
