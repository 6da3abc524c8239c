libbaton_a_SOURCES += \
	src/mail/address.c src/mail/address.h src/mail/address_plain.c src/mail/address_plain.h \
	src/mail/compose.c src/mail/compose.h \
	src/mail/content.c src/mail/content.h src/mail/date.c src/mail/date.h \
	src/mail/derive.c src/mail/derive.h src/mail/enhanced.c src/mail/enhanced.h src/mail/envelope.c src/mail/envelope.h \
	src/mail/header.c src/mail/header.h src/mail/html.c src/mail/html.h src/mail/parsed.c src/mail/parsed.h \
	src/mail/mime.c src/mail/mime.h src/mail/msgid.c src/mail/msgid.h \
	src/mail/params.c src/mail/params.h src/mail/parts.c src/mail/parts.h \
	src/mail/quote.c src/mail/quote.h src/mail/render.c src/mail/render.h \
	src/mail/structure.c src/mail/structure.h src/mail/verbatim.c src/mail/verbatim.h \
	src/mail/vtodo.c src/mail/vtodo.h src/mail/word.c src/mail/word.h

check_PROGRAMS += \
	test/unit/mail_address test/unit/mail_compose test/unit/mail_content test/unit/mail_corpus \
	test/unit/mail_date test/unit/mail_derive test/unit/mail_header test/unit/mail_hostile \
	test/unit/mail_mime test/unit/mail_msgid test/unit/mail_render test/unit/mail_verbatim
test_unit_mail_address_SOURCES = test/unit/mail_address.c
test_unit_mail_address_LDADD = $(UNIT_LIBS)
test_unit_mail_compose_SOURCES = test/unit/mail_compose.c
test_unit_mail_compose_LDADD = $(UNIT_LIBS)
test_unit_mail_content_SOURCES = test/unit/mail_content.c
test_unit_mail_content_LDADD = $(UNIT_LIBS)
test_unit_mail_corpus_SOURCES = test/unit/mail_corpus.c test/unit/mail_check.h
test_unit_mail_corpus_LDADD = $(UNIT_LIBS)
test_unit_mail_date_SOURCES = test/unit/mail_date.c
test_unit_mail_date_LDADD = $(UNIT_LIBS)
test_unit_mail_derive_SOURCES = test/unit/mail_derive.c
test_unit_mail_derive_LDADD = $(UNIT_LIBS)
test_unit_mail_header_SOURCES = test/unit/mail_header.c
test_unit_mail_header_LDADD = $(UNIT_LIBS)
test_unit_mail_hostile_SOURCES = test/unit/mail_hostile.c test/unit/mail_check.h
test_unit_mail_hostile_LDADD = $(UNIT_LIBS)
test_unit_mail_mime_SOURCES = test/unit/mail_mime.c
test_unit_mail_mime_LDADD = $(UNIT_LIBS)
test_unit_mail_msgid_SOURCES = test/unit/mail_msgid.c
test_unit_mail_msgid_LDADD = $(UNIT_LIBS)
test_unit_mail_verbatim_SOURCES = test/unit/mail_verbatim.c
test_unit_mail_verbatim_LDADD = $(UNIT_LIBS)
test_unit_mail_render_SOURCES = test/unit/mail_render.c
test_unit_mail_render_LDADD = $(UNIT_LIBS)
