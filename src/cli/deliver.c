/* deliver.c - one message from standard input, for procmail and MTAs: over LMTP to the running
 * daemon (any user of the system may), or into the store when none runs. */
#include "base/text.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/lmtp.h"
#include "mail/header.h"
#include "team/accept.h"
#include "team/vouch.h"
#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

enum { MESSAGE_OCTETS = 1 << 30, PATIENCE_MS = 10000, PAUSE_US = 50000 };

struct delivery {
        struct cli *cli;
        struct str from;  /* empty: the null sender */
        struct str bytes; /* CRLF form */
        struct str *to;
        size_t to_count;
};

/* ---- the message ---- */

/* What the site takes; it may be that this user may not read its settings. */
static uint64_t most_octets(struct cli *c)
{
        struct config *config;
        char *why;
        uint64_t most = MESSAGE_OCTETS;
        if (config_read(c->home, &config, &why) == OK)
                most = config->message_size;
        else
                free(why);
        config_free(config);
        return most;
}

static enum status read_input(struct cli *c, struct buf *out)
{
        uint64_t most = most_octets(c);
        size_t n = 1;
        while (n) {
                n = fread(buf_reserve(out, 1 << 16), 1, 1 << 16, c->in);
                out->len += n;
                if (out->len > most)
                        return TOO_BIG;
        }
        return ferror(c->in) ? BROKEN : OK;
}

/* Drops an mbox "From " line; its address is the sender when no option names one. */
static struct str without_from_line(struct str text, struct str *sender)
{
        struct str line;
        if (!str_starts(text, STR("From ")) || !str_line(&text, &line))
                return text;
        line = str_from(line, 5);
        if (!str_word(&line, sender))
                *sender = STR("");
        return text;
}

/* "<ana@example.org>" or "ana@example.org"; procmail and MTAs write MAILER-DAEMON or <> for the
 * null sender. */
static struct str plain_address(struct str text)
{
        if (str_starts(text, STR("<")) && str_ends(text, STR(">")))
                text = str_sub(text, 1, text.len - 2);
        return str_same(text, STR("MAILER-DAEMON")) ? STR("") : text;
}

static void find_sender(struct delivery *d, const struct options *o, struct str from_line)
{
        const char *option = option_value(o, "from");
        struct str field = header_value(
                d->cli->arena, str_sub(d->bytes, 0, header_length(d->bytes)), "Return-Path");
        if (option)
                d->from = plain_address(str_of(option));
        else if (from_line.len && str_chr(from_line, '@') != STR_NOWHERE)
                d->from = plain_address(from_line);
        else
                d->from = plain_address(str_trim(field));
}

/* ---- without a daemon ---- */

/* A CR without LF, or a NUL: what LMTP refuses, too (RFC 5321 2.3.8). */
static bool is_unclean(struct str bytes)
{
        size_t at = 0;
        if (str_chr(bytes, '\0') != STR_NOWHERE)
                return true;
        while ((at = str_chr(bytes, '\r')) != STR_NOWHERE) {
                if (at + 1 == bytes.len || bytes.at[at + 1] != '\n')
                        return true;
                bytes = str_from(bytes, at + 2);
        }
        return false;
}

static int exit_of(enum refusal why, enum status st)
{
        static const int exits[REFUSED_COUNT] = {
                [REFUSED_UNKNOWN] = EX_NOUSER,
                [REFUSED_RELAY] = EX_NOPERM,
                [REFUSED_FORGED] = EX_NOPERM,
                [REFUSED_MEMBERS] = EX_NOPERM,
                [REFUSED_COMMAND] = EX_NOUSER,
                [REFUSED_LOOP] = EX_DATAERR,
                [REFUSED_FORM] = EX_DATAERR,
                [REFUSED_SIZE] = EX_DATAERR,
                [REFUSED_ANSWER] = EX_NOPERM,
                [REFUSED_OLD] = EX_NOUSER,
                [REFUSED_TOKEN] = EX_NOUSER,
                [REFUSED_MODE] = EX_NOPERM,
                [REFUSED_AGAIN] = EX_NOPERM,
                [REFUSED_MUTE] = EX_NOPERM,
                [REFUSED_RESENT] = EX_NOPERM,
                [REFUSED_TASKS] = EX_NOPERM,
                [REFUSED_THREAD] = EX_NOPERM,
                [REFUSED_AUTHOR] = EX_NOPERM,
        };
        if (st == OK)
                return 0;
        if (st == FULL)
                return EX_CANTCREAT;
        if (why < REFUSED_COUNT && exits[why])
                return exits[why];
        return st == BUSY ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

static int refuse(struct delivery *d, struct str about, enum refusal why, enum status st)
{
        if (st == FULL || why == REFUSED_SITE || why == REFUSED_NOT)
                cli_fail_status(d->cli, st, "deliver");
        else
                cli_fail(d->cli, "%.*s: %s", STR_ARG(about), refusal_text(why));
        return exit_of(why, st);
}

static int file_here(struct delivery *d)
{
        struct cli *c = d->cli;
        struct sender sender = {.way = WAY_PIPE,
                .reverse_path = d->from,
                .helo = STR("localhost"),
                .address = STR("local"),
                .smtputf8 = true};
        struct target *targets = arena_alloc(c->arena, d->to_count * sizeof *targets);
        struct acceptance mail = {.mail = {.sender = &sender, .bytes = d->bytes}, .to = targets};
        size_t count = 0;
        int status = 0;
        enum refusal why = REFUSED_NOT;
        /* as at run/deliver: being able to open the site is no word about who wrote */
        bool believed = vouch_allowed(c->site, getuid());
        if (believed)
                sender.person = rules_person_of(c->site, d->from);
        if (is_unclean(d->bytes)) {
                cli_fail(c, "the message holds a CR without LF, or a NUL");
                return EX_DATAERR;
        }
        enum status st = submit_sender(c->site, &sender, &why);
        if (st != OK)
                return refuse(d, d->from, why, st);
        for (size_t i = 0; i < d->to_count;
                i++) { /* as over LMTP: one bad address does not stop the others */
                st = submit_target(c->site, &sender, d->to[i], c->arena, &targets[count], &why);
                if (st == OK)
                        st = submit_beside(targets, count, &targets[count], &why);
                if (st == OK)
                        count++;
                else if (!status)
                        status = refuse(d, d->to[i], why, st);
                else
                        (void)refuse(d, d->to[i], why, st);
        }
        if (!count)
                return status;
        if (believed)
                sender.person = vouch_author(c->site, c->arena, d->bytes);
        mail.to_count = count;
        st = accept_mail(c->site, &mail, c->arena, &why);
        return st == OK ? status : refuse(d, STR("the message"), why, st);
}

static int open_and_file(struct delivery *d)
{
        char *why = NULL;
        enum status st = cli_open_site(d->cli, false, &why);
        int status;
        if (st == BUSY) {
                free(why);
                return -1;
        }
        if (st != OK) {
                cli_fail(d->cli, "%s", why ? why : "the store cannot be opened");
                free(why);
                return st == FULL ? EX_CANTCREAT : EX_TEMPFAIL;
        }
        status = file_here(d);
        site_close(d->cli->site);
        d->cli->site = NULL;
        return status;
}

/* ---- the command ---- */

/* Of a site that this user cannot open. */
static int nobody_there(struct delivery *d)
{
        const char *home = d->cli->home;
        if (access(home, X_OK) != 0 && errno == EACCES)
                cli_fail(d->cli, "%s cannot be entered by this user: see its permissions", home);
        else
                cli_fail(d->cli, "batond does not run in %s: try again later", home);
        return EX_TEMPFAIL;
}

static int hand_over(struct delivery *d)
{
        struct letter letter = {
                .from = d->from, .to = d->to, .to_count = d->to_count, .bytes = d->bytes};
        uint64_t until = clock_ms() + PATIENCE_MS;
        for (;;) {
                int status = lmtp_hand_over(d->cli, &letter);
                if (status < 0 && access(d->cli->home, W_OK) != 0)
                        return nobody_there(d);
                if (status < 0)
                        status = open_and_file(d);
                if (status >= 0)
                        return status;
                if (clock_ms() > until) {
                        cli_fail(
                                d->cli, "the store in %s is in use: try again later", d->cli->home);
                        return EX_TEMPFAIL;
                }
                usleep(PAUSE_US);
        }
}

static int run_deliver(struct cli *c, const struct options *o)
{
        struct delivery d = {.cli = c, .to_count = o->word_count};
        struct buf input = {0}, scratch = {0};
        struct str from_line = STR("");
        int status;
        enum status st = read_input(c, &input);
        d.to = arena_alloc(c->arena, o->word_count * sizeof *d.to);
        for (size_t i = 0; i < o->word_count; i++)
                d.to[i] = plain_address(str_of(o->words[i]));
        if (st != OK || !input.len) {
                cli_fail(c, st == TOO_BIG ? "the message is too big"
                                          : "no message came on standard input");
                buf_release(&input);
                return st == BROKEN ? EX_TEMPFAIL : EX_DATAERR;
        }
        d.bytes = lines_to_crlf(without_from_line(buf_str(&input), &from_line), &scratch);
        find_sender(&d, o, from_line);
        status = hand_over(&d);
        buf_release(&input);
        buf_release(&scratch);
        return status;
}

/* clang-format off */
static const struct option deliver_options[] = {
        { "from", "ADDRESS", "who sent it (else the mbox \"From \" line or Return-Path says so); <> is nobody" },
        { NULL,   NULL,      NULL },
};
const struct command deliver_commands[] = {
        { "", "ADDRESS...", "take one message from standard input", run_deliver, deliver_options, 1, 100, NEEDS_NOTHING,
          "For procmail and mail servers:\n\n"
          "  :0 w\n"
          "  | baton deliver ana@team.example\n\n"
          "Who wrote is believed from the users in deliver-users (baton.conf) only; what others hand in is\n"
          "mail from outside.\n\n"
          "Exit status (sysexits): 0 it is on disk; 65 not a message, or too big; 67 no such person or\n"
          "topic; 69 out of order; 73 the disk is full; 75 try again later; 77 not allowed." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
