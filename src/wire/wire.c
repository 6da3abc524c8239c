#include "wire/wire.h"
#include "base/clock.h"
#include "wire/inside.h"
#include <unistd.h>

struct wire *wire_new(struct crew *crew, int fd)
{
        struct wire *w = mem_new(sizeof *w);
        atomic_fetch_add(&crew->holds, 1);
        w->crew = crew;
        w->fd = fd;
        w->flags = OWNED;
        w->holds = 1;
        w->deadline = UINT64_MAX;
        w->want = POLLIN;
        w->served_at = w->moved_at = clock_ms();
        return w;
}

struct wire *wire_hold(struct wire *w)
{
        atomic_fetch_add_explicit(&w->holds, 1, memory_order_relaxed);
        return w;
}

void wire_drop(struct wire *w)
{
        if (!w || atomic_fetch_sub_explicit(&w->holds, 1, memory_order_acq_rel) != 1)
                return;
        struct crew *crew = w->crew;
        free(w);
        crew_drop(crew);
}

const struct peer *wire_peer(const struct wire *w)
{
        return &w->peer;
}

/* Finds the line end without looking at any octet twice. A line over the limit is dropped as it
 * comes; its end makes it a line again, for wire_line to report. */
bool wire_has_line(struct wire *w)
{
        size_t left = w->in.len - w->seen;
        const char *end = left ? memchr(w->in.at + w->seen, '\n', left) : NULL;
        if (end) {
                w->seen = (size_t)(end - w->in.at);
                return true;
        }
        w->seen = w->in.len;
        if (w->in.len - w->in_at > w->line_max + 1)
                w->skipping = true;
        if (w->skipping && w->in.len - w->in_at > WIRE_TAIL + 1) /* and a CR */
                w->in_at = w->in.len - WIRE_TAIL - 1;
        return false;
}

static enum status next_line(struct wire *w, struct str *out)
{
        *out = STR_NONE;
        if (w->closing || w->broken)
                return CLOSED;
        if (!wire_has_line(w)) {
                w->told = w->eof;
                return w->eof ? CLOSED : BUSY;
        }
        struct str line = str_make(w->in.at + w->in_at, w->seen - w->in_at);
        w->in_at = ++w->seen;
        if (line.len && line.at[line.len - 1] == '\r')
                line.len--;
        bool long_line = w->skipping || line.len > w->line_max;
        w->skipping = false;
        *out = long_line ? str_from(line, line.len < WIRE_TAIL ? 0 : line.len - WIRE_TAIL) : line;
        return long_line ? TOO_BIG : OK;
}

enum status wire_line(struct wire *w, struct str *out)
{
        /* Pipelined commands behind the running one are not obeyed once the crew stops. */
        if (w->crew->stopping && !w->closing) {
                *out = STR_NONE;
                return BUSY;
        }
        return next_line(w, out);
}

/* A client that owed octets and did not send them is put out, however the protocol goes on. */
void wire_put_out(struct wire *w)
{
        w->eof = w->told = true;
        w->in_at = w->seen = w->in.len;
}

/* Only the time counts here, not the rate: a person may be typing. */
enum status wire_line_wait(struct wire *w, struct str *out)
{
        unsigned seconds = w->crew->limits.seconds_to_send;
        if (w->idle_seconds < seconds)
                seconds = w->idle_seconds;
        uint64_t until = clock_ms() + (uint64_t)seconds * 1000;
        wire_flush(w);
        for (;;) {
                enum status st = next_line(w, out);
                if (st != BUSY)
                        return st;
                st = stream_read(w, READ_ROOM);
                if (clock_ms() >= until) /* also who sends a line without end */
                        st = TIMEOUT;
                else if (st == BUSY)
                        st = stream_wait_input(w, until);
                if (st == TIMEOUT) {
                        wire_put_out(w);
                        return TIMEOUT;
                }
                if (st == CLOSED && w->cut)
                        w->eof = true;
        }
}

/* --- writing --- */

static bool silent(const struct wire *w)
{
        return w->broken || w->lingering;
}

void wire_put(struct wire *w, struct str s)
{
        while (s.len && !silent(w)) {
                size_t room = stream_unsent(w) < ROOM ? ROOM - stream_unsent(w) : 1;
                struct str piece = str_sub(s, 0, room);
                buf_add(&w->out, piece);
                s = str_from(s, piece.len);
                wire_room(w);
        }
}

void wire_say(struct wire *w, const char *format, ...)
{
        va_list ap;
        if (silent(w))
                return;
        size_t start = w->out.len;
        va_start(ap, format);
        buf_vaddf(&w->out, format, ap);
        va_end(ap);
        /* One line is one line, whatever text from elsewhere was put in it. */
        for (size_t i = start; i < w->out.len; i++)
                if (w->out.at[i] == '\r' || w->out.at[i] == '\n' || w->out.at[i] == '\0')
                        w->out.at[i] = ' ';
        buf_add(&w->out, STR("\r\n"));
        wire_room(w);
}

struct buf *wire_out(struct wire *w)
{
        return &w->out;
}

void wire_room(struct wire *w)
{
        if (stream_unsent(w) >= ROOM || silent(w))
                stream_flush(w);
}

/* What the client does not take at once goes on waiting here; only more than ROOM makes the
 * worker wait with it. */
void wire_flush(struct wire *w)
{
        if (stream_send(w) == BUSY)
                wire_room(w);
}

void wire_close(struct wire *w)
{
        w->closing = true;
}

/* A client that has only closed its own side still reads: its last commands are answered. */
bool wire_gone(const struct wire *w)
{
        return w->closing || w->broken || w->told || w->cut;
}

/* --- TLS --- */

enum status wire_starttls(struct wire *w, struct tls *tls)
{
        uint64_t until = clock_ms() + HANDSHAKE_MS;
        /* What came in the clear behind STARTTLS may be from somebody in between
         * (RFC 3207 4.2, RFC 9051 6.2.1): it is not obeyed. */
        w->in_at = w->seen = w->in.len;
        w->skipping = false;
        w->tls = tls;
        enum status st = w->ssl ? BROKEN : stream_flush(w);
        while (st == OK) {
                st = stream_shake(w);
                if (st == OK)
                        return OK;
                if (st == BUSY)
                        st = stream_wait(w, w->want, until);
        }
        w->broken = true;
        return BROKEN;
}

bool wire_secure(const struct wire *w)
{
        return w->ssl != NULL;
}

enum status wire_binding(const struct wire *w, enum binding which, struct buf *out)
{
        return w->ssl ? tls_binding(w->ssl, which, out) : ABSENT;
}

struct str wire_cipher(const struct wire *w)
{
        return str_of(w->cipher);
}

/* --- compression --- */

void wire_compress(struct wire *w)
{
        if (w->squeeze || stream_flush(w) != OK)
                return;
        w->squeeze = squeeze_new();
        buf_add(&w->squeeze->in, str_from(buf_str(&w->in), w->in_at));
        w->in_at = w->seen = w->in.len;
}

bool wire_compressed(const struct wire *w)
{
        return w->squeeze != NULL;
}

/* --- wakes and time --- */

void wire_wake(struct wire *w)
{
        wire_post(w, WAKE);
}

void wire_idle_limit(struct wire *w, unsigned seconds)
{
        w->idle_seconds = seconds;
}

void wire_aside(struct wire *w, bool aside)
{
        struct crew *crew = w->crew;
        if (!aside) {
                atomic_fetch_sub(&crew->aside, 1);
                return;
        }
        atomic_fetch_add(&crew->aside, 1);
        if (crew->idle == 0)
                crew_grow(crew);
}

void wire_line_limit(struct wire *w, size_t octets)
{
        w->line_max = octets;
}

void wire_wake_after(struct wire *w, unsigned seconds)
{
        w->wake_seconds = seconds;
        w->wake_at = seconds ? clock_ms() + (uint64_t)seconds * 1000 : 0;
}
