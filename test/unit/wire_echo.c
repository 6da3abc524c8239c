#include "wire_echo.h"
#include "base/clock.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
        struct wire *wire;
        struct echo_site *site;
        struct spool *spool;
};

static struct session *echo_open(struct wire *w, void *site)
{
        struct session *s = mem_new(sizeof *s);
        s->wire = w;
        s->site = site;
        s->site->open++;
        s->site->last = w;
        wire_say(w, "hello");
        return s;
}

static uint32_t number(struct str text)
{
        uint32_t n = 0;
        return str_u32(text, &n) == OK ? n : 0;
}

static void echo_ask(struct session *s)
{
        struct str line;
        wire_say(s->wire, "+ go on");
        enum status st = wire_line_wait(s->wire, &line);
        wire_say(s->wire, "%s %.*s", status_name(st), STR_ARG(line));
}

static void echo_take(struct session *s, size_t len)
{
        struct buf taken = {0};
        wire_say(s->wire, "+ go on");
        enum status st = wire_take(s->wire, len, &taken);
        wire_say(s->wire, "%s %.*s", status_name(st), STR_ARG(buf_str(&taken)));
        buf_release(&taken);
}

static void echo_spool(struct session *s, bool dots, uint64_t len)
{
        spool_free(s->spool);
        s->spool = spool_new("/tmp");
        wire_say(s->wire, "+ go on");
        enum status st = dots ? wire_dots(s->wire, len, s->spool)
                              : wire_literal(s->wire, len, s->spool);
        wire_say(s->wire, "%s %zu", status_name(st), spool_size(s->spool));
}

static void echo_show(struct session *s)
{
        struct str text = STR_NONE;
        if (!s->spool || spool_view(s->spool, &text) != OK)
                wire_say(s->wire, "nothing");
        wire_put_stuffed(s->wire, text, true);
        wire_dot_end(s->wire);
}

static void echo_big(struct session *s, uint32_t lines)
{
        for (uint32_t i = 0; i < lines; i++)
                wire_say(s->wire, "%07u " ECHO_FILL, i);
        wire_say(s->wire, "done");
}

static void echo_peer(struct session *s)
{
        const struct peer *p = wire_peer(s->wire);
        wire_say(s->wire, "%.*s %.*s %s %d", STR_ARG(p->address), STR_ARG(p->listener),
                p->loopback ? "near" : "far", (int)p->uid);
}

/* A command that is being obeyed for as long as the test wants it. */
static void echo_hold(struct session *s)
{
        s->site->held++;
        while (!s->site->let)
                usleep(1000);
}

static void echo_obey(struct session *s, struct str verb, struct str rest)
{
        struct wire *w = s->wire;
        if (str_eq(verb, STR("ECHO")))
                wire_say(w, "%.*s", STR_ARG(rest));
        else if (str_eq(verb, STR("ASK")))
                echo_ask(s);
        else if (str_eq(verb, STR("TAKE")))
                echo_take(s, number(rest));
        else if (str_eq(verb, STR("SKIP")))
                wire_say(w, "%s", status_name(wire_skip(w, number(rest))));
        else if (str_eq(verb, STR("LITERAL")))
                echo_spool(s, false, number(rest));
        else if (str_eq(verb, STR("DATA")))
                echo_spool(s, true, number(rest));
        else if (str_eq(verb, STR("SHOW")))
                echo_show(s);
        else if (str_eq(verb, STR("BIG")))
                echo_big(s, number(rest));
        else if (str_eq(verb, STR("SLEEP")))
                usleep(number(rest) * 1000);
        else if (str_eq(verb, STR("HOLD")))
                echo_hold(s);
        else if (str_eq(verb, STR("AFTER")))
                wire_wake_after(w, number(rest));
        else if (str_eq(verb, STR("LIMIT")))
                wire_idle_limit(w, number(rest));
        else if (str_eq(verb, STR("PERSON")))
                wire_person(w, number(rest));
        else if (str_eq(verb, STR("ASIDE")))
                wire_aside(w, number(rest) != 0);
        else if (str_eq(verb, STR("LINES")))
                wire_line_limit(w, number(rest));
        else if (str_eq(verb, STR("PEER")))
                echo_peer(s);
        else if (str_eq(verb, STR("CIPHER")))
                wire_say(w, "%s %.*s", wire_secure(w) ? "secure" : "clear",
                        STR_ARG(wire_cipher(w)));
        else
                wire_say(w, "unknown %.*s", STR_ARG(verb));
}

static void echo_line(struct session *s, struct str line)
{
        struct str rest = line, verb = STR_NONE;
        str_cut(&rest, ' ', &verb);
        if (str_eq(verb, STR("QUIT"))) {
                wire_say(s->wire, "bye");
                wire_close(s->wire);
        } else if (str_eq(verb, STR("STARTTLS"))) {
                wire_say(s->wire, "go ahead");
                if (wire_starttls(s->wire, s->site->tls) != OK)
                        assert_true(wire_gone(s->wire));
        } else {
                echo_obey(s, verb, rest);
        }
}

static void echo_serve(struct session *s)
{
        struct str line;
        for (;;) {
                enum status st = wire_line(s->wire, &line);
                if (st == TOO_BIG)
                        wire_say(s->wire, "line too long: %.*s", STR_ARG(line));
                else if (st == OK)
                        echo_line(s, line);
                else
                        return;
        }
}

static void echo_wake(struct session *s)
{
        s->site->woken++;
        wire_say(s->wire, "* woken");
}

static void echo_idle(struct session *s)
{
        s->site->idles++;
}

static void echo_timeout(struct session *s)
{
        s->site->timeouts++;
        wire_say(s->wire, "* too slow");
}

static void echo_stop(struct session *s)
{
        s->site->stops++;
        wire_say(s->wire, "* stopping");
}

static void echo_close(struct session *s)
{
        s->site->closed++;
        spool_free(s->spool);
        free(s);
}

const struct protocol echo_protocol = {
        .name = "echo",
        .line_max = 100,
        .idle_seconds = 60,
        .open = echo_open,
        .serve = echo_serve,
        .wake = echo_wake,
        .idle = echo_idle,
        .timeout = echo_timeout,
        .stop = echo_stop,
        .close = echo_close,
        .too_many = "too many",
};

struct crew *echo_start(struct echo_site *site, const struct crew_options *options,
        struct listener listener)
{
        struct crew *crew;
        if (!listener.address.len)
                listener.address = STR("127.0.0.1");
        if (!listener.name.len)
                listener.name = STR("echo");
        if (!listener.protocol)
                listener.protocol = &echo_protocol;
        listener.site = site;
        assert_int_equal(crew_new(options, &crew), OK);
        assert_int_equal(crew_listen(crew, &listener), OK);
        assert_int_equal(crew_start(crew), OK);
        return crew;
}

struct crew *echo_start_simple(struct echo_site *site, struct listener listener)
{
        struct crew_options options = {.tls = site->tls};
        return echo_start(site, &options, listener);
}

/* --- the client --- */

uint64_t now_ms(void)
{
        return clock_ms();
}

int client_dial(struct crew *crew, const char *listener)
{
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        struct timeval patience = {60, 0};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        a.sin_port = htons(crew_port(crew, str_of(listener)));
        int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
        return fd;
}

void client_send(int fd, struct str s)
{
        while (s.len) {
                ssize_t n = send(fd, s.at, s.len, MSG_NOSIGNAL);
                assert_true(n > 0);
                s = str_from(s, (size_t)n);
        }
}

void client_say(int fd, const char *text)
{
        client_send(fd, str_of(text));
}

char *client_line(int fd)
{
        struct buf line = {0};
        char c;
        for (;;) {
                ssize_t n = recv(fd, &c, 1, 0);
                if (n < 0 && errno == ECONNRESET)
                        n = 0;
                assert_true(n >= 0);
                if (n == 0) {
                        buf_release(&line);
                        return NULL;
                }
                if (c == '\n')
                        break;
                buf_add_char(&line, c);
        }
        assert_true(line.len && line.at[line.len - 1] == '\r');
        line.at[line.len - 1] = '\0';
        return line.at;
}

void client_expect(int fd, const char *want)
{
        char *line = client_line(fd);
        assert_non_null(line);
        assert_string_equal(line, want);
        free(line);
}

void client_closed(int fd)
{
        assert_null(client_line(fd));
        close(fd);
}
