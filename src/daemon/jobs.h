/* jobs.h - the clock thread: does what is due at some time: digests, and cards that
 * belong elsewhere from now on. What is due is a
 * key range in the store, so a day's work costs what is due and not what exists. */
#pragma once
#include "team/site.h"

struct jobs;

CHECKED enum status jobs_start(struct site *, struct jobs **out); /* BROKEN: logged */
void jobs_stop(struct jobs *); /* after what runs; NULL is fine */
