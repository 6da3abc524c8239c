/* schedule.h - when a mail is tried again. */
#pragma once
#include "base/fail.h"

struct schedule {
        unsigned first, most; /* seconds to the second attempt, and at most */
};
/* Seconds to wait after so many attempts (1 and up): doubled each time, and a quarter more or less
 * by `random`, so that what failed together does not come back together. */
unsigned schedule_wait(const struct schedule *, unsigned attempts, uint32_t random);
