/* commands.h - every subcommand's table, each in the file of its family. */
#pragma once
#include "cli/cli.h"

extern const struct command init_commands[], user_commands[], topic_commands[],
        subscribe_commands[], unsubscribe_commands[], deliver_commands[], import_commands[],
        export_commands[], task_commands[], board_commands[], backup_commands[], restore_commands[], digest_commands[], queue_commands[], check_commands[], stats_commands[], version_commands[], help_commands[];

/* Keeps all mail for the outside from leaving, for what must not be sent twice. */
CHECKED enum status queue_hold_all(struct cli *, uint64_t *held);

extern const struct family families[]; /* ended by a NULL name */
