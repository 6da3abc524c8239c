#include "team/near.h"

enum { WORD_MAX = 32, FAR = 99 };

static unsigned least(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* Optimal string alignment: Damerau and Levenshtein's distance without edits of what was swapped.
 */
unsigned near_distance(struct str a, struct str b)
{
        unsigned row[WORD_MAX + 1][WORD_MAX + 1];
        if (a.len > WORD_MAX || b.len > WORD_MAX)
                return FAR;
        for (unsigned i = 0; i <= a.len; i++) {
                for (unsigned j = 0; j <= b.len; j++) {
                        if (i == 0 || j == 0) {
                                row[i][j] = i + j;
                                continue;
                        }
                        unsigned same = ascii_lower(a.at[i - 1]) == ascii_lower(b.at[j - 1]) ? 0
                                                                                             : 1;
                        unsigned best = least(row[i - 1][j], row[i][j - 1]) + 1;
                        best = least(best, row[i - 1][j - 1] + same);
                        if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] &&
                                a.at[i - 2] == b.at[j - 1])
                                best = least(best, row[i - 2][j - 2] + 1);
                        row[i][j] = best;
                }
        }
        return row[a.len][b.len];
}

bool near_enough(struct str typed, struct str known)
{
        if (typed.len > 2 && str_starts_same(known, typed))
                return true;
        return typed.len > 1 && near_distance(typed, known) <= (typed.len > 5 ? 2u : 1u);
}
