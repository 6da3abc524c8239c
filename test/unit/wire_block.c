#include "wire_echo.h"
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
        struct echo_site site;
        struct crew *crew;
};

static int setup(void **state)
{
        struct fixture *f = mem_new(sizeof *f);
        f->crew = echo_start_simple(&f->site, (struct listener){0});
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        crew_stop(f->crew, 1);
        free(f);
        return 0;
}

struct row {
        const char *name;
        struct str sent;  /* the block as the client sends it, with its end mark */
        const char *reply; /* to DATA 100 */
        struct str shown; /* what SHOW gives back, with the end mark; at NULL: not looked at */
};

/* clang-format off */
static const struct row rows[] = {
        {"empty",            STR(".\r\n"),                       "OK 0", STR(".\r\n")},
        {"one line",         STR("ab\r\n.\r\n"),                 "OK 4", STR("ab\r\n.\r\n")},
        {"blank lines",      STR("\r\n\r\nx\r\n.\r\n"),          "OK 7", STR("\r\n\r\nx\r\n.\r\n")},
        {"a stuffed dot",    STR("..\r\n.\r\n"),                 "OK 3", STR("..\r\n.\r\n")},
        {"stuffed text",     STR("..a\r\n...\r\n.\r\n"),      "OK 8", STR("..a\r\n...\r\n.\r\n")},
        {"a dot not stuffed",STR(".a\r\n.\r\n"),                 "OK 3", STR("a\r\n.\r\n")},
        {"lines about dots", STR("ab\r\n\r\nc\r\n..d\r\ne\r\nf\r\n.\r\n"),
                "OK 19", STR("ab\r\n\r\nc\r\n..d\r\ne\r\nf\r\n.\r\n")},
        {"dots inside",      STR("a.b.\r\n.\r\n"),               "OK 6", STR("a.b.\r\n.\r\n")},
        {"LF dot LF",        STR("a\n.\nb\r\n.\r\n"),            "INVALID", STR_NONE},
        {"LF dot CRLF",      STR("a\n.\r\nb\r\n.\r\n"),          "INVALID", STR_NONE},
        {"CRLF dot LF",      STR("a\r\n.\nb\r\n.\r\n"),          "INVALID", STR_NONE},
        {"CRLF dot CR",      STR("a\r\n.\rb\r\n.\r\n"),          "INVALID", STR_NONE},
        {"CR dot CRLF",      STR("a\r.\r\nb\r\n.\r\n"),          "INVALID", STR_NONE},
        {"CRLF dot CR CR LF",STR("a\r\n.\r\r\nb\r\n.\r\n"),      "INVALID", STR_NONE},
        {"double CR",        STR("a\r\r\n.\r\n"),                "INVALID", STR_NONE},
        {"bare CR",          STR("a\rb\r\n.\r\n"),               "INVALID", STR_NONE},
        {"bare LF at start", STR("\n.\r\nb\r\n.\r\n"),           "INVALID", STR_NONE},
        {"a NUL",            STR("a\0b\r\n.\r\n"),               "INVALID", STR_NONE},
        {"a NUL at the start",  STR("\0\r\n.\r\n"),                 "INVALID", STR_NONE},
        {"just fits",        STR("0123456789012345678901234567890123456789012345678\r\n"
                                    "01234567890123456789012345678901234567890123456\r\n.\r\n"),
                                                        "OK 100", STR_NONE},
        {"one too big",      STR("0123456789012345678901234567890123456789012345678\r\n"
                                    "012345678901234567890123456789012345678901234567\r\n.\r\n"),
                                                        "TOO_BIG", STR_NONE},
};
/* clang-format on */

static void expect_octets(int fd, struct str want)
{
        struct buf got = {0};
        while (got.len < want.len) {
                ssize_t n = recv(fd, buf_reserve(&got, want.len), want.len - got.len, 0);
                assert_true(n > 0);
                got.len += (size_t)n;
        }
        assert_memory_equal(got.at, want.at, want.len);
        buf_release(&got);
}

/* "OK 8"; how much a refused block kept does not matter, so its reply has no number. */
static void expect_reply(int fd, const char *reply)
{
        char *line = client_line(fd);
        assert_non_null(line);
        line[reply[0] == 'O' ? strlen(line) : strcspn(line, " ")] = '\0';
        assert_string_equal(line, reply);
        free(line);
}

static void one_row(int fd, const struct row *row)
{
        struct buf all = {0};
        buf_add(&all, STR("DATA 100\r\n"));
        buf_add(&all, row->sent);
        buf_add(&all, STR("ECHO after\r\n"));
        client_send(fd, buf_str(&all));
        client_expect(fd, "+ go on");
        expect_reply(fd, row->reply);
        client_expect(fd, "after");
        if (row->shown.at) {
                client_say(fd, "SHOW\r\n");
                expect_octets(fd, row->shown);
        }
        buf_release(&all);
}

static void test_blocks(void **state)
{
        struct fixture *f = *state;
        int fd = client_dial(f->crew, "echo");
        client_expect(fd, "hello");
        for (size_t i = 0; i < COUNT_OF(rows); i++)
                one_row(fd, &rows[i]);
        close(fd);
}

/* The same, cut in two at every place: the end of a buffer is no place in a line. */
static void test_splits(void **state)
{
        struct fixture *f = *state;
        int fd = client_dial(f->crew, "echo");
        client_expect(fd, "hello");
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                for (size_t cut = 1; rows[i].sent.len < 60 && cut < rows[i].sent.len; cut++) {
                        client_say(fd, "DATA 100\r\n");
                        client_expect(fd, "+ go on");
                        client_send(fd, str_sub(rows[i].sent, 0, cut));
                        usleep(300);
                        client_send(fd, str_from(rows[i].sent, cut));
                        expect_reply(fd, rows[i].reply);
                        if (!rows[i].shown.at)
                                continue;
                        client_say(fd, "SHOW\r\n");
                        expect_octets(fd, rows[i].shown);
                }
        }
        close(fd);
}

/* Octet by octet, with TCP_NODELAY's worst: every piece is one octet. */
static void test_single_octets(void **state)
{
        struct fixture *f = *state;
        struct str text = STR("DATA 100\r\n..a\r\n\r\nb.\r\n...\r\n.\r\nSHOW\r\n");
        int fd = client_dial(f->crew, "echo");
        client_expect(fd, "hello");
        for (size_t i = 0; i < text.len; i++) {
                client_send(fd, str_sub(text, i, 1));
                usleep(300);
        }
        client_expect(fd, "+ go on");
        client_expect(fd, "OK 14");
        expect_octets(fd, STR("..a\r\n\r\nb.\r\n...\r\n.\r\n"));
        close(fd);
}

static void test_big(void **state)
{
        struct fixture *f = *state;
        struct buf text = {0}, all = {0};
        int fd = client_dial(f->crew, "echo");
        client_expect(fd, "hello");
        for (unsigned i = 0; i < 20000; i++)
                buf_addf(&text, i % 3 ? "line %u of many\r\n" : "..%u\r\n", i);
        buf_add(&text, STR(".\r\n"));
        buf_add(&all, STR("DATA 100000000\r\n"));
        buf_add(&all, buf_str(&text));
        buf_add(&all, STR("SHOW\r\n"));
        client_send(fd, buf_str(&all));
        client_expect(fd, "+ go on");
        char *line = client_line(fd);
        assert_int_equal(strncmp(line, "OK ", 3), 0);
        free(line);
        expect_octets(fd, buf_str(&text));
        /* Far over the limit, and the conversation goes on. */
        buf_set(&all, STR("DATA 1000\r\n"));
        buf_add(&all, buf_str(&text));
        buf_add(&all, STR("ECHO after\r\n"));
        client_send(fd, buf_str(&all));
        client_expect(fd, "+ go on");
        expect_reply(fd, "TOO_BIG");
        client_expect(fd, "after");
        buf_release(&text);
        buf_release(&all);
        close(fd);
}

/* What a block is, said in the simplest way: the lines before one that is a dot alone. *sent is
 * cut behind that line. */
static enum status plainly(struct buf *sent, struct buf *out)
{
        struct buf odd = {0};
        struct str rest = buf_str(sent);
        for (;;) {
                size_t len = str_find(rest, STR("\r\n"));
                struct str line = str_sub(rest, 0, len + 2);
                rest = str_from(rest, len + 2);
                if (str_eq(line, STR(".\r\n")))
                        break;
                buf_add(out, str_from(line, line.at[0] == '.' ? 1 : 0));
                buf_add(&odd, str_sub(line, 0, len));
        }
        sent->len -= rest.len;
        bool valid = str_chr(buf_str(&odd), '\r') == STR_NOWHERE &&
                     str_chr(buf_str(&odd), '\n') == STR_NOWHERE &&
                     str_chr(buf_str(&odd), '\0') == STR_NOWHERE;
        buf_release(&odd);
        return valid ? OK : INVALID;
}

/* Any mixture of the octets that matter is understood as `plainly` says. */
static void test_mixtures(void **state)
{
        struct fixture *f = *state;
        static const char octets[] = ".\r\na\r\n.";
        unsigned seed = 1, valid = 0;
        int fd = client_dial(f->crew, "echo");
        client_expect(fd, "hello");
        for (int round = 0; round < 2000; round++) {
                struct buf sent = {0}, want = {0};
                char expected[32];
                for (size_t len = (size_t)rand_r(&seed) % 20; len; len--)
                        buf_add_char(&sent, octets[(size_t)rand_r(&seed) % sizeof octets]);
                buf_add(&sent, STR("\r\n.\r\n"));
                enum status st = plainly(&sent, &want);
                valid += st == OK;
                client_say(fd, "DATA 100\r\n");
                client_send(fd, buf_str(&sent));
                client_expect(fd, "+ go on");
                char *line = client_line(fd);
                snprintf(expected, sizeof expected, "OK %zu", want.len);
                if (st == OK)
                        assert_string_equal(line, expected);
                else
                        assert_int_equal(strncmp(line, "INVALID ", 8), 0);
                free(line);
                buf_release(&sent);
                buf_release(&want);
        }
        assert_true(valid > 50 && valid < 1950);
        close(fd);
}

static void test_left_in_block(void **state)
{
        struct fixture *f = *state;
        int fd = client_dial(f->crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "DATA 1000\r\nabc\r\n.\r");
        shutdown(fd, SHUT_WR);
        client_expect(fd, "+ go on");
        client_expect(fd, "CLOSED 5");
        client_closed(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_blocks, setup, teardown),
                cmocka_unit_test_setup_teardown(test_splits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_single_octets, setup, teardown),
                cmocka_unit_test_setup_teardown(test_big, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mixtures, setup, teardown),
                cmocka_unit_test_setup_teardown(test_left_in_block, setup, teardown),
        };
        return cmocka_run_group_tests_name("wire_block", tests, NULL, NULL);
}
