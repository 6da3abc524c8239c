#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "daemon/control.h"
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

/* A site in a folder of its own; commands are run as `baton` runs them, with their output kept. */
struct bench {
        char home[32];
        struct site *site;
        char *out, *err;
};

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *where)
{
        (void)is;
        (void)type;
        (void)where;
        return remove(path);
}

static int run_words(struct bench *b, const char *input, int argc, char **argv)
{
        size_t out_len, err_len;
        free(b->out);
        free(b->err);
        struct cli c = {.home = b->home,
                .site = b->site,
                .cwd = AT_FDCWD,
                .caller = -1,
                .arena = arena_new()};
        c.in = tmpfile();
        fputs(input, c.in);
        rewind(c.in);
        c.out = open_memstream(&b->out, &out_len);
        c.err = open_memstream(&b->err, &err_len);
        int status = cli_run(&c, argc, argv);
        fclose(c.in);
        fclose(c.out);
        fclose(c.err);
        arena_free(c.arena);
        return status;
}

/* `line` is cut at blanks; '_' stands for a blank inside a word. */
static int run(struct bench *b, const char *line, const char *input)
{
        char *argv[32], *copy = mem_text(line), *rest = copy, *word;
        int argc = 0;
        while (argc < 32 && (word = strsep(&rest, " "))) {
                argv[argc++] = word;
                for (char *c = word; *c; c++)
                        *c = *c == '_' ? ' ' : *c;
        }
        int status = run_words(b, input, argc, argv);
        free(copy);
        return status;
}

static int begin(void **state)
{
        struct bench *b = mem_new(sizeof *b);
        char *why;
        memcpy(b->home, "/tmp/cli-XXXXXX", sizeof "/tmp/cli-XXXXXX");
        log_open(2, LOG_ERRORS);
        assert_non_null(mkdtemp(b->home));
        *state = b;
        assert_int_equal(
                run(b, "init --domain team.example --admin ana --port-base 30000", ""), DONE);
        assert_non_null(strstr(b->out, "First person: ana"));
        assert_non_null(strstr(b->out, "30993"));
        return site_open(b->home, &b->site, &why) == OK ? 0 : -1;
}

static int end(void **state)
{
        struct bench *b = *state;
        site_close(b->site);
        nftw(b->home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(b->out);
        free(b->err);
        free(b);
        return 0;
}

#define A_FIFTY "01234567890123456789012345678901234567890123456789"
#define A_LINE A_FIFTY A_FIFTY A_FIFTY A_FIFTY A_FIFTY "12345" /* 255 octets */

/* clang-format off */
static const struct {
        const char *line, *input;
        int status;
        const char *says; /* in what it prints, on either stream */
} steps[] = {
        { "init --domain team.example",                    "",         FAILED, "there is a site" },
        { "init",                                          "",         USAGE,  "--domain" },
        { "frob",                                          "",         USAGE,  "no command 'frob'" },
        { "usr list",                                      "",         USAGE,  "was 'baton user' meant?" },
        { "user lst",                                      "",         USAGE,  "was 'baton user list' meant?" },
        { "topic frob",                                    "",         USAGE,  "Choose one of: add list show set" },
        { "user",                                          "",         USAGE,  "user what?" },
        { "user add",                                      "",         USAGE,  "it needs NAME" },
        { "user add bo --name Bo_K --zone Europe/Lisbon --password-stdin --address Bo@Example.Org --digest-at 8",
                                                           "secret words\n", DONE, "bo@team.example" },
        { "user add bo",                                   "",         FAILED, "taken" },
        { "user add cy --address bo@Example.org",          "",         FAILED, "taken" },
        { "user add cy --password-stdin",                  "",         FAILED, "no password came" },
        { "user add cy --password-stdin",                  "1234567\n", FAILED, "at least 8 characters: nothing was changed" },
        { "user add cy --password-stdin",                  "\n",       FAILED, "no password came" },
        { "user add a@b",                                  "",         USAGE,  "cannot be a login name" },
        { "user add postmaster",                           "",         USAGE,  "cannot be a login name" },
        { "user add cy --zone Mars/Olympus",               "",         USAGE,  "no time zone" },
        { "user add cy --digest-at 25:00",                 "",         USAGE,  "--digest-at" },
        { "user add cy --days someday",                    "",         USAGE,  "--days" },
        { "user add cy --hours 9",                         "",         USAGE,  "--hours" },
        { "user add cy --address nobody",                  "",         USAGE,  "not an address" },
        { "user add CY --address cy.w@team.example",       "",         DONE,   "First password: " },
        { "user show bo",                                  "",         DONE,   "08:00" },
        { "user show bo@team.example",                     "",         DONE,   "Bo K" },
        { "user show cy.w@TEAM.example",                   "",         DONE,   "cy" },
        { "user set bo",                                   "",         USAGE,  "nothing to set" },
        { "user set bo --digest-at never --days sun-thu",  "",         DONE,   "" },
        { "user show bo",                                  "",         DONE,   "never" },
        { "user set bo --remove-address x@y.z",            "",         FAILED, "has no address" },
        { "user set bo --remove-address bo@example.org",   "",         DONE,   "" },
        { "user set nobody --name X",                      "",         FAILED, "there is no person 'nobody'" },
        { "user disable bo",                               "",         DONE,   "" },
        { "user show bo --json",                           "",         DONE,   "\"disabled\": true" },
        { "user enable bo",                                "",         DONE,   "" },
        { "user passwd bo --password-stdin",               "x y z, or\n", DONE, "changed" },
        { "user passwd bo --password-stdin",               "\n",       FAILED, "no password came" },
        { "user passwd bo --password-stdin",               "short\n",  FAILED, "at least 8 characters" },
        { "user passwd bo --password-stdin",               "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n", FAILED, "at least 8 characters" },
        { "user passwd bo --password-stdin",               "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n", DONE, "changed" },
        { "user passwd bo --password-stdin",               "\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\n", FAILED, "UTF-8" },
        { "user passwd bo --password-stdin",               "eight\teight\n", FAILED, "control characters" },
        { "user passwd bo --password-stdin",               A_LINE "\n", DONE,  "changed" },
        { "user passwd bo --password-stdin",               A_LINE "5\n", FAILED, "at most 255 octets" },
        { "user passwd bo --password-stdin",               A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE
                                                           A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE A_LINE "\n", FAILED, "at most 255 octets" },
        { "topic list",                                    "",         DONE,   "No topics yet" },
        { "topic add Eng.backend --about The_servers --owner ana --access open --columns A,B,C", "", DONE, "eng.backend@team.example" },
        { "topic add eng.backend",                         "",         FAILED, "taken" },
        { "topic add bo",                                  "",         FAILED, "taken" },
        { "topic add eng-task",                            "",         USAGE,  "names that Baton needs itself" },
        { "topic add eng..x",                              "",         USAGE,  "cannot be a topic's name" },
        { "topic add x --access all",                      "",         USAGE,  "--access" },
        { "topic add x --owner nobody",                    "",         FAILED, "no person" },
        { "topic add x --columns One",                     "",         USAGE,  "two columns" },
        { "topic add x --columns A,a",                     "",         USAGE,  "twice" },
        { "topic add x --columns A,b;c",                   "",         USAGE,  "without '/' and ';'" },
        { "topic show eng.backend",                        "",         DONE,   "A, B, C" },
        { "topic set eng.backend --access members",        "",         DONE,   "" },
        { "subscribe bo eng.backend each",                 "",         DONE,   "each message" },
        { "subscribe bo eng.backend sometimes",            "",         USAGE,  "not a way of delivery" },
        { "subscribe bo nowhere",                          "",         FAILED, "there is no topic" },
        { "user show bo",                                  "",         DONE,   "eng.backend (each)" },
        { "topic show eng.backend",                        "",         DONE,   "bo (each)" },
        { "unsubscribe bo eng.backend",                    "",         DONE,   "any more" },
        { "unsubscribe bo eng.backend",                    "",         FAILED, "does not follow" },
        { "subscribe Zoe@else.example eng.backend",        "",         DONE,   "was not asked" },
        { "subscribe zoe@ELSE.example eng.backend none",   "",         DONE,   "nothing, but may" },
        { "subscribe zoe@else.example eng.backend digest", "",         FAILED, "each or none" },
        { "subscribe nobody@team.example eng.backend",     "",         FAILED, "there is no person" },
        { "subscribe a@b@c eng.backend",                   "",         FAILED, "no address outside" },
        { "user list",                                     "",         DONE,   "outside" },
        { "user passwd zoe@else.example",                  "",         FAILED, "there is no account" },
        { "user set zoe@else.example --name Z",            "",         FAILED, "there is no account" },
        { "user set bo --address zoe@else.example",        "",         FAILED, "'baton user remove" },
        { "topic show eng.backend",                        "",         DONE,   "Zoe@else.example (none)" },
        { "user resume zoe@else.example",                  "",         FAILED, "nothing has come back" },
        { "user remove bo",                                "",         FAILED, "has an account" },
        { "user remove zoe@else.example",                  "",         DONE,   "is forgotten" },
        { "user show zoe@else.example",                    "",         FAILED, "there is no person" },
        { "import mbox --topic eng.backend -", "From a Tue Nov 24 07:30:00 2020\nFrom: a@b.c\nSubject: x\nMessage-ID: <1@x>\n\ny\n",
                                                           DONE,   "1 messages read: 1 filed" },
        { "import mbox --topic eng.backend -", "From a Tue Nov 24 07:30:00 2020\nFrom: a@b.c\nSubject: x\nMessage-ID: <1@x>\n\ny\n",
                                                           DONE,   "1 there already" },
        { "import mbox --user bo --folder Topics/x -",     "",         USAGE,  "cannot be a folder" },
        { "import mbox -",                                 "",         USAGE,  "where to?" },
        { "import mbox --topic eng.backend /nowhere",      "",         FAILED, "No such file" },
        { "digest run --at tomorrow",                      "",         USAGE,  "--at" },
        { "digest run --user bo --print",                  "",         DONE,   "" },
        { "stats",                                         "",         DONE,   "Messages in topics:" },
        { "stats --json",                                  "",         DONE,   "\"domain\": \"team.example\"" },
        { "help",                                          "",         DONE,   "Usage: baton" },
        { "help user add",                                 "",         DONE,   "--zone ZONE" },
        { "user add --help",                               "",         DONE,   "--zone ZONE" },
        { "version",                                       "",         DONE,   "baton " },
};
/* clang-format on */

static void commands(void **state)
{
        struct bench *b = *state;
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
                int status = run(b, steps[i].line, steps[i].input);
                if (status != steps[i].status)
                        fail_msg("baton %s: %d\n%s%s", steps[i].line, status, b->out, b->err);
                if (!strstr(b->out, steps[i].says) && !strstr(b->err, steps[i].says))
                        fail_msg("baton %s does not say \"%s\":\n%s%s", steps[i].line,
                                steps[i].says, b->out, b->err);
                if (status == DONE && b->err[0])
                        fail_msg("baton %s: %s", steps[i].line, b->err);
        }
}

static void json(void **state)
{
        struct bench *b = *state;
        static const char *const lists[] = {"user list --json", "topic list --json"};
        for (size_t i = 0; i < COUNT_OF(lists); i++) {
                assert_int_equal(run(b, lists[i], ""), DONE);
                json_t *all = json_loads(b->out, 0, NULL);
                assert_true(json_is_array(all) && json_array_size(all) > 0);
                assert_true(json_is_string(json_object_get(json_array_get(all, 0), "name")));
                json_decref(all);
        }
}

static void write_settings(struct bench *b, const char *text)
{
        char path[64];
        snprintf(path, sizeof path, "%s/baton.conf", b->home);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

/* SIGHUP's half: what was in force stays readable, a fault changes nothing. */
static void reload(void **state)
{
        struct bench *b = *state;
        const struct config *old = site_config(b->site);
        char *why = NULL;
        write_settings(b, "[site]\ndomain = team.example\n[limits]\nrecipients = 7\n");
        assert_int_equal(site_reload(b->site, &why), OK);
        assert_int_equal(site_config(b->site)->recipients, 7);
        assert_int_equal(old->recipients, 100);
        write_settings(b, "[site]\ndomain = other.example\n");
        assert_int_equal(site_reload(b->site, &why), INVALID);
        assert_non_null(strstr(why, "domain"));
        free(why);
        write_settings(b, "[site]\ndomain = team.example\nfoo = 1\n");
        assert_int_equal(site_reload(b->site, &why), INVALID);
        assert_non_null(strstr(why, "baton.conf:3: "));
        free(why);
        assert_int_equal(site_config(b->site)->recipients, 7);
}

/* The same commands, done by a daemon's control thread: output goes to the caller's descriptors. */
static void handed_over(void **state)
{
        struct bench *b = *state;
        struct control *control;
        int status = -1, ends[2], before = dup(1);
        char text[4096] = "", user[] = "user", list[] = "list", frob[] = "frob";
        char *words[] = {user, list, NULL}, *wrong[] = {user, frob, NULL};
        assert_int_equal(remote_call(b->home, 2, words, &status), ABSENT);
        assert_int_equal(control_start(b->site, NULL, &control), OK);
        assert_true(control_answers(b->home));
        assert_int_equal(pipe(ends), 0);
        fflush(stdout);
        dup2(ends[1], 1);
        enum status st = remote_call(b->home, 2, words, &status);
        dup2(before, 1);
        close(before);
        close(ends[1]);
        assert_int_equal(st, OK);
        assert_int_equal(status, DONE);
        assert_true(read(ends[0], text, sizeof text - 1) > 0);
        assert_non_null(strstr(text, "ana"));
        close(ends[0]);
        before = dup(2);
        int nothing = open("/dev/null", O_WRONLY);
        dup2(nothing, 2);
        assert_int_equal(remote_call(b->home, 2, wrong, &status), OK);
        dup2(before, 2);
        close(before);
        close(nothing);
        assert_int_equal(status, USAGE);
        assert_true(control_stop(control, 1));
        assert_false(control_answers(b->home));
}

/* clang-format off */
static const struct {
        const char *name;
        struct str octets;
} hostile[] = {
        { "nothing",         { "", 0 } },
        { "short",           { "BTN1\0\0", 6 } },
        { "no descriptors",  { "BTN1\0\0\0\4help", 12 } },
        { "wrong magic",     { "HTTP\0\0\0\4help", 12 } },
        { "long",            { "BTN1\377\377\377\377", 8 } },
};
/* clang-format on */

static void hostile_requests(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(hostile); i++) {
                int pair[2];
                struct remote_request r;
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
                if (hostile[i].octets.len)
                        assert_true(
                                write(pair[0], hostile[i].octets.at, hostile[i].octets.len) > 0);
                close(pair[0]);
                if (remote_receive(pair[1], &r) == OK)
                        fail_msg("%s was accepted", hostile[i].name);
                remote_release(&r);
                close(pair[1]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(commands),
                cmocka_unit_test(json),
                cmocka_unit_test(reload),
                cmocka_unit_test(handed_over),
                cmocka_unit_test(hostile_requests),
        };
        return cmocka_run_group_tests(tests, begin, end);
}
