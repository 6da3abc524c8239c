#include "base/str.h"
#include <sys/random.h>
#include <unistd.h>

struct str str_of(const char *text)
{
        return text ? str_make(text, strlen(text)) : STR_NONE;
}

bool str_same(struct str a, struct str b)
{
        if (a.len != b.len)
                return false;
        for (size_t i = 0; i < a.len; i++)
                if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
                        return false;
        return true;
}

int str_cmp(struct str a, struct str b)
{
        size_t n = a.len < b.len ? a.len : b.len;
        int c = n ? memcmp(a.at, b.at, n) : 0;
        return c ? c : (a.len > b.len) - (a.len < b.len);
}

int str_order(struct str a, struct str b)
{
        size_t n = a.len < b.len ? a.len : b.len, i = 0;
        while (i + 32 <= n && memcmp(a.at + i, b.at + i, 32) == 0)
                i += 32;
        while (i < n && a.at[i] == b.at[i])
                i++;
        if (i == n)
                return (a.len > b.len) - (a.len < b.len);
        return (unsigned char)ascii_upper(a.at[i]) - (unsigned char)ascii_upper(b.at[i]);
}

bool str_starts_same(struct str s, struct str prefix)
{
        return s.len >= prefix.len && str_same(str_make(s.at, prefix.len), prefix);
}

size_t str_rchr(struct str s, char c)
{
        const char *p = s.len ? memrchr(s.at, c, s.len) : NULL;
        return p ? (size_t)(p - s.at) : STR_NOWHERE;
}

size_t str_find(struct str s, struct str needle)
{
        if (needle.len == 0)
                return 0;
        const char *p = s.len ? memmem(s.at, s.len, needle.at, needle.len) : NULL;
        return p ? (size_t)(p - s.at) : STR_NOWHERE;
}

size_t str_find_same(struct str s, struct str needle)
{
        if (needle.len == 0)
                return 0;
        char low = ascii_lower(needle.at[0]), high = ascii_upper(needle.at[0]);
        for (size_t i = 0; i + needle.len <= s.len; i++)
                if ((s.at[i] == low || s.at[i] == high) &&
                        str_same(str_make(s.at + i, needle.len), needle))
                        return i;
        return STR_NOWHERE;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
        while (s.len && is_blank(s.at[0]))
                s = str_make(s.at + 1, s.len - 1);
        while (s.len && is_blank(s.at[s.len - 1]))
                s.len--;
        return s;
}

bool str_cut(struct str *rest, char c, struct str *out)
{
        if (rest->len == 0)
                return false;
        size_t at = str_chr(*rest, c);
        *out = str_sub(*rest, 0, at);
        *rest = at == STR_NOWHERE ? str_from(*rest, rest->len) : str_from(*rest, at + 1);
        return true;
}

bool str_word(struct str *rest, struct str *out)
{
        struct str s = *rest;
        while (s.len && (s.at[0] == ' ' || s.at[0] == '\t'))
                s = str_make(s.at + 1, s.len - 1);
        size_t n = 0;
        while (n < s.len && s.at[n] != ' ' && s.at[n] != '\t')
                n++;
        *out = str_make(s.at, n);
        *rest = str_from(s, n);
        return n > 0;
}

bool str_line(struct str *rest, struct str *out)
{
        if (!str_cut(rest, '\n', out))
                return false;
        if (out->len && out->at[out->len - 1] == '\r')
                out->len--;
        return true;
}

bool str_eat(struct str *rest, char c)
{
        if (rest->len == 0 || rest->at[0] != c)
                return false;
        *rest = str_from(*rest, 1);
        return true;
}

CHECKED enum status str_u64(struct str s, uint64_t *out)
{
        uint64_t n = 0;
        if (s.len == 0)
                return INVALID;
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] < '0' || s.at[i] > '9')
                        return INVALID;
                uint64_t digit = (uint64_t)(s.at[i] - '0');
                if (n > (UINT64_MAX - digit) / 10)
                        return INVALID;
                n = n * 10 + digit;
        }
        *out = n;
        return OK;
}

CHECKED enum status str_u32(struct str s, uint32_t *out)
{
        uint64_t n;
        if (str_u64(s, &n) != OK || n > UINT32_MAX)
                return INVALID;
        *out = (uint32_t)n;
        return OK;
}

static uint64_t seed;

__attribute__((constructor)) static void seed_once(void)
{
        if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
                seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
}

uint64_t str_hash(struct str s)
{
        uint64_t h = seed ^ 0xcbf29ce484222325u;
        for (size_t i = 0; i < s.len; i++) {
                h = (h ^ (unsigned char)s.at[i]) * 0x100000001b3u;
                h ^= h >> 29;
        }
        h *= 0x9e3779b97f4a7c15u;
        return h ^ (h >> 32);
}

char *str_text(struct str s)
{
        char *p = mem_new(s.len + 1);
        if (s.len)
                memcpy(p, s.at, s.len);
        return p;
}
