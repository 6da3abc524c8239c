#include "team/rules.h"
#include "base/crypt.h"
#include "base/log.h"
#include "mail/address.h"
#include "team/gate.h"
#include "team/task.h"

/* ---- who ---- */

/* "ana@team.example" -> "ana" when the domain is ours; else the whole address, in lower case. */
static struct str local_name(const struct config *config, struct arena *arena, struct str address)
{
        struct str lower = arena_lower(arena, address);
        size_t at = str_rchr(lower, '@');
        if (at == STR_NOWHERE)
                return lower;
        struct str domain = str_from(lower, at + 1);
        if (str_same(domain, config->domain) || str_same(domain, config->host))
                return str_sub(lower, 0, at);
        return lower;
}

/* A record from before SCRAM gets what SCRAM needs when the password is here; if it cannot be
 * stored now, then at the next login. */
static void learn_scram(struct site *site, const struct person *person, struct str password)
{
        struct buf scram = {0};
        scram_make(password, &scram);
        if (scram.len) {
                struct change *change = change_new(site->store);
                change_person_scram(change, person->id, person->password, buf_str(&scram));
                if (store_commit(change) != OK)
                        log_detail("login: nothing for SCRAM is stored for %.*s",
                                STR_ARG(person->name));
                change_free(change);
        }
        buf_release(&scram);
}

/* A guess costs its sender a failure, and a thread the time until its turn comes: two hashes are
 * computed at once, 30 a second. Who would wait longer than some seconds is told so instead. */
static enum status guess(struct site *site, struct str password, struct str stored,
        struct str peer_address)
{
        enum { GUESSES_MAX = 250 };
        const struct config *config = site_config(site);
        if (!gate_open(site->gate, peer_address, config->login_failures))
                return TOO_MANY;
        if (!gate_begin(site->gate, GUESSES_MAX))
                return BUSY;
        bool right = password_right(password, stored);
        gate_end(site->gate);
        return right ? OK : DENIED;
}

CHECKED enum status rules_login(struct site *site, struct str user, struct str password,
        struct str peer_address, struct arena *arena, struct person *out)
{
        enum { SHOWN_MAX = 100 };
        struct str name = local_name(site_config(site), arena, user);
        enum status st = person_find(site->store, name, arena, out);
        if (st != OK && st != ABSENT && st != INVALID)
                return st;
        bool known = st == OK && !out->disabled && !out->outside;
        /* the work is done also for nobody, so that time does not tell who exists */
        struct str stored = known ? out->password : STR("");
        /* what was right before is no guess: a neighbour's failures lock nobody out */
        st = password_known(password, stored) ? OK : guess(site, password, stored, peer_address);
        if (st == OK && !known)
                st = DENIED;
        if (st == DENIED) {
                gate_failed(site->gate, peer_address);
                log_warn("login: refused for %.*s from %.*s", STR_ARG(str_sub(user, 0, SHOWN_MAX)),
                        STR_ARG(peer_address));
        }
        if (st == OK && !out->scram.len)
                learn_scram(site, out, password);
        return st;
}

CHECKED enum status rules_scram(struct site *site, struct str user, struct str peer_address,
        struct arena *arena, struct person *out, struct scram *keys)
{
        const struct config *config = site_config(site);
        struct scram fake;
        if (!gate_open(site->gate, peer_address, config->login_failures))
                return TOO_MANY;
        struct str name = local_name(config, arena, user);
        enum status st = person_find(site->store, name, arena, out);
        if (st != OK && st != ABSENT && st != INVALID)
                return st;
        scram_fake(str_make((const char *)site->secret, sizeof site->secret), name, &fake);
        if (st != OK || out->disabled || out->outside || scram_read(out->scram, keys) != OK) {
                *out = (struct person){0};
                *keys = fake;
        }
        return OK;
}

void rules_scram_failed(struct site *site, struct str user, struct str peer_address)
{
        gate_failed(site->gate, peer_address);
        log_warn("login: refused for %.*s from %.*s", STR_ARG(user), STR_ARG(peer_address));
}

bool rules_cleartext(struct site *site, bool secure, bool loopback)
{
        switch (site_config(site)->cleartext_login) {
        case CLEARTEXT_ALWAYS:
                return true;
        case CLEARTEXT_NEVER:
                return secure;
        case CLEARTEXT_LOOPBACK:
                break;
        }
        return secure || loopback;
}

/* ---- addresses ---- */

static bool is_site_domain(struct site *site, struct str domain)
{
        const struct config *config = site_config(site);
        return str_same(domain, config->domain) || str_same(domain, config->host);
}

bool rules_is_site(struct site *site, struct str address)
{
        size_t at = str_rchr(address, '@');
        return at != STR_NOWHERE && is_site_domain(site, str_from(address, at + 1));
}

static enum status find_administrator(struct site *site, struct arena *arena, struct target *out)
{
        struct person *people;
        size_t count;
        enum status st = person_list(site->store, arena, &people, &count);
        if (st != OK)
                return st;
        for (size_t i = 0; i < count; i++) {
                if (!people[i].admin || people[i].disabled)
                        continue;
                out->kind = TARGET_PERSON;
                out->id = people[i].id;
                out->name = people[i].name;
                return OK;
        }
        log_error("mail to postmaster has nobody to go to: make somebody an administrator "
                  "(baton user set NAME --admin)");
        return ABSENT;
}

static enum status find_person(struct site *site, uint32_t id, struct arena *arena, struct target *out)
{
        struct person person;
        enum status st = person_get(site->store, id, arena, &person);
        if (st != OK)
                return st;
        if (person.disabled || person.outside)
                return ABSENT;
        out->kind = TARGET_PERSON;
        out->id = id;
        out->name = person.name;
        return OK;
}

static enum status find_name(struct site *site, struct str name, struct arena *arena, struct target *out)
{
        unsigned kind;
        uint32_t id;
        enum status st = name_find(site->store, name, &kind, &id);
        if (st != OK)
                return st;
        if (kind == NAME_PERSON)
                return find_person(site, id, arena, out);
        out->kind = TARGET_TOPIC;
        out->id = id;
        out->name = name;
        return OK;
}

enum status rules_owner(
        struct site *site, uint32_t topic, struct arena *arena, struct target *out)
{
        struct topic t = {.owner = 0};
        enum status st = topic ? topic_get(site->store, topic, arena, &t) : OK;
        if (st == OK)
                st = t.owner ? find_person(site, t.owner, arena, out) : ABSENT;
        return st == ABSENT ? find_administrator(site, arena, out) : st;
}

/* What carries a token needs no topic in front: the token names it. */
static enum status find_command(struct site *site, const struct subaddress_parts *parts,
        struct arena *arena, struct target *out)
{
        struct str address = out->address;
        enum status st = OK;
        if (parts->name.len && !(parts->token.len && str_eq(parts->name, STR("help"))))
                st = find_name(site, parts->name, arena, out);
        if (st == OK && out->kind == TARGET_PERSON)
                st = ABSENT;
        if (st != OK)
                return st;
        *out = (struct target){.kind = TARGET_COMMAND,
                .id = out->id,
                .address = address,
                .name = out->name,
                .what = parts->what,
                .token = parts->token};
        return OK;
}

/* T-142@ is in the topic of its thread. */
static enum status find_task(
        struct site *site, struct str local, struct arena *arena, struct target *out)
{
        struct task task;
        uint32_t number;
        if (!task_name_read(local, &number))
                return ABSENT;
        enum status st = task_get(site->store, number, arena, &task);
        if (st != OK)
                return st;
        out->kind = TARGET_TASK;
        out->id = task.topic;
        out->number = number;
        out->name = arena_copy(arena, local);
        return OK;
}

static enum status find_local(
        struct site *site, struct str local, struct arena *arena, struct target *out)
{
        char separator = site_config(site)->separator;
        struct subaddress_parts parts;
        if (str_eq(local, STR("postmaster")) || str_eq(local, STR("abuse")))
                return find_administrator(site, arena, out);
        enum status st = find_name(site, local, arena, out);
        if (st == ABSENT)
                st = find_task(site, local, arena, out);
        if (st != ABSENT)
                return st;
        if (subaddress_read(local, separator, &parts)) {
                st = find_command(site, &parts, arena, out);
                if (st != ABSENT)
                        return st;
        }
        size_t at = str_chr(local, separator);
        if (at == STR_NOWHERE)
                return ABSENT;
        st = find_name(site, str_sub(local, 0, at), arena, out);
        return st == OK && out->kind == TARGET_TOPIC ? UNSUPPORTED : st;
}

CHECKED enum status rules_target(struct site *site, struct str address, struct arena *arena,
        struct target *out)
{
        struct str lower = arena_lower(arena, address);
        size_t at = str_rchr(lower, '@');
        *out = (struct target){.address = arena_copy(arena, address)};
        if (at != STR_NOWHERE && !is_site_domain(site, str_from(lower, at + 1))) {
                enum status st = find_name(site, lower, arena, out); /* a further address */
                return st == ABSENT ? FORBIDDEN : st;
        }
        return find_local(site, str_sub(lower, 0, at), arena, out);
}

uint32_t rules_person_of(struct site *site, struct str address)
{
        struct arena *arena = arena_new();
        struct target target;
        enum status st = rules_target(site, address, arena, &target);
        uint32_t person = st == OK && target.kind == TARGET_PERSON ? target.id : 0;
        arena_free(arena);
        return person;
}

uint32_t rules_writer_of(struct site *site, struct str address)
{
        unsigned kind;
        uint32_t id;
        if (rules_is_site(site, address))
                return rules_person_of(site, address);
        enum status st = name_find(site->store, address, &kind, &id);
        return st == OK && kind == NAME_PERSON ? id : 0;
}

/* ---- rights ---- */

/* Who asks. */
struct asker {
        uint32_t person; /* 0: the world */
        bool admin, outside;
        bool member;
};

/* Who subscribes from outside may write where he subscribes; there is no way in which he reads. */
static struct rights rights_of(const struct topic *topic, const struct asker *who)
{
        bool owner = who->person &&
                     (topic->owner == who->person || (!topic->owner && who->admin));
        bool everybody = topic->access != ACCESS_MEMBERS && !who->outside;
        bool in = who->person && (who->member || owner || everybody);
        return (struct rights){
                .read = in && !who->outside,
                .post = in || topic->access == ACCESS_OPEN,
                .expunge = owner,
                .flags = in,
        };
}

/* Who is disabled is the world, in the sessions that go on too. */
static enum status look_at(
        struct site *site, uint32_t person, struct arena *arena, struct asker *out)
{
        struct person p;
        *out = (struct asker){0};
        enum status st = person ? person_get(site->store, person, arena, &p) : ABSENT;
        if (st == OK && !p.disabled)
                *out = (struct asker){.person = person, .admin = p.admin, .outside = p.outside};
        return st == ABSENT ? OK : st;
}

CHECKED enum status rules_topic(struct site *site, uint32_t person, uint32_t topic, struct rights *out)
{
        struct arena *arena = arena_new();
        struct topic t;
        struct subscription sub;
        struct asker who = {0};
        enum status st = topic_get(site->store, topic, arena, &t);
        if (st == OK)
                st = look_at(site, person, arena, &who);
        if (st == OK && who.person) {
                enum status found = subscription_get(site->store, person, topic, &sub);
                who.member = found == OK;
                st = found == ABSENT ? OK : found;
        }
        if (st == OK)
                *out = rights_of(&t, &who);
        arena_free(arena);
        return st;
}

static bool subscribes(const struct subscription *subs, size_t count, uint32_t topic)
{
        for (size_t i = 0; i < count; i++)
                if (subs[i].topic == topic)
                        return true;
        return false;
}

CHECKED enum status rules_topics(struct site *site, uint32_t person, struct arena *arena,
        struct topic **out, size_t *count)
{
        struct subscription *subs = NULL;
        struct topic *all;
        size_t sub_count = 0, all_count, kept = 0;
        struct asker who = {0};
        enum status st = topic_list(site->store, arena, &all, &all_count);
        if (st == OK)
                st = look_at(site, person, arena, &who);
        if (st == OK && who.person)
                st = subscriptions_of(site->store, person, arena, &subs, &sub_count);
        if (st != OK)
                return st;
        for (size_t i = 0; i < all_count; i++) {
                who.member = all[i].access == ACCESS_MEMBERS &&
                        subscribes(subs, sub_count, all[i].id);
                if (rights_of(&all[i], &who).read)
                        all[kept++] = all[i];
        }
        *out = all;
        *count = kept;
        return OK;
}

/* ---- names ---- */

static bool is_part(struct str part)
{
        if (part.len == 0 || part.at[0] == '-')
                return false;
        for (size_t i = 0; i < part.len; i++) {
                char c = part.at[i];
                if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
                        return false;
        }
        return true;
}

static const char *const reserved_names[] = {"postmaster", "abuse", "mailer-daemon", "inbox"};

static bool is_item_number(struct str name) /* t-142, d-19 */
{
        uint64_t n;
        return name.len > 2 && (name.at[0] == 't' || name.at[0] == 'd') && name.at[1] == '-' &&
                str_u64(str_from(name, 2), &n) == OK;
}

static bool is_reserved(struct str name)
{
        for (size_t i = 0; i < COUNT_OF(reserved_names); i++)
                if (str_eq(name, str_of(reserved_names[i])))
                        return true;
        return subaddress_reserves(name) || is_item_number(name);
}

bool rules_topic_name(struct str name)
{
        enum { PARTS_MAX = 8, OCTETS_MAX = 120 };
        struct str rest = name, part;
        size_t parts = 0;
        if (name.len > OCTETS_MAX || str_ends(name, STR(".")) || is_reserved(name))
                return false;
        while (str_cut(&rest, '.', &part))
                if (!is_part(part) || ++parts > PARTS_MAX)
                        return false;
        return parts > 0;
}

bool rules_person_name(struct str name)
{
        enum { NAME_SIZE_MAX = 64 };
        struct str rest = name, part;
        if (name.len == 0 || name.len > NAME_SIZE_MAX || str_ends(name, STR(".")) || is_reserved(name))
                return false;
        while (str_cut(&rest, '.', &part))
                if (!is_part(part))
                        return false;
        return true;
}
