/* usual.h - what the names of listeners bring with them ([listen imaps] is port 993 with TLS), and the
 * settings of a new site (config_default). */
#pragma once
#include "team/config.h"

const struct listen_config *usual_listener(struct str name); /* NULL: no such name is usual */
