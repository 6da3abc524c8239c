libbaton_a_SOURCES += \
	src/mail/address.c src/mail/address.h src/mail/compose.c src/mail/compose.h src/mail/content.c src/mail/content.h \
	src/mail/date.c src/mail/date.h src/mail/derive.c src/mail/derive.h src/mail/envelope.c src/mail/envelope.h \
	src/mail/header.c src/mail/header.h src/mail/html.c src/mail/html.h src/mail/params.c src/mail/params.h src/mail/parts.c src/mail/parts.h \
	src/mail/quote.c src/mail/quote.h src/mail/structure.c src/mail/structure.h src/mail/word.c src/mail/word.h \
	src/mail/mime.c src/mail/mime.h src/mail/msgid.c src/mail/msgid.h src/mail/render.c src/mail/render.h
