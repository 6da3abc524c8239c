#include "team/subaddress.h"

enum takes { NO_TOKEN, TOKEN };

static const struct word {
        const char *word;
        enum subaddress what;
        enum takes takes; /* TOKEN: "word-TOKEN" */
} behind[] = {            /* clang-format off */
        {"subscribe",   SUB_SUBSCRIBE,   NO_TOKEN},
        {"unsubscribe", SUB_UNSUBSCRIBE, NO_TOKEN},
        {"each",        SUB_EACH,        NO_TOKEN},
        {"digest",      SUB_DIGEST,      NO_TOKEN},
        {"named",       SUB_NAMED,       NO_TOKEN},
        {"mute",        SUB_MUTE,        NO_TOKEN},
        {"help",        SUB_HELP,        NO_TOKEN},
        {"owner",       SUB_OWNER,       NO_TOKEN},
        {"confirm",     SUB_CONFIRM,     TOKEN},
        {"bounce",      SUB_BOUNCE,      TOKEN},
        {"task",        SUB_TASK,        NO_TOKEN},
        {"note",        SUB_RESERVED,    NO_TOKEN},
        {"decision",    SUB_RESERVED,    NO_TOKEN},
        {"question",    SUB_RESERVED,    NO_TOKEN},
};                        /* clang-format on */

/* Whole local parts; one that takes a token has it behind the separator: "r+TOKEN". */
static const struct word alone[] = {
        {"help", SUB_HELP, NO_TOKEN},
        {"find", SUB_RESERVED, NO_TOKEN},
        {"digest", SUB_ANSWER, NO_TOKEN},
        {"r", SUB_ANSWER, TOKEN},
};

static bool fits(const struct word *row, struct str detail, struct str *token)
{
        struct str word = str_of(row->word);
        *token = STR_NONE;
        if (row->takes == NO_TOKEN)
                return str_eq(detail, word);
        if (!str_starts(detail, word) || detail.len < word.len + 2 || detail.at[word.len] != '-')
                return false;
        *token = str_from(detail, word.len + 1);
        return true;
}

/* "NAME-word", "NAME-word-TOKEN". A name may hold '-' itself, a token does not. */
static bool read_dash(struct str local, struct subaddress_parts *out)
{
        for (size_t i = 0; i < COUNT_OF(behind); i++) {
                const struct word *row = &behind[i];
                size_t last = str_rchr(local, '-'), size = strlen(row->word);
                struct str front = row->takes == TOKEN ? str_sub(local, 0, last) : local;
                if (last == STR_NOWHERE || front.len < size + 2 ||
                        !str_ends(front, str_of(row->word)) || front.at[front.len - size - 1] != '-')
                        continue;
                out->name = str_sub(front, 0, front.len - size - 1);
                if (fits(row, str_from(local, out->name.len + 1), &out->token)) {
                        out->what = row->what;
                        return true;
                }
        }
        return false;
}

static bool read_alone(struct str local, char separator, struct subaddress_parts *out)
{
        size_t at = str_chr(local, separator);
        for (size_t i = 0; i < COUNT_OF(alone); i++) {
                bool takes = alone[i].takes == TOKEN;
                if (!str_eq(str_of(alone[i].word), str_sub(local, 0, takes ? at : local.len)))
                        continue;
                *out = (struct subaddress_parts){.what = alone[i].what};
                if (takes && at != STR_NOWHERE)
                        out->token = str_from(local, at + 1);
                return true;
        }
        return false;
}

bool subaddress_read(struct str local, char separator, struct subaddress_parts *out)
{
        size_t at = str_chr(local, separator);
        *out = (struct subaddress_parts){0};
        if (read_alone(local, separator, out))
                return true;
        for (size_t i = 0; at != STR_NOWHERE && at > 0 && i < COUNT_OF(behind); i++) {
                if (!fits(&behind[i], str_from(local, at + 1), &out->token))
                        continue;
                out->name = str_sub(local, 0, at);
                out->what = behind[i].what;
                return true;
        }
        return at == STR_NOWHERE && read_dash(local, out);
}

bool subaddress_reserves(struct str name)
{
        for (size_t i = 0; i < COUNT_OF(alone); i++)
                if (str_eq(name, str_of(alone[i].word)))
                        return true;
        for (size_t i = 0; i < COUNT_OF(behind); i++) {
                size_t size = strlen(behind[i].word);
                if (name.len > size && str_ends(name, str_of(behind[i].word)) &&
                        name.at[name.len - size - 1] == '-')
                        return true;
        }
        return false;
}
