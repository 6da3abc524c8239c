#include "cli/user.h"
#include "base/zone.h"
#include "cli/commands.h"
#include "cli/password.h"
#include "cli/show.h"
#include "cli/values.h"
#include "mail/address.h"
#include "team/digest.h"
#include "team/task.h"
#include <unistd.h>

enum { NO_DIGEST = 1440, ADDRESSES_MAX = 20 };

/* ---- making ---- */

static struct str server_zone(struct arena *arena)
{
        char path[256];
        const struct zone *zone;
        ssize_t n = readlink("/etc/localtime", path, sizeof path);
        struct str target = n > 0 ? str_make(path, (size_t)n) : STR("");
        size_t at = str_find(target, STR("zoneinfo/"));
        struct str name = at == STR_NOWHERE ? STR("UTC")
                                            : str_from(target, at + strlen("zoneinfo/"));
        return arena_copy(arena, zone_find(name, &zone) == OK ? name : STR("UTC"));
}

void user_defaults(struct cli *c, struct str name, struct person *out)
{
        *out = (struct person){
                .name = arena_lower(c->arena, name),
                .zone = server_zone(c->arena),
                .digest_minute = 7 * 60 + 30,
                .hours_from = 9 * 60,
                .hours_to = 17 * 60,
                .days = 0x3e, /* Monday to Friday */
                .news_reads_mark = true,
                .form = FORM_PAGE,
                .created = clock_now(),
        };
}

static int say_taken(struct cli *c, struct str name)
{
        return cli_fail(c,
                "the name or address '%.*s' is taken by a person or topic ('baton user list', "
                "'baton topic list')",
                STR_ARG(name));
}

/* Who subscribes from outside has an address here, and no account. */
static int refuse_outside(struct cli *c, const struct person *p)
{
        return cli_fail(c, "%.*s subscribes from outside: there is no account, only an address",
                STR_ARG(p->name));
}

/* Looked up before a password is hashed; the store decides once more when it is saved. */
static int check_free(struct cli *c, const struct person *p)
{
        unsigned kind;
        uint32_t id;
        if (name_find(c->site->store, p->name, &kind, &id) == OK)
                return say_taken(c, p->name);
        for (size_t i = 0; i < p->address_count; i++) {
                if (name_find(c->site->store, p->addresses[i], &kind, &id) == OK)
                        return say_taken(c, p->addresses[i]);
        }
        return DONE;
}

static int say_address_taken(struct cli *c, const struct person *p)
{
        struct person other;
        for (size_t i = 0; i < p->address_count; i++) {
                struct str address = p->addresses[i];
                if (person_find(c->site->store, address, c->arena, &other) == OK && other.outside)
                        return cli_fail(c,
                                "%.*s subscribes from outside: 'baton user remove %.*s' makes the "
                                "address free",
                                STR_ARG(address), STR_ARG(address));
        }
        return cli_fail(c, "that address belongs to somebody else already");
}

int user_save(struct cli *c, struct person *p)
{
        struct change *change = change_new(c->site->store);
        uint32_t id = p->id;
        change_person(change, p, p->id ? NULL : &id);
        enum status st = store_commit(change);
        change_free(change);
        if (st == EXISTS && !p->id)
                return say_taken(c, p->name);
        if (st == EXISTS)
                return say_address_taken(c, p);
        if (st == OK) {
                p->id = id;
                st = digest_plan(c->site, p->id, clock_now());
        }
        if (st == OK) /* what is late, and what may be read */
                st = task_look_person(c->site, p->id, clock_now());
        return st == OK ? DONE : cli_fail_status(c, st, "saving the person");
}

/* ---- options ---- */

/* "lisbon" -> "Europe/Lisbon", from the list that comes with the zones. Empty: nothing like it. */
static struct str zone_meant(struct cli *c, struct str typed)
{
        FILE *list = fopen("/usr/share/zoneinfo/tzdata.zi", "re");
        struct str found = STR("");
        char line[256];
        while (list && !found.len && fgets(line, sizeof line, list)) {
                struct str rest = str_trim(str_of(line)), kind,
                           name; /* "Z Europe/Lisbon ...", "L target name" */
                if (!str_word(&rest, &kind) || !str_word(&rest, &name))
                        continue;
                if (str_eq(kind, STR("L")) && !str_word(&rest, &name))
                        continue;
                size_t slash = str_rchr(name, '/');
                bool zone = str_eq(kind, STR("Z")) || str_eq(kind, STR("L"));
                if (zone && slash != STR_NOWHERE && str_same(str_from(name, slash + 1), typed))
                        found = arena_copy(c->arena, name);
        }
        if (list)
                fclose(list);
        return found;
}

static int set_zone(struct cli *c, const struct options *o, struct person *p)
{
        const char *zone = option_value(o, "zone");
        const struct zone *found;
        if (!zone)
                return DONE;
        if (zone_find(str_of(zone), &found) == OK) {
                p->zone = str_of(zone);
                return DONE;
        }
        struct str meant = zone_meant(c, str_of(zone));
        if (!meant.len)
                return cli_misused(c, o,
                        "there is no time zone '%s'; they are called like Europe/Lisbon "
                        "('timedatectl list-timezones')",
                        zone);
        return cli_misused(
                c, o, "there is no time zone '%s'; was %.*s meant?", zone, STR_ARG(meant));
}

static int set_times(struct cli *c, const struct options *o, struct person *p)
{
        const char *at = option_value(o, "digest-at"), *hours = option_value(o, "hours");
        const char *days = option_value(o, "days");
        if (at && !strcmp(at, "never"))
                p->digest_minute = NO_DIGEST;
        else if (at && (minute_read(str_of(at), &p->digest_minute) != OK ||
                               p->digest_minute >= NO_DIGEST))
                return cli_misused(
                        c, o, "--digest-at takes a time like 07:30, or 'never', not '%s'", at);
        if (hours && hours_read(str_of(hours), &p->hours_from, &p->hours_to) != OK)
                return cli_misused(
                        c, o, "--hours takes working hours like 09:00-17:00, not '%s'", hours);
        if (days && days_read(str_of(days), &p->days) != OK)
                return cli_misused(c, o,
                        "--days takes working days like mon-fri or mon,wed,fri, not '%s'", days);
        return DONE;
}

static int set_choices(struct cli *c, const struct options *o, struct person *p)
{
        static const char *const forms[] = {
                [FORM_PAGE] = "page", [FORM_MIME] = "mime", [FORM_1153] = "1153"};
        const char *form = option_value(o, "digest-form"),
                   *marks = option_value(o, "news-marks-read");
        const char *name = option_value(o, "name"), *admin = option_value(o, "admin");
        if (name)
                p->full_name = str_of(name);
        if (marks && strcmp(marks, "yes") != 0 && strcmp(marks, "no") != 0)
                return cli_misused(c, o, "--news-marks-read takes yes or no");
        if (marks)
                p->news_reads_mark = !strcmp(marks, "yes");
        if (admin && strcmp(admin, "yes") != 0 && strcmp(admin, "no") != 0)
                return cli_misused(c, o, "--admin takes yes or no");
        if (option_on(o, "admin"))
                p->admin = !admin || !strcmp(admin, "yes");
        for (size_t i = 0; form && i < COUNT_OF(forms); i++) {
                if (!strcmp(form, forms[i])) {
                        p->form = (enum digest_form)i;
                        form = NULL;
                }
        }
        return form ? cli_misused(c, o, "--digest-form takes page, mime or 1153, not '%s'", form)
                    : DONE;
}

/* An address as the store keeps it: those of the site without its domain. Empty: malformed. */
static struct str stored_address(struct cli *c, const char *text)
{
        struct address parsed;
        if (address_spec(c->arena, str_of(text), true, &parsed) != OK || !parsed.domain.len)
                return STR("");
        if (str_same(parsed.domain, site_config(c->site)->domain))
                return arena_lower(c->arena, parsed.local);
        return address_text(c->arena, &parsed);
}

static void drop_address(struct person *p, struct str address)
{
        size_t kept = 0;
        if (str_same(p->digest_to, address))
                p->digest_to = STR_NONE;
        for (size_t i = 0; i < p->address_count; i++) {
                if (!str_same(p->addresses[i], address))
                        p->addresses[kept++] = p->addresses[i];
        }
        p->address_count = kept;
}

static int set_addresses(struct cli *c, const struct options *o, struct person *p)
{
        struct str *list = arena_alloc(c->arena, (p->address_count + GIVEN_MAX) * sizeof *list);
        const char *text;
        size_t at = 0;
        for (size_t i = 0; i < p->address_count; i++)
                list[i] = p->addresses[i];
        p->addresses = list;
        while ((text = option_each(o, "remove-address", &at))) {
                size_t before = p->address_count;
                drop_address(p, stored_address(c, text));
                if (p->address_count == before)
                        return cli_fail(c,
                                "%.*s has no address %s; 'baton user show %.*s' lists them",
                                STR_ARG(p->name), text, STR_ARG(p->name));
        }
        at = 0;
        while ((text = option_each(o, "address", &at))) {
                struct str address = stored_address(c, text);
                if (!address.len)
                        return cli_misused(
                                c, o, "'%s' is not an address like other@example.org", text);
                struct str to = p->digest_to;
                drop_address(p, address);
                p->digest_to = to;
                list[p->address_count++] = address;
        }
        if (p->address_count > ADDRESSES_MAX)
                return cli_fail(c, "a person has at most %d further addresses", ADDRESSES_MAX);
        return DONE;
}

static int set_digest_to(struct cli *c, const struct options *o, struct person *p)
{
        const char *to = option_value(o, "digest-to");
        if (!to)
                return DONE;
        p->digest_to = STR_NONE;
        if (!strcmp(to, "folder"))
                return DONE;
        struct str address = stored_address(c, to);
        for (size_t i = 0; i < p->address_count; i++)
                if (address.len && str_same(p->addresses[i], address))
                        p->digest_to = p->addresses[i];
        if (!p->digest_to.len || str_chr(p->digest_to, '@') == STR_NOWHERE)
                return cli_misused(c, o,
                        "--digest-to takes 'folder' or one of the person's addresses elsewhere, not '%s' "
                        "(--address adds one)", to);
        return DONE;
}

static int set_all(struct cli *c, const struct options *o, struct person *p)
{
        int status = set_zone(c, o, p);
        if (status == DONE)
                status = set_times(c, o, p);
        if (status == DONE)
                status = set_choices(c, o, p);
        if (status == DONE)
                status = set_addresses(c, o, p);
        if (status == DONE)
                status = set_digest_to(c, o, p);
        return status;
}

/* ---- the commands ---- */

static int run_add(struct cli *c, const struct options *o)
{
        struct person p;
        struct str first = STR_NONE, domain = site_config(c->site)->domain, name;
        int status;
        user_defaults(c, cli_word(o, 0), &p);
        name = p.name;
        if (!rules_person_name(name))
                return cli_misused(c, o,
                        "'%.*s' cannot be a login name: a-z, 0-9, '-' and '.', and none of the "
                        "names that "
                        "Baton needs itself (postmaster, help, t-1, NAME-subscribe ...)",
                        STR_ARG(name));
        status = set_all(c, o, &p);
        if (status == DONE)
                status = check_free(c, &p);
        if (status != DONE)
                return status;
        if (option_on(o, "password-stdin"))
                status = password_take(c, &p);
        else
                first = password_first(c, &p);
        if (status == DONE)
                status = user_save(c, &p);
        if (status != DONE)
                return status;
        fprintf(c->out, "Added %.*s: logs in as %.*s or %.*s@%.*s.\n", STR_ARG(name), STR_ARG(name),
                STR_ARG(name), STR_ARG(domain));
        if (first.len)
                fprintf(c->out,
                        "First password: %.*s   (change it with 'baton user passwd %.*s')\n",
                        STR_ARG(first), STR_ARG(name));
        fprintf(c->out, "Next: baton subscribe %.*s TOPIC\n", STR_ARG(name));
        return DONE;
}

static int run_set(struct cli *c, const struct options *o)
{
        struct person p;
        int status;
        if (cli_person(c, cli_word(o, 0), &p) != OK)
                return FAILED;
        if (p.outside)
                return refuse_outside(c, &p);
        if (!o->given_count)
                return cli_misused(c, o, "nothing to set: give at least one option");
        status = set_all(c, o, &p);
        return status == DONE ? user_save(c, &p) : status;
}

static int run_passwd(struct cli *c, const struct options *o)
{
        struct person p;
        struct str first = STR_NONE;
        int status = DONE;
        if (cli_person(c, cli_word(o, 0), &p) != OK)
                return FAILED;
        if (p.outside)
                return refuse_outside(c, &p);
        if (option_on(o, "password-stdin"))
                status = password_take(c, &p);
        else
                first = password_first(c, &p);
        if (status == DONE)
                status = user_save(c, &p);
        if (status != DONE)
                return status;
        if (first.len)
                fprintf(c->out, "New password: %.*s\n", STR_ARG(first));
        else
                fprintf(c->out, "The password of %.*s is changed.\n", STR_ARG(p.name));
        return DONE;
}

static int set_disabled(struct cli *c, const struct options *o, bool disabled)
{
        struct person p;
        if (cli_person(c, cli_word(o, 0), &p) != OK)
                return FAILED;
        p.disabled = disabled;
        return user_save(c, &p);
}

static int run_disable(struct cli *c, const struct options *o)
{
        return set_disabled(c, o, true);
}

static int run_enable(struct cli *c, const struct options *o)
{
        return set_disabled(c, o, false);
}

static int run_remove(struct cli *c, const struct options *o)
{
        struct person p;
        if (cli_person(c, cli_word(o, 0), &p) != OK)
                return FAILED;
        if (!p.outside)
                return cli_fail(c, "%.*s has an account and is not removed: 'baton user disable' "
                                   "closes it",
                        STR_ARG(p.name));
        struct change *change = change_new(c->site->store);
        change_person_remove(change, p.id);
        enum status st = store_commit(change);
        change_free(change);
        if (st != OK)
                return cli_fail_status(c, st, "removing");
        fprintf(c->out, "%.*s is forgotten.\n", STR_ARG(p.name));
        return DONE;
}

static int run_resume(struct cli *c, const struct options *o)
{
        struct person p;
        if (cli_person(c, cli_word(o, 0), &p) != OK)
                return FAILED;
        if (!p.reach.suspended && !p.reach.score && !p.reach.probed)
                return cli_fail(c, "nothing has come back from %.*s", STR_ARG(p.name));
        struct change *change = change_new(c->site->store);
        struct reach fresh = {.confirmed = p.reach.confirmed};
        change_person_reach(change, p.id, &p.reach, &fresh);
        enum status st = store_commit(change);
        change_free(change);
        if (st != OK)
                return cli_fail_status(c, st, "resuming");
        fprintf(c->out, "%.*s gets mail from lists again.\n", STR_ARG(p.name));
        return DONE;
}

/* ---- showing ---- */

static void show_minutes(struct show *s, const char *key, const char *heading, unsigned minute)
{
        struct buf text = {0};
        minute_print(minute, &text);
        show_text(s, key, heading, buf_str(&text));
        buf_release(&text);
}

static void show_person(struct show *s, const struct person *p, bool details)
{
        static const char *const forms[] = {
                [FORM_PAGE] = "page", [FORM_MIME] = "mime", [FORM_1153] = "1153"};
        struct buf text = {0};
        show_text(s, "name", "Name", p->name);
        show_text(s, "kind", "Kind", p->outside ? STR("outside") : STR("person"));
        show_text(s, "full_name", "Full name", p->full_name);
        show_text(s, "zone", "Zone", p->zone);
        show_minutes(s, "digest_at", details ? "Digest at" : "Digest", p->digest_minute);
        days_print(p->days, &text);
        show_text(s, "days", "Days", buf_str(&text));
        buf_clear(&text);
        minute_print(p->hours_from, &text);
        buf_add_char(&text, '-');
        minute_print(p->hours_to == NO_DIGEST ? 0 : p->hours_to, &text);
        show_text(s, "hours", "Hours", buf_str(&text));
        show_text(s, "digest_form", details ? "Digest form" : NULL,
                str_of(forms[p->form % COUNT_OF(forms)]));
        show_text(s, "digest_to", details ? "Digest mailed to" : NULL, p->digest_to);
        show_bool(s, "admin", "Admin", p->admin);
        show_bool(s, "disabled", "Disabled", p->disabled);
        show_bool(s, "news_marks_read", details ? "News marks read" : NULL, p->news_reads_mark);
        show_texts(s, "addresses", "Addresses", p->addresses, p->address_count);
        show_time(s, "suspended", details ? "No list mail since" : NULL, p->reach.suspended);
        show_time(s, "bounced", details ? "Last bounce" : NULL, p->reach.bounced);
        show_number(s, "bounce_score", NULL, p->reach.score);
        show_time(s, "created", details ? "Since" : NULL, p->created);
        buf_release(&text);
}

static int run_list(struct cli *c, const struct options *o)
{
        struct person *people;
        size_t count;
        enum status st = person_list(c->site->store, c->arena, &people, &count);
        if (st != OK)
                return cli_fail_status(c, st, "reading the people");
        struct show *s = show_begin(c, option_on(o, "json"), true);
        for (size_t i = 0; i < count; i++) {
                show_item(s);
                show_person(s, &people[i], false);
        }
        show_end(s, "Nobody yet: 'baton user add NAME' makes the first person.");
        return DONE;
}

static enum status subscribed(
        struct cli *c, const struct person *p, struct pair **out, size_t *count)
{
        struct subscription *v;
        enum status st = subscriptions_of(c->site->store, p->id, c->arena, &v, count);
        if (st != OK)
                return st;
        *out = arena_alloc(c->arena, (*count + 1) * sizeof **out);
        for (size_t i = 0; i < *count; i++) {
                struct topic t;
                st = topic_get(c->site->store, v[i].topic, c->arena, &t);
                if (st != OK)
                        return st;
                (*out)[i] = (struct pair){t.name, mode_name(v[i].mode)};
        }
        return OK;
}

static int run_show(struct cli *c, const struct options *o)
{
        struct person p;
        struct pair *topics;
        size_t count;
        if (cli_person(c, cli_word(o, 0), &p) != OK)
                return FAILED;
        enum status st = subscribed(c, &p, &topics, &count);
        if (st != OK)
                return cli_fail_status(c, st, "reading the subscriptions");
        struct show *s = show_begin(c, option_on(o, "json"), false);
        show_person(s, &p, true);
        show_pairs(s, "subscriptions", "Subscriptions", topics, count);
        show_end(s, NULL);
        return DONE;
}

/* clang-format off */
#define PERSON_OPTIONS \
        { "name",            "TEXT",        "the person's name as people write it: \"Ana M\"" }, \
        { "zone",            "ZONE",        "time zone, like Europe/Lisbon (default: the server's)" }, \
        { "digest-at",       "TIME",        "local time of the digest, like 07:30 (the default), or never" }, \
        { "hours",           "FROM-TO",     "working hours (default 09:00-17:00)" }, \
        { "days",            "DAYS",        "working days, like mon-fri (the default) or sun-thu or mon,wed" }, \
        { "address",         "ADDRESS",     "a further address of this person; may be given several times" }, \
        { "digest-form",     "FORM",        "page (text and HTML, the default), mime or 1153" }, \
        { "digest-to",       "ADDRESS",     "mail the digest to this address of the person, too; 'folder': do not" }, \
        { "news-marks-read", "yes|no",      "reading over news marks as read (default yes)" }
static const struct option add_options[] = {
        PERSON_OPTIONS,
        { "admin",           NULL,          "gets the mail to postmaster and owns topics without an owner" },
        { "password-stdin",  NULL,          "read the password from standard input; else one is made up and printed" },
        { NULL,              NULL,          NULL },
};
static const struct option set_options[] = {
        PERSON_OPTIONS,
        { "remove-address",  "ADDRESS",     "take a further address away" },
        { "admin",           "yes|no",      "gets the mail to postmaster and owns topics without an owner" },
        { NULL,              NULL,          NULL },
};
static const struct option password_options[] = {
        { "password-stdin",  NULL,          "read the password from standard input" },
        { NULL,              NULL,          NULL },
};
static const struct option json_options[] = {
        { "json",            NULL,          "for programs" },
        { NULL,              NULL,          NULL },
};
const struct command user_commands[] = {
        { "add",     "NAME", "add a person",                   run_add,     add_options,      1, 1, NEEDS_SITE,
          "Example: baton user add ana --name \"Ana M\" --zone Europe/Lisbon --address ana@example.org" },
        { "list",    "",     "list the people",                run_list,    json_options,     0, 0, NEEDS_SITE, NULL },
        { "show",    "NAME", "show one person",                run_show,    json_options,     1, 1, NEEDS_SITE, NULL },
        { "set",     "NAME", "change what a person has",       run_set,     set_options,      1, 1, NEEDS_SITE,
          "Only what an option names is changed." },
        { "passwd",  "NAME", "give a new password",            run_passwd,  password_options, 1, 1, NEEDS_SITE,
          "On a terminal it asks for the password; otherwise, without --password-stdin, it makes one\n"
          "up and prints it. A password has at least 8 characters and at most 255 octets." },
        { "disable", "NAME", "no login and no digest any more; all else stays", run_disable, NULL, 1, 1, NEEDS_SITE, NULL },
        { "enable",  "NAME", "take 'disable' back",            run_enable,  NULL,             1, 1, NEEDS_SITE, NULL },
        { "remove",  "ADDRESS", "forget a subscriber from outside", run_remove, NULL, 1, 1, NEEDS_SITE, NULL },
        { "resume",  "NAME", "let mail go out again to an address that bounced", run_resume, NULL, 1, 1, NEEDS_SITE, NULL },
        { NULL,      NULL,   NULL,                             NULL,        NULL,             0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
