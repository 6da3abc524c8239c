#include "imap/pattern.h"

/* Where to go on after a mismatch: the wildcard and the octet that it will swallow next. */
struct retry {
        size_t pattern, name;
        bool set;
};

static bool same_octet(char a, char b, bool any_case)
{
        return any_case ? ascii_lower(a) == ascii_lower(b) : a == b;
}

/* A run of wildcards is one: "*" when there is a "*" among them. */
static char wildcard(struct str pattern, size_t *at)
{
        char c = '%';
        for (; *at < pattern.len && (pattern.at[*at] == '*' || pattern.at[*at] == '%'); (*at)++)
                if (pattern.at[*at] == '*')
                        c = '*';
        return c;
}

static bool step_back(
        struct retry *percent, struct retry *star, struct str name, size_t *p, size_t *n)
{
        struct retry *r = percent;
        if (!r->set || r->name == name.len || name.at[r->name] == '/') {
                r->set = false;
                r = star;
        }
        if (!r->set || r->name == name.len)
                return false;
        *n = ++r->name;
        *p = r->pattern;
        if (r == star)
                percent->set = false;
        return true;
}

bool pattern_matches(struct str pattern, struct str name)
{
        bool inbox = str_same(name, STR("INBOX")) || str_starts_same(name, STR("INBOX/"));
        size_t any_case = inbox ? 5 : 0; /* octets of the name: RFC 9051 5.1 */
        struct retry percent = {0}, star = {0};
        size_t p = 0, n = 0;
        while (p < pattern.len || n < name.len) {
                if (p < pattern.len && (pattern.at[p] == '*' || pattern.at[p] == '%')) {
                        struct retry *r = wildcard(pattern, &p) == '*' ? &star : &percent;
                        *r = (struct retry){p, n, true};
                        if (r == &star)
                                percent.set = false;
                } else if (p < pattern.len && n < name.len &&
                           same_octet(pattern.at[p], name.at[n], n < any_case)) {
                        p++;
                        n++;
                } else if (!step_back(&percent, &star, name, &p, &n)) {
                        return false;
                }
        }
        return true;
}
