/* commands.h - every subcommand's table, each in the file of its family. */
#pragma once
#include "cli/cli.h"

extern const struct command init_commands[], user_commands[], topic_commands[],
        subscribe_commands[], unsubscribe_commands[], deliver_commands[], import_commands[],
        digest_commands[], queue_commands[], check_commands[], stats_commands[], version_commands[], help_commands[];

extern const struct family families[]; /* ended by a NULL name */
