#include "team/named.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/content.h"
#include "mail/header.h"
#include "mail/verbatim.h"
#include <ctype.h>

enum {
        WORDS_MOST = 200,           /* names looked up in the header, and in the text */
        WORD_SIZE_MOST = 64,
        AUTHORS_MOST = 10,
};

/* ---- words ---- */

static bool is_name_char(char c)
{
        return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

/* May an '@' behind this begin a name? Not in "someone@example.org", nor "/@". */
static bool may_stand_before(struct str before)
{
        char c = before.len ? before.at[before.len - 1] : ' ';
        if ((unsigned char)c >= 0x80)
                return !text_ends_in_word(before);
        return !is_name_char(c) && c != '@' && c != '/' && c != '+';
}

static bool known(const struct str *words, size_t count, struct str word)
{
        for (size_t i = 0; i < count; i++)
                if (str_eq(words[i], word))
                        return true;
        return false;
}

size_t named_words(struct str text, struct arena *arena, struct str *out, size_t most)
{
        size_t count = 0;
        text = verbatim_blank(text, arena);
        for (size_t at = 0; at < text.len && count < most; at++) {
                if (text.at[at] != '@' || !may_stand_before(str_sub(text, 0, at)))
                        continue;
                size_t end = at + 1;
                while (end < text.len && is_name_char(text.at[end]))
                        end++;
                struct str word = str_sub(text, at + 1, end - at - 1);
                bool address = end < text.len && text.at[end] == '@';
                at = end - 1;
                while (word.len && (word.at[word.len - 1] == '.' || word.at[word.len - 1] == '-'))
                        word.len--;
                if (address || !word.len || word.len > WORD_SIZE_MOST)
                        continue;
                word = arena_lower(arena, word);
                if (!known(out, count, word))
                        out[count++] = word;
        }
        return count;
}

/* ---- people ---- */

struct finding {
        struct site *site;
        struct str domain;
        const struct submission *mail;
        struct arena *arena;
        struct topic *topics; /* that the mail goes to */
        size_t topic_count;
        uint32_t authors[AUTHORS_MOST]; /* who wrote is not told */
        size_t author_count;
        size_t looked_up; /* addresses of the header */
        struct named *found;
        size_t count;
};

static enum status find_topics(struct finding *f)
{
        f->topics = arena_alloc(f->arena, f->mail->to_count * sizeof *f->topics);
        for (size_t i = 0; i < f->mail->to_count; i++) {
                enum status st = topic_get(f->site->store, f->mail->to[i].mailbox, f->arena,
                        &f->topics[f->topic_count]);
                if (st == OK)
                        f->topic_count++;
                else if (st != ABSENT)
                        return st;
        }
        return OK;
}

/* The first topic in which the person wants to be named. NULL: none. */
static enum status choose_topic(struct finding *f, uint32_t person, struct topic **out)
{
        *out = NULL;
        for (size_t i = 0; i < f->topic_count && !*out; i++) {
                struct rights rights;
                struct subscription sub;
                enum status st = rules_topic(f->site, person, f->topics[i].id, &rights);
                if (st != OK)
                        return st;
                if (!rights.read)
                        continue;
                st = subscription_get(f->site->store, person, f->topics[i].id, &sub);
                if (st != OK && st != ABSENT)
                        return st;
                if (st == ABSENT || sub.mode != MODE_NONE)
                        *out = &f->topics[i];
        }
        return OK;
}

static enum status add(struct finding *f, uint32_t person, struct str name)
{
        struct named n = {.person = person, .reason = "named"};
        for (size_t i = 0; i < f->count; i++)
                if (f->found[i].person == person)
                        return OK;
        enum status st = choose_topic(f, person, &n.topic);
        if (st != OK || !n.topic)
                return st;
        if (f->count == NAMED_MOST)
                return TOO_MANY;
        st = mailbox_find_use(f->site->store, person, USE_INBOX, &n.inbox);
        n.address = arena_printf(f->arena, "%.*s@%.*s", STR_ARG(name), STR_ARG(f->domain));
        if (st == OK)
                f->found[f->count++] = n;
        return st == ABSENT ? OK : st;
}

/* By a name or an address of theirs; what is nobody's is only text. */
static enum status add_address(struct finding *f, struct str address)
{
        struct target target;
        enum status st = rules_target(f->site, address, f->arena, &target);
        if (st == ABSENT || st == FORBIDDEN || st == UNSUPPORTED || st == INVALID)
                return OK;
        if (st != OK || target.kind != TARGET_PERSON)
                return st;
        for (size_t i = 0; i < f->author_count; i++)
                if (f->authors[i] == target.id)
                        return OK;
        return add(f, target.id, target.name);
}

static void find_authors(struct finding *f, struct str header)
{
        struct addresses list = address_list(f->arena, header_value(f->arena, header, "From"));
        if (f->mail->sender->person)
                f->authors[f->author_count++] = f->mail->sender->person;
        for (size_t i = 0; i < list.count && f->author_count < AUTHORS_MOST; i++) {
                uint32_t person = rules_person_of(f->site, address_text(f->arena, &list.v[i]));
                if (person)
                        f->authors[f->author_count++] = person;
        }
}

static enum status add_addressed(struct finding *f, struct str header)
{
        struct field field;
        enum status st = OK;
        while (st == OK && f->looked_up < WORDS_MOST && header_next(&header, &field)) {
                if (!str_same(field.name, STR("To")) && !str_same(field.name, STR("Cc")))
                        continue;
                struct addresses list = address_list(f->arena, field.value);
                for (size_t i = 0; st == OK && i < list.count && f->looked_up < WORDS_MOST; i++) {
                        st = add_address(f, address_text(f->arena, &list.v[i]));
                        f->looked_up++;
                }
        }
        return st;
}

/* May the leaf's text hold an '@' that begins a name? What stands before one is looked at as
 * octets: beyond ASCII it may be any sign. */
static bool may_name(const struct part *leaf, struct str octets)
{
        size_t next, at = 0;
        if (!content_is_open(leaf))
                return true;
        while ((next = str_chr(str_from(octets, at), '@')) != STR_NOWHERE) {
                char before = at + next ? octets.at[at + next - 1] : ' ';
                bool begins = (unsigned char)before >= 0x80 ||
                              may_stand_before(str_make(&before, 1));
                at += next + 1;
                if (begins && at < octets.len && is_name_char(octets.at[at]))
                        return true;
        }
        return false;
}

bool named_may_stand(const struct parsed_mail *parsed)
{
        return content_any(parsed->top, PARSED_TEXT_MAX, may_name);
}

static enum status add_said(struct finding *f, struct parsed_mail *parsed)
{
        struct str *words = arena_alloc(f->arena, WORDS_MOST * sizeof *words);
        size_t count = named_words(parsed_said(parsed), f->arena, words, WORDS_MOST);
        enum status st = OK;
        for (size_t i = 0; st == OK && i < count; i++)
                st = add_address(f, words[i]);
        return st;
}

CHECKED enum status named_find(struct site *site, const struct submission *mail,
        const struct derived *derived, struct arena *arena, struct named **out, size_t *count)
{
        struct finding f = {.site = site, .domain = site_config(site)->domain, .mail = mail, .arena = arena};
        struct str header = mail->parsed->top->header;
        *out = NULL;
        *count = 0;
        if (mail->sender->way == WAY_IMPORT || derived->automatic)
                return OK;
        enum status st = find_topics(&f);
        if (st != OK || !f.topic_count)
                return st;
        f.found = arena_alloc(arena, NAMED_MOST * sizeof *f.found);
        find_authors(&f, header);
        st = add_addressed(&f, header);
        if (st == OK && named_may_stand(mail->parsed))
                st = add_said(&f, mail->parsed);
        *out = f.found;
        *count = f.count;
        return st;
}

enum status named_assigned(struct site *site, const struct submission *mail, struct arena *arena,
        struct named **out, size_t *count)
{
        struct named *all = arena_alloc(arena, (mail->assigned_count + 1) * sizeof *all);
        struct str domain = site_config(site)->domain;
        struct topic *topic = arena_alloc(arena, sizeof *topic);
        enum status st = OK;
        *count = 0;
        *out = all;
        if (mail->assigned_count)
                st = topic_get(site->store, mail->to[0].mailbox, arena, topic);
        for (size_t i = 0; st == OK && i < mail->assigned_count; i++) {
                struct person p;
                struct named *n = &all[*count];
                *n = (struct named){
                        .person = mail->assigned[i], .topic = topic, .reason = "assigned"};
                st = person_get(site->store, n->person, arena, &p);
                if (st == OK)
                        st = mailbox_find_use(site->store, n->person, USE_INBOX, &n->inbox);
                if (st == OK)
                        n->address = arena_printf(
                                arena, "%.*s@%.*s", STR_ARG(p.name), STR_ARG(domain));
                *count += st == OK;
                st = st == ABSENT ? OK : st;
        }
        return st;
}
