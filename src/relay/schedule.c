#include "relay/schedule.h"

unsigned schedule_wait(const struct schedule *s, unsigned attempts, uint32_t random)
{
        uint64_t wait = s->first;
        for (unsigned i = 1; i < attempts && wait < s->most; i++)
                wait *= 2;
        wait = wait < s->most ? wait : s->most;
        wait = wait - wait / 4 + random % (wait / 2 + 1);
        return wait ? (unsigned)wait : 1;
}
