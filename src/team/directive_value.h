/* directive_value.h - what stands behind a directive's word, as a value: days, persons, labels,
 * tasks. For directive.c alone. */
#pragma once
#include "team/directive.h"

/* Fills the value of d (by d->row->takes) from d->argument, or sets fault and why. The row is
 * known and not a later one. What is allocated lies in the arena. */
void directive_value(struct directive *d, int64_t today, struct arena *);
