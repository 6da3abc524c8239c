#include "cli/lmtp.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { DEADLINE_SECONDS = 300, REPLY_MAX = 64 << 10 };

struct talk {
        struct cli *cli;
        int fd;
        struct buf in;    /* not yet read */
        struct buf reply; /* the last line of the last reply, or all lines of it */
        unsigned code;    /* 0: the daemon has gone */
};

static bool send_all(struct talk *t, struct str octets)
{
        while (octets.len) {
                ssize_t n = send(t->fd, octets.at, octets.len, MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                octets = str_from(octets, (size_t)n);
        }
        return true;
}

/* The next line, without its end; false when the daemon has gone. */
static bool read_line(struct talk *t, struct buf *line)
{
        for (;;) {
                struct str rest = buf_str(&t->in);
                size_t end = str_chr(rest, '\n');
                if (end != STR_NOWHERE) {
                        buf_set(line, str_trim(str_sub(rest, 0, end)));
                        buf_drop(&t->in, end + 1);
                        return true;
                }
                if (t->in.len > REPLY_MAX)
                        return false;
                ssize_t n = recv(t->fd, buf_reserve(&t->in, 4096), 4096, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                t->in.len += (size_t)n;
        }
}

/* A reply of one or more lines ("250-..." goes on). */
static unsigned read_reply(struct talk *t)
{
        struct buf line = {0};
        t->code = 0;
        buf_clear(&t->reply);
        while (read_line(t, &line)) {
                struct str text = buf_str(&line);
                uint32_t code;
                if (text.len < 3 || str_u32(str_sub(text, 0, 3), &code) != OK)
                        break;
                buf_addf(&t->reply, "%s%.*s", t->reply.len ? " " : "", STR_ARG(str_from(text, 4)));
                if (text.len == 3 || text.at[3] != '-') {
                        t->code = code;
                        break;
                }
        }
        buf_release(&line);
        return t->code;
}

static unsigned ask(struct talk *t, const char *format, ...) PRINTF(2, 3);

static unsigned ask(struct talk *t, const char *format, ...)
{
        struct buf line = {0};
        va_list list;
        va_start(list, format);
        buf_vaddf(&line, format, list);
        va_end(list);
        buf_add_text(&line, "\r\n");
        bool sent = send_all(t, buf_str(&line));
        buf_release(&line);
        return sent ? read_reply(t) : (t->code = 0);
}

/* By the enhanced status code (RFC 3463), which says more than the reply code. */
static int exit_of(struct talk *t)
{
        static const struct {
                const char *code;
                int exit;
        } known[] = {
                {"4.3.1", EX_CANTCREAT},
                {"5.1.", EX_NOUSER},
                {"5.7.", EX_NOPERM},
                {"5.2.", EX_DATAERR},
                {"5.3.4", EX_DATAERR},
                {"5.6.", EX_DATAERR},
                {"5.5.", EX_DATAERR},
                {"5.4.6", EX_DATAERR},
        };
        struct str text = buf_str(&t->reply);
        if (!t->code)
                return EX_TEMPFAIL;
        for (size_t i = 0; i < COUNT_OF(known); i++) {
                if (str_starts(text, str_of(known[i].code)))
                        return known[i].exit;
        }
        return t->code < 500 ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

static int refused(struct talk *t, struct str about)
{
        if (str_find(buf_str(&t->reply), about) != STR_NOWHERE)
                about = STR("");
        if (!t->code)
                cli_fail(t->cli, "batond ended before it answered: try again later");
        else
                cli_fail(t->cli, "%.*s%s%u %.*s", STR_ARG(about), about.len ? ": " : "", t->code,
                        STR_ARG(buf_str(&t->reply)));
        return exit_of(t);
}

static void send_stuffed(struct talk *t, struct str bytes)
{
        struct buf out = {0};
        bool ended = !bytes.len || str_ends(bytes, STR("\r\n"));
        while (bytes.len) {
                size_t end = str_find(bytes, STR("\r\n"));
                size_t len = end == STR_NOWHERE ? bytes.len : end + 2;
                if (bytes.at[0] == '.')
                        buf_add_char(&out, '.');
                buf_add(&out, str_sub(bytes, 0, len));
                bytes = str_from(bytes, len);
                if (out.len > 1 << 16) {
                        (void)send_all(t, buf_str(&out)); /* a failure shows as the missing reply */
                        buf_clear(&out);
                }
        }
        buf_add_text(&out, ended ? ".\r\n" : "\r\n.\r\n");
        (void)send_all(t, buf_str(&out));
        buf_release(&out);
}

/* One reply for each recipient that was accepted (RFC 2033 4.2). */
static int send_message(struct talk *t, const struct letter *l, const bool *accepted)
{
        int status = 0;
        if (ask(t, "DATA") != 354)
                return refused(t, STR("the message"));
        send_stuffed(t, l->bytes);
        for (size_t i = 0; i < l->to_count; i++) {
                if (!accepted[i] || read_reply(t) / 100 == 2)
                        continue;
                int exit = refused(t, l->to[i]);
                status = status ? status : exit;
                if (!t->code)
                        break;
        }
        return status;
}

static int converse(struct talk *t, const struct letter *l)
{
        bool *accepted = arena_alloc(t->cli->arena, l->to_count * sizeof *accepted);
        size_t count = 0;
        int status = 0;
        if (read_reply(t) != 220)
                return refused(t, STR("batond"));
        if (ask(t, "LHLO localhost") != 250)
                return refused(t, STR("batond"));
        if (ask(t, "MAIL FROM:<%.*s> SIZE=%zu BODY=8BITMIME", STR_ARG(l->from), l->bytes.len) !=
                250)
                return refused(t, l->from.len ? l->from : STR("the message"));
        for (size_t i = 0; i < l->to_count; i++) {
                accepted[i] = ask(t, "RCPT TO:<%.*s>", STR_ARG(l->to[i])) / 100 == 2;
                count += accepted[i];
                if (accepted[i])
                        continue;
                int exit = refused(t, l->to[i]);
                status = status ? status : exit;
                if (!t->code)
                        return status;
        }
        if (count) {
                int exit = send_message(t, l, accepted);
                status = status ? status : exit;
        }
        (void)ask(t, "QUIT");
        return status;
}

static int connect_to(const char *home)
{
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        struct timeval deadline = {.tv_sec = DEADLINE_SECONDS};
        int fd, n = snprintf(to.sun_path, sizeof to.sun_path, "%s/run/deliver", home);
        if (n < 0 || (size_t)n >= sizeof to.sun_path)
                return -1;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
                close(fd);
                return -1;
        }
        if (fd >= 0) {
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
        }
        return fd;
}

static bool is_plain(struct str address)
{
        for (size_t i = 0; i < address.len; i++) {
                if ((unsigned char)address.at[i] <= ' ' || strchr("<>\177", address.at[i]))
                        return false;
        }
        return address.len <= 320;
}

int lmtp_hand_over(struct cli *c, const struct letter *l)
{
        struct talk t = {.cli = c, .fd = connect_to(c->home)};
        int status;
        if (t.fd < 0)
                return -1;
        for (size_t i = 0; i <= l->to_count; i++) { /* no address may carry a second command */
                struct str address = i < l->to_count ? l->to[i] : l->from;
                if (!is_plain(address)) {
                        close(t.fd);
                        cli_fail(c, "'%.*s' is not an address", STR_ARG(address));
                        return i < l->to_count ? EX_NOUSER : EX_DATAERR;
                }
        }
        status = converse(&t, l);
        close(t.fd);
        buf_release(&t.in);
        buf_release(&t.reply);
        return status;
}
