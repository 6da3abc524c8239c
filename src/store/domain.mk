# The store's tables: what messages, mailboxes, marks, people and topics are made of.
libbaton_a_SOURCES += \
	src/store/codec.c src/store/codec.h src/store/codec_key.c src/store/codec_prefix.c src/store/codec_set.c src/store/codec_people.c \
	src/store/rows.c src/store/rows.h src/store/view.c src/store/view.h src/store/kept.c src/store/kept.h src/store/subjects.c src/store/subjects.h src/store/bases.c src/store/bases.h \
	src/store/body.c src/store/body.h src/store/filing.c src/store/message.c src/store/thread.c src/store/thread.h \
	src/store/mailbox.c src/store/entry.c src/store/copy.c src/store/expunge.c src/store/release.c src/store/release.h \
	src/store/board.c src/store/board.h src/store/columns.c src/store/codec_task.c src/store/codec_task.h src/store/task.c src/store/task_put.c \
	src/store/modseq.c src/store/mark.c src/store/mark.h src/store/marks.c src/store/person.c src/store/topic.c src/store/due.c \
	src/store/queue.c src/store/queue.h src/store/codec_queue.c src/store/codec_queue.h src/store/check_queue.c \
	src/store/shown.c src/store/shown.h src/store/attention.c src/store/attention.h src/store/check_attention.c \
	src/store/listed.c src/store/listed.h \
	src/store/check.c src/store/checking.h src/store/check_mailbox.c src/store/check_message.c \
	src/store/check_thread.c src/store/check_people.c src/store/check_task.c

check_PROGRAMS += test/unit/store_codec
test_unit_store_codec_SOURCES = test/unit/store_codec.c
test_unit_store_codec_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_filing
test_unit_store_filing_SOURCES = test/unit/store_filing.c test/unit/store_kit.h
test_unit_store_filing_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_view
test_unit_store_view_SOURCES = test/unit/store_view.c test/unit/store_kit.h
test_unit_store_view_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_subjects
test_unit_store_subjects_SOURCES = test/unit/store_subjects.c test/unit/store_kit.h
test_unit_store_subjects_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_marks
test_unit_store_marks_SOURCES = test/unit/store_marks.c test/unit/store_kit.h
test_unit_store_marks_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_shown
test_unit_store_shown_SOURCES = test/unit/store_shown.c test/unit/store_kit.h
test_unit_store_shown_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_thread
test_unit_store_thread_SOURCES = test/unit/store_thread.c test/unit/store_kit.h
test_unit_store_thread_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_people
test_unit_store_people_SOURCES = test/unit/store_people.c test/unit/store_kit.h
test_unit_store_people_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_listed
test_unit_store_listed_SOURCES = test/unit/store_listed.c test/unit/store_kit.h
test_unit_store_listed_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_due
test_unit_store_due_SOURCES = test/unit/store_due.c test/unit/store_kit.h
test_unit_store_due_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_check
test_unit_store_check_SOURCES = test/unit/store_check.c test/unit/store_kit.h
test_unit_store_check_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_kill
test_unit_store_kill_SOURCES = test/unit/store_kill.c test/unit/store_kit.h
test_unit_store_kill_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_queue
test_unit_store_queue_SOURCES = test/unit/store_queue.c test/unit/store_kit.h
test_unit_store_queue_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_fault
test_unit_store_fault_SOURCES = test/unit/store_fault.c test/unit/store_kit.h
test_unit_store_fault_LDADD = $(UNIT_LIBS)
test_unit_store_fault_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=table_put -Wl,--wrap=txn_commit \
	-Wl,--wrap=env_flush -Wl,--wrap=table_last -Wl,--wrap=scan_open

check_PROGRAMS += test/unit/store_task
test_unit_store_task_SOURCES = test/unit/store_task.c test/unit/store_kit.h
test_unit_store_task_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/store_task_fault
test_unit_store_task_fault_SOURCES = test/unit/store_task_fault.c test/unit/store_kit.h
test_unit_store_task_fault_LDADD = $(UNIT_LIBS)
test_unit_store_task_fault_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=table_put -Wl,--wrap=table_remove

check_PROGRAMS += test/unit/store_backup
test_unit_store_backup_SOURCES = test/unit/store_backup.c test/unit/store_kit.h
test_unit_store_backup_LDADD = $(UNIT_LIBS)
