/* control.h - HOME/run/control: commands of `baton`, done here while the daemon has the store. Each
 * runs in a thread of its own, at most 16 at once, with the caller's streams and working directory.
 * Only root and the daemon's own user may call. */
#pragma once
#include "team/site.h"
#include "wire/crew.h"

struct control;

/* BROKEN: logged. Site and crew are borrowed. */
CHECKED enum status control_start(struct site *, struct crew *, struct control **out);
/* Takes no more calls, tells running commands to end, waits for them. False: one did not end
 * within the grace; then the site must not be closed. NULL is fine. */
bool control_stop(struct control *, unsigned grace_seconds);
/* Does a daemon answer there? For a clear message before anything is touched. */
bool control_answers(const char *home);
