libbaton_a_SOURCES += \
	src/team/answer.c src/team/answer.h src/team/answer_shown.c src/team/answer_shown.h \
	src/team/answer_post.c src/team/answer_post.h src/team/answer_tell.c src/team/answer_tell.h \
	src/team/digest_items.c src/team/digest_items.h src/team/digest_page.c src/team/digest_page.h src/team/digest_forms.c src/team/digest_forms.h \
	src/team/gather_waiting.c src/team/recall.c src/team/recall.h \
	src/team/accept.c src/team/accept.h src/team/answered.c src/team/answered.h src/team/notice.c src/team/notice.h src/team/obey.c src/team/obey.h src/team/obey_read.c src/team/transcript.c src/team/transcript.h \
	src/team/board.c src/team/board.h src/team/columns.c src/team/columns.h src/team/wish.c src/team/wish.h \
	src/team/config.c src/team/config.h src/team/digest.c src/team/digest.h src/team/folder.c src/team/folder.h \
	src/team/directive.c src/team/directive.h src/team/directive_row.c src/team/directive_row.h src/team/directive_value.c src/team/directive_value.h \
	src/team/gate.c src/team/gate.h src/team/gather.c src/team/gather.h src/team/page.c src/team/page.h src/team/page_html.c \
	src/team/prefix.c src/team/prefix.h src/team/login.c src/team/login.h src/team/named.c src/team/named.h src/team/near.c src/team/near.h \
	src/team/report.c src/team/report.h src/team/room.c src/team/room.h \
	src/team/bounce.c src/team/bounce.h src/team/help.c src/team/help.h src/team/limit.c src/team/limit.h \
	src/team/list.c src/team/list.h src/team/list_mail.c src/team/list_mail.h \
	src/team/list_send.c src/team/list_send.h src/team/notice.c src/team/notice.h \
	src/team/rules.c src/team/rules.h src/team/site.c src/team/site.h src/team/setting.c src/team/setting.h src/team/submit.c src/team/submit.h \
	src/team/subaddress.c src/team/subaddress.h src/team/token.c src/team/token.h \
	src/team/task.h \
	src/team/card.c src/team/card.h src/team/edit.c src/team/edit.h src/team/field.c src/team/field.h src/team/journal.c src/team/journal.h src/team/placing.c src/team/placing.h src/team/task.c src/team/task_look.c src/team/task_name.c src/team/tasking.c src/team/tasking.h \
	src/team/usual.c src/team/usual.h src/team/claim.c src/team/claim.h src/team/vouch.c src/team/vouch.h
check_PROGRAMS += test/unit/team_gate
test_unit_team_gate_SOURCES = test/unit/team_gate.c
test_unit_team_gate_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_digest
test_unit_team_digest_SOURCES = test/unit/team_digest.c
test_unit_team_digest_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_named
test_unit_team_named_SOURCES = test/unit/team_named.c
test_unit_team_named_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_gather
test_unit_team_gather_SOURCES = test/unit/team_gather.c test/unit/store_kit.h
test_unit_team_gather_LDADD = $(UNIT_LIBS)
test_unit_team_gather_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=seen_own_load
check_PROGRAMS += test/unit/team_due
test_unit_team_due_SOURCES = test/unit/team_due.c test/unit/store_kit.h
test_unit_team_due_LDADD = $(UNIT_LIBS)
test_unit_team_due_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=gather
check_PROGRAMS += test/unit/team_token
test_unit_team_token_SOURCES = test/unit/team_token.c
test_unit_team_token_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_subaddress
test_unit_team_subaddress_SOURCES = test/unit/team_subaddress.c
test_unit_team_subaddress_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_answer
test_unit_team_answer_SOURCES = test/unit/team_answer.c
test_unit_team_answer_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_digest_items
test_unit_team_digest_items_SOURCES = test/unit/team_digest_items.c
test_unit_team_digest_items_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_task
test_unit_team_task_SOURCES = test/unit/team_task.c test/unit/task_kit.h test/unit/store_kit.h
test_unit_team_task_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_columns
test_unit_team_columns_SOURCES = test/unit/team_columns.c test/unit/task_kit.h test/unit/store_kit.h
test_unit_team_columns_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_card
test_unit_team_card_SOURCES = test/unit/team_card.c test/unit/task_kit.h test/unit/store_kit.h
test_unit_team_card_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_bounce
test_unit_team_bounce_SOURCES = test/unit/team_bounce.c
test_unit_team_bounce_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_limit
test_unit_team_limit_SOURCES = test/unit/team_limit.c
test_unit_team_limit_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_next
test_unit_team_next_SOURCES = test/unit/team_next.c
test_unit_team_next_LDADD = $(UNIT_LIBS)
check_PROGRAMS += test/unit/team_directive
test_unit_team_directive_SOURCES = test/unit/team_directive.c
test_unit_team_directive_CPPFLAGS = $(AM_CPPFLAGS) -DTOP='"$(abs_top_srcdir)"'
test_unit_team_directive_LDADD = $(UNIT_LIBS)
EXTRA_DIST += test/unit/directive
check_PROGRAMS += test/unit/team_duties
test_unit_team_duties_SOURCES = test/unit/team_duties.c test/unit/task_kit.h test/unit/store_kit.h
test_unit_team_duties_LDADD = $(UNIT_LIBS)
