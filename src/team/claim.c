#include "team/claim.h"
#include "mail/address.h"
#include "mail/header.h"
#include <ctype.h>

/* "ana@team.example>", "ana@team.example.": no address, but clients show it as one of ours. Not
 * "ana@team.example.com". */
static bool reads_as_ours(struct site *site, struct arena *arena, struct str text)
{
        struct str domain = site_config(site)->domain;
        struct str ours = arena_printf(arena, "@%.*s", STR_ARG(domain));
        size_t at;
        while ((at = str_find_same(text, ours)) != STR_NOWHERE) {
                text = str_from(text, at + ours.len);
                size_t dot = text.len && text.at[0] == '.';
                bool longer = text.len > dot && (isalnum((unsigned char)text.at[dot]) || text.at[dot] == '-');
                if (!longer)
                        return true;
        }
        return false;
}

/* Does this field claim an address that the sender may not use? */
static bool claims_another(struct site *site, const struct sender *sender, struct str value,
        struct arena *arena)
{
        struct addresses list = address_list(arena, value);
        for (size_t i = 0; i < list.count; i++) {
                struct str text = address_text(arena, &list.v[i]);
                bool ours = rules_is_site(site, text) || reads_as_ours(site, arena, text);
                if (!ours && !sender->person)
                        continue;
                uint32_t owner = rules_person_of(site, text);
                bool own = owner && owner == sender->person; /* a topic's is nobody's own */
                if (!own && (owner || ours))
                        return true;
        }
        return false;
}

/* A header may hold several From, and readers differ in which they show: all count, and Sender, by
 * which some show who wrote. */
static bool writes_as_another(struct site *site, const struct sender *sender, struct str header,
        struct arena *arena)
{
        enum { AUTHORS_MAX = 10 }; /* such fields; nobody honest writes more */
        struct field field;
        unsigned authors = 0;
        while (header_next(&header, &field)) {
                if (!str_same(field.name, STR("From")) && !str_same(field.name, STR("Sender")))
                        continue;
                if (++authors > AUTHORS_MAX || claims_another(site, sender, field.value, arena))
                        return true;
        }
        return false;
}

/* Every address is the sender's, and there is one. */
static bool is_all_own(struct site *site, const struct sender *sender, struct str value,
        struct arena *arena)
{
        struct addresses list = address_list(arena, value);
        for (size_t i = 0; i < list.count; i++) {
                struct str text = address_text(arena, &list.v[i]);
                if (rules_person_of(site, text) != sender->person)
                        return false;
        }
        return list.count > 0;
}

/* Who resent it last: his fields stand above those of who did so before him (RFC 5322 3.6.6). */
struct resending {
        struct str from, sender;
        bool is, has_sender;
};

static struct resending last_resending(struct str header)
{
        struct resending r = {.is = false};
        struct field field;
        while (header_next(&header, &field)) {
                if (str_same(field.name, STR("Resent-From"))) {
                        if (r.is)
                                break; /* the one before him */
                        r.is = true;
                        r.from = field.value;
                } else if (str_same(field.name, STR("Resent-Sender")) && !r.has_sender) {
                        r.has_sender = true;
                        r.sender = field.value;
                }
        }
        return r;
}

enum claim claim_of(struct site *site, const struct sender *sender, struct str header,
        struct arena *arena)
{
        enum way way = sender->way;
        if (way == WAY_APPEND || way == WAY_IMPORT || way == WAY_SITE)
                return CLAIM_OWN;
        struct resending r = last_resending(header);
        bool known = sender->person && way != WAY_NEWS;
        if (known && r.is && is_all_own(site, sender, r.from, arena) &&
                (!r.has_sender || is_all_own(site, sender, r.sender, arena)))
                return writes_as_another(site, sender, header, arena) ? CLAIM_RESENT : CLAIM_OWN;
        /* who resent it must be as true as who wrote it */
        if (sender->person && ((r.is && claims_another(site, sender, r.from, arena)) ||
                                      (r.has_sender && claims_another(site, sender, r.sender, arena))))
                return CLAIM_FORGED;
        return writes_as_another(site, sender, header, arena) ? CLAIM_FORGED : CLAIM_OWN;
}
