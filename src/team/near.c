#include "team/near.h"
#include "base/buf.h"

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

/* ---- days ---- */

/* What a word of a day's text was meant to be. */
struct day_word {
        struct str best;
        unsigned distance;
};

static void consider(struct day_word *w, struct str typed, struct str known)
{
        unsigned distance = near_distance(typed, known);
        if (distance >= w->distance || !near_enough(typed, known))
                return;
        w->best = known;
        w->distance = distance;
}

/* Itself, when it is a number or known, in full or by its first letters; empty: nothing is near. */
static struct str day_word(struct str typed)
{
        enum { SHORT = 3 }; /* "fri", "nov" */
        static const char *const numbers[] = {"a", "an", "one", "two", "three", "four", "five",
                "six", "seven", "eight", "nine", "ten"};
        struct day_word w = {STR_NONE, FAR};
        const char *known;
        if (typed.at[0] >= '0' && typed.at[0] <= '9')
                return typed;
        for (size_t i = 0; i < COUNT_OF(numbers); i++)
                consider(&w, typed, str_of(numbers[i]));
        for (size_t i = 0; (known = when_word(i)); i++) {
                if (typed.len >= SHORT && str_starts_same(str_of(known), typed))
                        return typed;
                consider(&w, typed, str_of(known));
                if (typed.len <= SHORT + 1)
                        consider(&w, typed, str_sub(str_of(known), 0, SHORT));
        }
        return w.best;
}

struct str near_day(struct str typed, int64_t today, struct arena *arena)
{
        enum { LONGEST = 100 };
        struct buf text = {0};
        struct str rest = typed, word, out = STR_NONE;
        int64_t day;
        bool all = typed.len <= LONGEST;
        while (all && str_word(&rest, &word)) {
                if (word.len > 1 && str_ends(word, STR(",")))
                        word.len--;
                struct str meant = day_word(word);
                all = meant.len > 0;
                BUF_ADD_ALL(&text, text.len ? STR(" ") : STR_NONE, meant);
        }
        if (all && text.len && when_parse(buf_str(&text), today, &day) == OK)
                out = arena_copy(arena, buf_str(&text));
        buf_release(&text);
        return out;
}
