libbaton_a_SOURCES += \
	src/smtp/auth.c src/smtp/chunk.c src/smtp/data.c src/smtp/path.c src/smtp/path.h src/smtp/session.c src/smtp/session.h \
	src/smtp/smtp.h src/smtp/verbs.c
check_PROGRAMS += test/unit/smtp_path
test_unit_smtp_path_SOURCES = test/unit/smtp_path.c
test_unit_smtp_path_LDADD = $(UNIT_LIBS)
