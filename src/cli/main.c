/* main.c - the program `baton`: finds the site, then has the command done by the running daemon, or
 * opens the site itself when none runs. */
#include "cli/password.h"
#include "cli/remote.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, PAUSE_US = 50000 };

struct call { /* what the command line said before the command */
        const char *home;
        bool verbose, complete;
        int argc;
        char **argv; /* the command and what follows */
};

/* False: a usage error, which was said. */
static bool read_call(struct call *call, int argc, char **argv)
{
        static char help_word[] = "help", version_word[] = "version";
        static char *help[] = {help_word, NULL}, *version[] = {version_word, NULL};
        int at = 1;
        call->home = getenv("BATON_HOME");
        for (; at < argc && argv[at][0] == '-'; at++) {
                if (option_taken("--home", argv, &at, &call->home))
                        continue;
                if (!strcmp(argv[at], "--complete")) {
                        call->complete = true;
                } else if (!strcmp(argv[at], "--verbose")) {
                        call->verbose = true;
                } else if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
                        call->argv = help;
                } else if (!strcmp(argv[at], "--version")) {
                        call->argv = version;
                } else {
                        fprintf(stderr,
                                "baton: there is no option %s before the command; there are --home "
                                "FOLDER, "
                                "--verbose, --version and --help\n",
                                argv[at]);
                        return false;
                }
        }
        if (!call->home || !call->home[0])
                call->home = "/var/lib/baton";
        call->argc = call->argv ? 1 : argc - at;
        if (!call->argv)
                call->argv = argv + at;
        return true;
}

/* ---- passwords ---- */

static bool ask_secret(const char *prompt, struct buf *out)
{
        struct termios before, quiet;
        int ch;
        buf_clear(out);
        fprintf(stderr, "%s", prompt);
        if (tcgetattr(0, &before) != 0)
                return false;
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(0, TCSAFLUSH, &quiet);
        while ((ch = getchar()) != EOF && ch != '\n')
                if (out->len <= PASSWORD_MOST) /* more is too much, however much */
                        buf_add_char(out, (char)ch);
        tcsetattr(0, TCSAFLUSH, &before);
        fprintf(stderr, "\n");
        return out->len > 0;
}

/* Twice, and one that can be. Says why not. */
static bool ask_password(struct buf *out)
{
        struct buf second = {0};
        const char *fault = ask_secret("New password: ", out) ? password_fault(buf_str(out))
                                                              : "no password";
        if (!fault && (!ask_secret("Again: ", &second) || !str_eq(buf_str(out), buf_str(&second))))
                fault = "not the same twice";
        if (fault)
                fprintf(stderr, "baton: %s: nothing was changed\n", fault);
        if (second.at)
                explicit_bzero(second.at, second.len);
        buf_release(&second);
        return !fault;
}

/* `user passwd` on a terminal: asked here, because the daemon must not read a terminal; what was
 * typed goes on as standard input. False: said why. */
static bool type_password(void)
{
        struct buf typed = {0};
        int ends[2];
        bool right = ask_password(&typed);
        buf_add_char(&typed, '\n');
        right = right && pipe2(ends, O_CLOEXEC) == 0;
        if (right) {
                right = write(ends[1], typed.at, typed.len) == (ssize_t)typed.len &&
                        dup2(ends[0], 0) == 0;
                close(ends[0]);
                close(ends[1]);
        }
        explicit_bzero(typed.at, typed.len);
        buf_release(&typed);
        return right;
}

static void add_option(struct cli *c, struct call *call, char *option)
{
        char **argv = arena_alloc(c->arena, ((size_t)call->argc + 2) * sizeof *argv);
        memcpy(argv, call->argv, (size_t)call->argc * sizeof *argv);
        argv[call->argc++] = option;
        call->argv = argv;
}

/* The daemon does not see the caller's environment (no-color.org). */
static void prepare_colour(struct cli *c, struct call *call, const struct options *o)
{
        static char option[] = "--no-color";
        const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
        bool plain = (none && none[0]) || !term || !strcmp(term, "dumb");
        for (const struct option *row = o->command->options; plain && row && row->name; row++) {
                if (!strcmp(row->name, option + 2)) {
                        add_option(c, call, option);
                        return;
                }
        }
}

static bool prepare_password(struct cli *c, struct call *call, const struct options *o)
{
        static char option[] = "--password-stdin";
        bool asks = !strcmp(o->family->name, "user") && !strcmp(o->command->name, "passwd");
        if (!asks || option_on(o, "password-stdin") || !isatty(0))
                return true;
        add_option(c, call, option);
        return type_password();
}

/* ---- the command ---- */

static int explain(struct cli *c, enum status st, const char *why)
{
        switch (st) {
        case FORBIDDEN:
                return cli_fail(c,
                        "batond serves %s, but not you: run this as root or as batond's user",
                        c->home);
        case CLOSED:
                return cli_fail(c, "batond ended before the command was done; its log says why");
        case TOO_BIG:
                return cli_fail(c, "%s", why ? why : "too many or too long words");
        default:
                return cli_fail(c, "%s", why ? why : "the site cannot be opened; the log says why");
        }
}

static int run_here(struct cli *c, const struct call *call, const struct options *o)
{
        char *why = NULL;
        enum status st = cli_open_site(c, o->command->needs == NEEDS_VERIFIED_SITE, &why);
        int status;
        if (st == BUSY) {
                free(why);
                return -1;
        }
        if (st != OK) {
                status = explain(c, st, why);
                free(why);
                return status;
        }
        status = cli_run(c, call->argc, call->argv);
        site_close(c->site);
        c->site = NULL;
        return status;
}

/* The daemon does it, or else we open the site; when somebody else has it and no daemon listens (it
 * starts, or another `baton` is at work), we wait a while. */
static int run_on_site(struct cli *c, const struct call *call, const struct options *o)
{
        uint64_t until = clock_ms() + PATIENCE_MS;
        for (;;) {
                int status = FAILED;
                enum status st = remote_call(c->home, call->argc, call->argv, &status);
                if (st == OK)
                        return status;
                if (st != ABSENT && st != TOO_BIG)
                        return explain(c, st, NULL);
                status = run_here(c, call, o);
                if (status >= 0)
                        return status;
                if (clock_ms() > until)
                        return cli_fail(c,
                                "another baton is at work on %s: try again when it is done",
                                c->home);
                usleep(PAUSE_US);
        }
}

static int run(struct cli *c, struct call *call)
{
        struct options o;
        int status;
        if (call->complete) {
                cli_complete(c, call->argc, call->argv);
                return DONE;
        }
        if (!cli_prepare(c, call->argc, call->argv, &o, &status))
                return status;
        if (o.command->needs == NEEDS_NOTHING)
                return cli_run(c, call->argc, call->argv);
        prepare_colour(c, call, &o);
        return prepare_password(c, call, &o) ? run_on_site(c, call, &o) : FAILED;
}

/* The home folder as everybody else names it; init may be about to make it. */
static char *home_path(const char *home)
{
        char *real = realpath(home, NULL);
        struct buf path = {0};
        char *text;
        if (real)
                return real;
        if (home[0] != '/') {
                real = getcwd(NULL, 0);
                buf_addf(&path, "%s/", real ? real : ".");
                free(real);
        }
        buf_add_text(&path, home);
        text = mem_text(buf_text(&path));
        buf_release(&path);
        return text;
}

int main(int argc, char **argv)
{
        struct call call = {0};
        struct cli c = {.in = stdin, .out = stdout, .err = stderr, .caller = -1};
        char *home;
        int status;
        setlocale(LC_CTYPE, "C.UTF-8");
        signal(SIGPIPE, SIG_IGN);
        if (!read_call(&call, argc, argv))
                return USAGE;
        log_open(2, call.verbose ? LOG_NOTES : LOG_WARNINGS);
        home = home_path(call.home);
        c.home = home;
        c.arena = arena_new();
        c.cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        status = run(&c, &call);
        if (fclose(stdout) != 0 && errno != EPIPE &&
                status == DONE) { /* EPIPE: `baton ... | head` */
                fprintf(stderr, "baton: the output could not be written\n");
                status = FAILED;
        }
        close(c.cwd);
        arena_free(c.arena);
        free(home);
        return status;
}
