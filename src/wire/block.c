/* block.c - counted literals and dot-stuffed blocks (RFC 5321 4.5.2, RFC 3977 3.1.1). */
#include "wire/inside.h"

/* The next buffered octets, at most `most`; waits when there are none. */
static enum status next_piece(struct wire *w, struct pace *pace, size_t most, struct str *out)
{
        while (w->in.len == w->in_at) {
                enum status st = w->closing ? CLOSED : stream_more(w, pace, BLOCK_ROOM);
                if (st == OK)
                        continue;
                wire_put_out(w);
                return st;
        }
        *out = str_sub(str_from(buf_str(&w->in), w->in_at), 0, most);
        return OK;
}

static void consume(struct wire *w, size_t len)
{
        w->in_at += len;
        if (w->seen < w->in_at)
                w->seen = w->in_at;
}

static size_t at_most(uint64_t len)
{
        return len < BLOCK_ROOM ? (size_t)len : BLOCK_ROOM;
}

enum status wire_take(struct wire *w, size_t len, struct buf *out)
{
        struct pace pace = {0};
        struct str piece;
        wire_flush(w);
        for (; len; len -= piece.len) {
                enum status st = next_piece(w, &pace, at_most(len), &piece);
                if (st != OK)
                        return st;
                buf_add(out, piece);
                consume(w, piece.len);
        }
        return OK;
}

enum status wire_literal(struct wire *w, uint64_t len, struct spool *out)
{
        struct pace pace = {0};
        struct str piece;
        enum status kept = OK;
        wire_flush(w);
        for (; len; len -= piece.len) {
                enum status st = next_piece(w, &pace, at_most(len), &piece);
                if (st != OK)
                        return st;
                if (kept == OK && out)
                        kept = spool_add(out, piece);
                consume(w, piece.len);
        }
        return kept;
}

enum status wire_skip(struct wire *w, uint64_t len)
{
        return wire_literal(w, len, NULL);
}

/* --- dot-stuffed blocks --- */

enum place {
        LINE_START, /* behind CRLF, or at the beginning */
        DOT,        /* a line's first octet was a dot */
        DOT_CR,     /* and then came CR */
        MIDDLE,
        CR,         /* CR inside a line */
        END,
};

struct block {
        enum place place;
        enum status kept; /* OK, or why nothing more is kept */
        uint64_t max, size;
        struct spool *out;
        struct buf clean; /* unstuffed octets of this piece */
};

static void spoil(struct block *b, enum status why)
{
        if (b->kept == OK)
                b->kept = why;
}

/* An octet inside a line. RFC 5321 2.3.8: CR and LF come as CRLF only. */
static void middle(struct block *b, char c)
{
        b->place = c == '\r' ? CR : MIDDLE;
        if (c == '\r')
                return;
        if (c == '\n' || c == '\0')
                spoil(b, INVALID);
        buf_add_char(&b->clean, c);
}

static void line_end(struct block *b)
{
        b->place = LINE_START;
        buf_add(&b->clean, STR("\r\n"));
}

static void octet(struct block *b, char c)
{
        switch (b->place) {
        case LINE_START:
                if (c == '.')
                        b->place = DOT;
                else
                        middle(b, c);
                break;
        case DOT:
                if (c == '\r')
                        b->place = DOT_CR;
                else
                        middle(b, c); /* the dot was stuffing */
                break;
        case DOT_CR:
        case CR:
                if (c == '\n' && b->place == DOT_CR) {
                        b->place = END;
                } else if (c == '\n') {
                        line_end(b);
                } else {
                        spoil(b, INVALID);
                        middle(b, c);
                }
                break;
        case MIDDLE:
                middle(b, c);
                break;
        case END:
                break;
        }
}

/* How many octets at the front are plain, so that they can be copied in one go. */
static size_t plain_run(struct str s)
{
        size_t n = 0;
        while (n < s.len && s.at[n] != '\r' && s.at[n] != '\n' && s.at[n] != '\0')
                n++;
        return n;
}

/* How many octets at the front are whole lines that mean themselves: without a dot in front, CR only
 * before their LF. Most of all mail is one such run. */
static size_t plain_lines(struct str s)
{
        size_t n = 0;
        while (n < s.len && s.at[n] != '.') {
                struct str rest = str_from(s, n);
                size_t cr = str_chr(rest, '\r');
                if (cr == STR_NOWHERE || str_chr(rest, '\n') != cr + 1)
                        break;
                n += cr + 2;
        }
        return n;
}

static void keep(struct block *b, struct str octets)
{
        b->size += octets.len;
        if (b->size > b->max)
                spoil(b, TOO_BIG);
        if (b->kept == OK)
                b->kept = spool_add(b->out, octets);
}

static void keep_clean(struct block *b)
{
        if (b->clean.len)
                keep(b, buf_str(&b->clean));
        buf_clear(&b->clean);
}

/* Returns how many octets of the piece belong to the block. */
static size_t block_piece(struct block *b, struct str piece)
{
        bool zeros = str_chr(piece, '\0') != STR_NOWHERE;
        size_t at = 0;
        while (at < piece.len && b->place != END) {
                struct str rest = str_from(piece, at);
                size_t lines = b->place == LINE_START && !zeros ? plain_lines(rest) : 0;
                size_t run = b->place == MIDDLE ? plain_run(rest) : 0;
                if (lines) {
                        keep_clean(b);
                        keep(b, str_sub(rest, 0, lines));
                }
                buf_add(&b->clean, str_sub(rest, 0, run));
                at += lines + run;
                if (!lines && !run)
                        octet(b, piece.at[at++]);
        }
        keep_clean(b);
        return at;
}

/* A block that has been refused is read to its end, but not for ever. */
static bool endless(const struct block *b)
{
        return b->size / 4 > b->max + ((uint64_t)16 << 20);
}

enum status wire_dots(struct wire *w, uint64_t max, struct spool *out)
{
        struct block b = {.max = max, .out = out};
        struct pace pace = {0};
        enum status st = OK;
        wire_flush(w);
        while (b.place != END && st == OK) {
                struct str piece;
                st = next_piece(w, &pace, BLOCK_ROOM, &piece);
                if (st != OK)
                        break;
                consume(w, block_piece(&b, piece));
                if (endless(&b)) {
                        wire_put_out(w);
                        st = CLOSED;
                }
        }
        buf_release(&b.clean);
        return st == OK ? b.kept : st;
}

/* --- and out --- */

static bool may_begin_with_dot(const struct wire *w, struct str text)
{
        bool begins = !w->mid_line;
        while (text.len && !(begins && text.at[0] == '.')) {
                size_t end = str_chr(text, '\n');
                if (end == STR_NOWHERE)
                        return false;
                text = str_from(text, end + 1);
                begins = true;
        }
        return text.len > 0;
}

void wire_put_stuffed(struct wire *w, struct str text, bool dots)
{
        struct str rest = text;
        if (text.len == 0)
                return;
        dots = dots && may_begin_with_dot(w, text);
        while (dots && rest.len) {
                if (rest.at[0] == '.' && !w->mid_line)
                        wire_put(w, STR("."));
                size_t end = str_chr(rest, '\n');
                struct str line = str_sub(rest, 0, end == STR_NOWHERE ? rest.len : end + 1);
                wire_put(w, line);
                w->mid_line = end == STR_NOWHERE;
                rest = str_from(rest, line.len);
        }
        if (!dots)
                wire_put(w, text);
        w->mid_line = text.at[text.len - 1] != '\n';
}

void wire_dot_end(struct wire *w)
{
        if (w->mid_line)
                wire_put(w, STR("\r\n"));
        w->mid_line = false;
        wire_put(w, STR(".\r\n"));
}
