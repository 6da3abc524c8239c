/* rules.h - who is who, what an address means, and who may do what. */
#pragma once
#include "base/scram.h"
#include "team/site.h"
#include "team/subaddress.h"

/* ---- who ---- */
/* user: a login name or any of a person's addresses, with or without the site's domain. DENIED:
 * wrong, disabled or unknown, or a subscriber from outside (they cannot be told apart). TOO_MANY: too many failures from that
 * address lately. The person lives in the arena. */
CHECKED enum status rules_login(struct site *, struct str user, struct str password, struct str peer_address,
        struct arena *, struct person *out);
/* For SCRAM: what a proof by `user` is checked with; out->id is 0 for nobody, whose keys look as
 * real ones do and fit no proof. TOO_MANY. rules_scram_failed: the proof was wrong. */
CHECKED enum status rules_scram(struct site *, struct str user, struct str peer_address,
        struct arena *, struct person *out, struct scram *keys);
void rules_scram_failed(struct site *, struct str user, struct str peer_address);
/* May passwords be sent on this connection? (config cleartext-login) */
bool rules_cleartext(struct site *, bool secure, bool loopback);

/* ---- addresses ---- */
enum target_kind {
        TARGET_PERSON = 1,
        TARGET_TOPIC,
        TARGET_OUTSIDE,
        TARGET_COMMAND,
        TARGET_TASK /* T-142@ */
};
struct target {
        enum target_kind kind;
        uint32_t id;        /* person, or topic = its mailbox; 0 outside, and commands of no topic */
        uint32_t number;    /* TARGET_TASK: the task's; id is its topic */
        struct str address; /* as given, "local@domain" */
        struct str name;    /* login name or topic name */
        enum subaddress what; /* TARGET_COMMAND: this, to this topic */
        struct str token;     /* "+confirm-TOKEN"; empty where there is none; in lower case */
        unsigned notify;     /* the caller's: what the sender wants to hear (queue.h, NOTIFY_...) */
        struct str original; /* the caller's: ORCPT= as it was given */
};
/* Is the address in the site's own domain? (A person's further addresses are not.) */
bool rules_is_site(struct site *, struct str address);
/* What an address of the site leads to; a sub-address of a topic that is no command is UNSUPPORTED;
 * "+detail" behind a person's name is dropped. postmaster and abuse go to an
 * administrator. ABSENT: nobody here (a local domain); FORBIDDEN: not a local domain. */
CHECKED enum status rules_target(struct site *, struct str address, struct arena *, struct target *out);
/* Who looks after a topic, or after the site (topic 0): its owner, else an administrator. The name
 * lives in the arena. ABSENT: nobody. */
CHECKED enum status rules_owner(struct site *, uint32_t topic, struct arena *, struct target *out);
/* Whose address is this? Person's id, 0: nobody's here. Sub-addresses count; who subscribes from
 * outside is nobody here. */
uint32_t rules_person_of(struct site *, struct str address);
/* The same, where subscribers outside count as well: whose rights to post mail from there has. */
uint32_t rules_writer_of(struct site *, struct str address);

/* ---- rights ---- */
struct rights {
        bool read, post, expunge, flags; /* flags: may set own marks */
};
/* person 0: the world. */
CHECKED enum status rules_topic(struct site *, uint32_t person, uint32_t topic, struct rights *out);
/* The topics that a person may read, by name. */
CHECKED enum status rules_topics(struct site *, uint32_t person, struct arena *, struct topic **out, size_t *count);
bool rules_topic_name(struct str name);  /* well-formed and not reserved */
bool rules_person_name(struct str name);
