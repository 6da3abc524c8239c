#include "mail/msgid.h"
#include "base/clock.h"
#include "base/crypt.h"

enum { ID_MIN = 3, ID_MAX = 998, NEWS_ID_MAX = 250, RANDOM_LENGTH = 16, DIGEST_USED = 16 };

static bool is_noise(char c)
{
        unsigned char u = (unsigned char)c;
        return u <= ' ' || u == 0x7f;
}

static struct str without_noise(struct arena *arena, struct str s)
{
        size_t n = 0;
        while (n < s.len && !is_noise(s.at[n]))
                n++;
        if (n == s.len)
                return s;
        char *to = arena_alloc(arena, s.len + 1);
        size_t kept = 0;
        for (size_t i = 0; i < s.len; i++)
                if (!is_noise(s.at[i]))
                        to[kept++] = s.at[i];
        return str_make(to, kept);
}

bool msgid_next(struct arena *arena, struct str *rest, struct str *out)
{
        for (;;) {
                size_t open = str_chr(*rest, '<');
                size_t close = open == STR_NOWHERE ? open : str_chr(str_from(*rest, open), '>');
                if (close == STR_NOWHERE) {
                        *rest = str_from(*rest, rest->len);
                        return false;
                }
                struct str id = str_sub(*rest, open, close + 1);
                *rest = str_from(*rest, open + close + 1);
                id = str_from(id, str_rchr(id, '<')); /* "<a <b@c>": the first never closed */
                id = without_noise(arena, id);
                if (id.len >= ID_MIN && id.len <= ID_MAX) {
                        *out = id;
                        return true;
                }
        }
}

bool msgid_is_news(struct str id)
{
        if (id.len < ID_MIN || id.len > NEWS_ID_MAX || id.at[0] != '<' || id.at[id.len - 1] != '>')
                return false;
        for (size_t i = 0; i < id.len; i++)
                if (id.at[i] <= ' ' || id.at[i] > '~' || (id.at[i] == '>' && i + 1 < id.len))
                        return false;
        return true;
}

struct str msgid_new(struct arena *arena, struct str domain)
{
        struct buf word = {0};
        random_word(RANDOM_LENGTH, &word);
        struct str id = arena_printf(arena, "<%llx.%.*s@%.*s>", (unsigned long long)clock_now(),
                STR_ARG(buf_str(&word)), STR_ARG(domain));
        buf_release(&word);
        return id;
}

struct str msgid_of(struct arena *arena, struct str message, struct str domain)
{
        unsigned char digest[SHA256_SIZE];
        struct buf id = {0};
        sha256(message, digest);
        buf_add_char(&id, '<');
        for (unsigned i = 0; i < DIGEST_USED; i++)
                buf_addf(&id, "%02x", digest[i]);
        buf_addf(&id, ".made@%.*s>", STR_ARG(domain));
        struct str s = arena_copy(arena, buf_str(&id));
        buf_release(&id);
        return s;
}
