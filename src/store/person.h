/* person.h - people and the one namespace of names: persons, topics, further addresses. */
#pragma once
#include "store/store.h"

enum { NAME_PERSON = 1, NAME_TOPIC = 2 };
enum digest_form { FORM_PAGE, FORM_MIME, FORM_1153 };

/* How mail to somebody's address outside fares: what lists need to know before they send more. */
struct reach {
        time_t confirmed; /* when the person last answered a request for confirmation; 0: never */
        uint32_t score;   /* what bounces of late come to, in hundredths (team/bounce.h) */
        time_t bounced;   /* the last one; 0: none */
        time_t probed;    /* since when the answer to a probe is waited for; 0: not */
        time_t suspended; /* since when nothing is mailed out to the person any more; 0: it is */
};
struct person {
        uint32_t id;           /* never reused; 0 when new */
        struct str name;       /* login and local part: "ana"; of who is outside: the address */
        struct str full_name;  /* "Ana M" */
        struct str password;   /* as password_hash made it; empty: cannot log in */
        struct str scram;      /* as scram_make made it of the same password; empty: not known yet */
        struct str zone;       /* "Europe/Lisbon" */
        struct str *addresses; /* further ones, lower-case domain */
        size_t address_count;
        uint16_t digest_minute;        /* local minute of the day; 1440: no digest */
        uint16_t hours_from, hours_to; /* working hours, local minutes */
        uint8_t days;                  /* working days, bit 0 Sunday */
        bool disabled, admin;
        bool outside; /* subscribes lists from elsewhere: no login, no folders, `name` is the address
                       * that mail goes to. Stays what it was when the person was added */
        bool news_reads_mark; /* reading over news sets \Seen */
        enum digest_form form;
        struct str digest_to; /* one of the addresses: digests are mailed there; empty: they are not */
        time_t created;
        struct reach reach; /* changed by change_person_reach only */
};

/* Everything in the arena. ABSENT. */
CHECKED enum status person_get(struct store *, uint32_t id, struct arena *, struct person *out);
/* By name or any address (without the site's domain: see team/rules). Case-insensitive. */
CHECKED enum status person_find(
        struct store *, struct str name_or_address, struct arena *, struct person *out);
CHECKED enum status person_list(struct store *, struct arena *, struct person **out, size_t *count);
/* What a name means; *kind NAME_PERSON or NAME_TOPIC, *id person or topic. */
CHECKED enum status name_find(struct store *, struct str name, unsigned *kind, uint32_t *id);

/* Adds (id 0; EXISTS when a name or address is taken; makes the personal folders INBOX, Digests,
 * Drafts, Sent, Archive, Junk, Trash and those of task.h in the same transaction, but not for who
 * is outside) or replaces. *id (may be NULL) is filled. */
void change_person(struct change *, const struct person *, uint32_t *id);
/* Adds what SCRAM needs of a password to a record that has none. `password`: the hash that it was
 * checked against; CHANGED when it is another meanwhile. ABSENT. */
void change_person_scram(struct change *, uint32_t id, struct str password, struct str scram);
/* Forgets who is outside, with all subscriptions and the name. FORBIDDEN: has an account; ABSENT. */
void change_person_remove(struct change *, uint32_t id);
/* CHANGED when what is stored is not `before`; ABSENT. */
void change_person_reach(
        struct change *, uint32_t id, const struct reach *before, const struct reach *after);
