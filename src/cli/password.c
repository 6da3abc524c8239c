#include "cli/password.h"
#include "base/scram.h"
#include "base/text.h"

enum { LETTERS = 14 }; /* of one that is made up */

/* What is kept of a password: for those who send it, and for SCRAM. */
static void keep(struct cli *c, struct person *p, struct str password)
{
        struct buf hash = {0}, scram = {0};
        password_hash(password, &hash);
        scram_make(password, &scram);
        p->password = arena_copy(c->arena, buf_str(&hash));
        p->scram = arena_copy(c->arena, buf_str(&scram));
        buf_release(&hash);
        buf_release(&scram);
}

struct str password_first(struct cli *c, struct person *p)
{
        struct buf word = {0};
        random_word(LETTERS, &word);
        struct str text = arena_copy(c->arena, buf_str(&word));
        keep(c, p, text);
        buf_release(&word);
        return text;
}

static size_t characters(struct str utf8)
{
        size_t n = 0;
        for (size_t i = 0; i < utf8.len; i++)
                n += ((unsigned char)utf8.at[i] & 0xc0) != 0x80;
        return n;
}

/* Controls: no login can carry a NUL or a line's end, and SASLprep forbids all (RFC 4013 2.3). */
static bool has_controls(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
                        return true;
        return false;
}

const char *password_fault(struct str password)
{
        if (password.len > PASSWORD_MOST)
                return "a password has at most 255 octets";
        if (!text_is_utf8(password))
                return "a password is text in UTF-8";
        if (has_controls(password))
                return "a password holds no control characters";
        if (characters(password) < PASSWORD_LEAST)
                return "a password has at least 8 characters";
        return NULL;
}

int password_take(struct cli *c, struct person *p)
{
        struct buf line = {0};
        int status = DONE;
        bool came = cli_line(c, &line) && line.len;
        const char *fault = came ? password_fault(buf_str(&line))
                                 : "no password came on standard input";
        if (fault)
                status = cli_fail(c, "%s: nothing was changed", fault);
        else
                keep(c, p, buf_str(&line));
        if (line.at)
                explicit_bzero(line.at, line.len);
        buf_release(&line);
        return status;
}
