/* chunk.c - BDAT (RFC 3030 2): a mail that comes in counted pieces. The octets behind the command
 * follow whatever is answered to it, so they are always read: else they would be taken for commands,
 * which is how mail is smuggled. */
#include "smtp/path.h"
#include "smtp/session.h"

enum { BEYOND = 16 << 20 }; /* so much over the limit is still passed over */

/* RFC 5321 2.3.8: CR and LF come as CRLF only, and there is no NUL; BINARYMIME is not offered. */
static bool is_text(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == '\0' || s.at[i] == '\n')
                        return false;
                if (s.at[i] == '\r' && (++i == s.len || s.at[i] != '\n'))
                        return false;
        }
        return true;
}

static void keep_chunk(struct session *s, enum status st)
{
        if (s->chunked == OK)
                s->chunked = st;
}

static enum status take_chunk(struct session *s, uint64_t size)
{
        uint64_t most = site_config(s->site)->message_size;
        if (!s->chunks)
                s->chunks = spool_new(s->site->tmp);
        if (size > most || spool_size(s->chunks) > most - size)
                keep_chunk(s, TOO_BIG);
        enum status st = wire_literal(s->wire, size, s->chunked == OK ? s->chunks : NULL);
        if (st != TIMEOUT && st != CLOSED)
                keep_chunk(s, st);
        return st == TIMEOUT || st == CLOSED ? st : OK;
}

/* The last line may come without its end: it gets one, as all lines have. */
static enum status finish(struct session *s, struct str *bytes)
{
        enum status st = s->chunked;
        if (st == OK)
                st = spool_view(s->chunks, bytes);
        if (st == OK && !is_text(*bytes))
                st = INVALID;
        if (st != OK || !bytes->len || bytes->at[bytes->len - 1] == '\n')
                return st;
        st = spool_add(s->chunks, STR("\r\n"));
        return st == OK ? spool_view(s->chunks, bytes) : st;
}

static enum status obey_chunk(struct session *s, uint64_t size, bool last)
{
        struct str bytes = STR("");
        enum status st = take_chunk(s, size);
        if (st != OK)
                return st;
        if (!last) {
                if (s->chunked == OK)
                        smtp_say(s, "250 2.0.0 %llu octets received", (unsigned long long)size);
                else
                        smtp_no(s, s->chunked);
                return OK;
        }
        st = finish(s, &bytes);
        if (st == OK)
                smtp_file(s, bytes);
        else
                smtp_unfiled(s, st);
        smtp_reset(s);
        return OK;
}

enum status smtp_bdat(struct session *s, const struct args *a)
{
        uint64_t size, most = site_config(s->site)->message_size;
        bool last;
        if (path_chunk(a->rest, &size, &last) != OK) {
                smtp_say(s, "501 5.5.4 Syntax: BDAT size [LAST]; what follows cannot be told "
                            "from commands: closing the connection");
                wire_close(s->wire);
                return OK;
        }
        if (size / 4 > most + BEYOND) {
                smtp_no(s, TOO_BIG);
                wire_close(s->wire);
                return OK;
        }
        if (s->mail && s->target_count)
                return obey_chunk(s, size, last);
        enum status st = wire_skip(s->wire, size);
        if (st != OK)
                return st;
        if (s->mail)
                smtp_no_recipients(s);
        else
                smtp_say(s, "503 5.5.1 MAIL comes first");
        return OK;
}

void smtp_chunks_settle(struct session *s)
{
        enum status st = s->chunks ? spool_settle(s->chunks) : OK;
        if (st != OK)
                keep_chunk(s, st);
}
