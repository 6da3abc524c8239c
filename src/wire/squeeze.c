/* squeeze.c - raw deflate streams of one connection (RFC 1951).
 *
 * Memory: deflate wants 256 KiB and inflate 40 KiB, so an idle connection keeps neither. After a
 * flush the client's inflater is at an octet border and a new deflater that refers to nothing
 * before goes on there. The client's stream refers to what came before, so its last octets (as many
 * as there were, at most 32 KiB) are kept, and a new inflater is given them. */
#include "wire/inside.h"
#include <zlib.h>

enum {
        LEVEL = 3,
        RAW = -15, /* no zlib header; the window is 32 KiB */
        WINDOW = 32768,
        MEMORY = 8,
        PIECE = 16384,
        AT_BORDER = 128, /* of data_type: behind a block, with no bits left over */
};

struct squeeze *squeeze_new(void)
{
        return mem_new(sizeof(struct squeeze));
}

static void inflate_drop(struct squeeze *s)
{
        if (s->inflate)
                inflateEnd(s->inflate);
        free(s->inflate);
        s->inflate = NULL;
}

static void deflate_drop(struct squeeze *s)
{
        if (s->deflate)
                deflateEnd(s->deflate);
        free(s->deflate);
        s->deflate = NULL;
}

void squeeze_free(struct squeeze *s)
{
        if (!s)
                return;
        inflate_drop(s);
        deflate_drop(s);
        buf_release(&s->window);
        buf_release(&s->in);
        buf_release(&s->out);
        free(s);
}

/* zlib's input is not const. */
static Bytef *octets(const char *at)
{
        return (Bytef *)(uintptr_t)at;
}

static void inflate_wake(struct squeeze *s)
{
        if (s->inflate)
                return;
        s->inflate = mem_new(sizeof *s->inflate);
        if (inflateInit2(s->inflate, RAW) != Z_OK)
                fail_now("zlib cannot inflate");
        if (s->window.len && inflateSetDictionary(s->inflate, octets(s->window.at),
                                     (uInt)s->window.len) != Z_OK)
                fail_now("zlib does not take its own window");
        buf_release(&s->window);
}

enum status squeeze_read(struct squeeze *s, size_t room, struct buf *out)
{
        size_t have = s->in.len - s->in_at;
        if (s->ended)
                return CLOSED;
        if (!have && !s->more)
                return BUSY;
        inflate_wake(s);
        z_stream *z = s->inflate;
        z->next_in = octets(have ? s->in.at + s->in_at : "");
        z->avail_in = have < UINT32_MAX ? (uInt)have : UINT32_MAX;
        uInt fed = z->avail_in;
        z->next_out = (Bytef *)buf_reserve(out, room);
        z->avail_out = (uInt)room;
        int st = inflate(z, Z_SYNC_FLUSH);
        size_t got = room - z->avail_out;
        s->in_at += fed - z->avail_in;
        out->len += got;
        s->more = z->avail_out == 0;
        s->ended = st != Z_OK && st != Z_BUF_ERROR;
        if (s->in_at == s->in.len) {
                buf_clear(&s->in);
                s->in_at = 0;
        }
        return got ? OK : s->ended ? CLOSED : BUSY;
}

static void deflate_wake(struct squeeze *s)
{
        if (s->deflate)
                return;
        s->deflate = mem_new(sizeof *s->deflate);
        if (deflateInit2(s->deflate, LEVEL, Z_DEFLATED, RAW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
                fail_now("zlib cannot deflate");
}

void squeeze_write(struct squeeze *s, struct str text)
{
        deflate_wake(s);
        z_stream *z = s->deflate;
        z->next_in = octets(text.at);
        z->avail_in = (uInt)text.len;
        do {
                z->next_out = (Bytef *)buf_reserve(&s->out, PIECE);
                z->avail_out = PIECE;
                if (deflate(z, Z_SYNC_FLUSH) == Z_STREAM_ERROR)
                        fail_now("zlib lost its stream");
                s->out.len += PIECE - z->avail_out;
        } while (z->avail_out == 0);
}

/* In the middle of a block the inflater stays: a client that does not flush costs 40 KiB. */
static void inflate_rest(struct squeeze *s)
{
        if (!s->inflate || s->more || s->ended || s->inflate->data_type != AT_BORDER)
                return;
        uInt len = WINDOW;
        Bytef *window = (Bytef *)buf_reserve(&s->window, WINDOW);
        if (inflateGetDictionary(s->inflate, window, &len) != Z_OK)
                return;
        struct buf small = {0};
        buf_set(&small, str_make((const char *)window, len));
        buf_release(&s->window);
        s->window = small;
        inflate_drop(s);
}

void squeeze_rest(struct squeeze *s)
{
        inflate_rest(s);
        deflate_drop(s);
        if (!s->in.len)
                buf_release(&s->in);
        buf_trim(&s->out, 0);
}
