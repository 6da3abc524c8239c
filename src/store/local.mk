libbaton_a_SOURCES += \
	src/store/env.h src/store/inside.h src/store/writer.h \
	src/store/check.h src/store/due.h src/store/mailbox.h src/store/marks.h src/store/message.h src/store/person.h \
	src/store/store.h src/store/task.h src/store/topic.h
include src/store/core.mk
include src/store/domain.mk
