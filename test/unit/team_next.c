/* Prints when digests are due, for test/real/digest_zones.t, which knows better: lines of
 * "ZONE MINUTE FROM TO" (seconds) on standard input, with an argument; out comes a line of instants for each. */
#include <inttypes.h>
#include <stdio.h>
#include "team/digest.h"

int main(int argc, char **argv)
{
        (void)argv;
        if (argc < 2) { /* run as one of the tests */
                printf("1..0 # SKIP asked by test/real/digest_zones.t\n");
                return 0;
        }
        char zone[128];
        unsigned minute;
        int64_t from, to;
        setvbuf(stdout, NULL, _IOFBF, 1 << 16);
        while (scanf("%127s %u %" SCNd64 " %" SCNd64, zone, &minute, &from, &to) == 4) {
                struct person p = {.zone = str_of(zone), .digest_minute = (uint16_t)minute, .days = 127};
                int64_t last_day = INT64_MIN;
                for (time_t at = from; (at = digest_next(&p, at, last_day)) && at < to;) {
                        printf("%" PRId64 " ", (int64_t)at);
                        last_day = digest_day(&p, at);
                }
                printf("\n");
        }
        return 0;
}
