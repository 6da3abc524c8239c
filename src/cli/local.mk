libbaton_a_SOURCES += \
	src/cli/task.c src/cli/task.h src/cli/task_edit.c src/cli/board.c src/cli/export.c src/cli/export.h src/cli/export_csv.c src/cli/backup.c src/cli/restore.c src/cli/backup.h src/cli/give.c src/cli/give.h src/cli/check.c src/cli/cli.c src/cli/cli.h src/cli/commands.c src/cli/commands.h src/cli/deliver.c src/cli/digest.c \
	src/cli/import.c src/cli/init.c src/cli/lmtp.c src/cli/lmtp.h src/cli/maildir.c src/cli/maildir.h src/cli/mbox.c \
	src/cli/mbox.h src/cli/queue.c src/cli/options.c src/cli/options.h src/cli/password.c src/cli/password.h src/cli/progress.c src/cli/progress.h src/cli/remote.c \
	src/cli/remote.h src/cli/show.c src/cli/show.h src/cli/stats.c src/cli/subscribe.c src/cli/topic.c src/cli/user.c \
	src/cli/user.h src/cli/values.c src/cli/values.h

bin_PROGRAMS += baton
baton_SOURCES = src/cli/main.c
baton_LDADD = libbaton.a

dist_man_MANS = doc/baton.1 doc/baton-directives.7 doc/baton-lists.7 doc/baton.conf.5 doc/batond.8
# doc/headers as a page, so that the text exists once.
nodist_man_MANS = doc/baton-headers.7
CLEANFILES += doc/baton-headers.7
EXTRA_DIST += contrib/page
doc/baton-headers.7: doc/headers contrib/page
	$(AM_V_GEN)$(MKDIR_P) doc && sh $(top_srcdir)/contrib/page $(top_srcdir)/doc/headers "November 22, 2026" > $@.new && mv $@.new $@

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/baton
EXTRA_DIST += etc/baton.conf contrib/baton.service

check_PROGRAMS += test/unit/team_config
test_unit_team_config_SOURCES = test/unit/team_config.c
test_unit_team_config_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/cli_options
test_unit_cli_options_SOURCES = test/unit/cli_options.c
test_unit_cli_options_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/cli_mbox
test_unit_cli_mbox_SOURCES = test/unit/cli_mbox.c
test_unit_cli_mbox_LDADD = $(UNIT_LIBS)

check_PROGRAMS += test/unit/cli_commands
test_unit_cli_commands_SOURCES = test/unit/cli_commands.c
test_unit_cli_commands_LDADD = $(UNIT_LIBS)
