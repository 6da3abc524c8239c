/* topic.h - topics and who subscribes to them. A topic's id is its mailbox's id. */
#pragma once
#include "store/mailbox.h"

enum access {
        ACCESS_MEMBERS,
        ACCESS_SITE,
        ACCESS_OPEN
}; /* who may read and post: subscribers, everybody with an account, the world may post */
enum mode { MODE_EACH = 1, MODE_DIGEST, MODE_NAMED, MODE_NONE };

enum { EACH_UNKNOWN = UINT32_MAX }; /* of a topic from before they were counted */
struct topic {
        uint32_t id; /* 0 when new */
        struct str name, about;
        uint32_t owner; /* person; 0: the site's administrators */
        enum access access;
        struct str *columns;
        size_t column_count;
        time_t created;
        uint32_t each; /* how many subscribe in MODE_EACH; kept by the store */
};
struct subscription {
        uint32_t person, topic;
        enum mode mode;
        time_t since;
};

CHECKED enum status topic_get(struct store *, uint32_t id, struct arena *, struct topic *out);
CHECKED enum status topic_find(struct store *, struct str name, struct arena *, struct topic *out);
CHECKED enum status topic_list(
        struct store *, struct arena *, struct topic **out, size_t *count); /* by name */
/* Adds (id 0, makes its mailbox and those of its columns; EXISTS) or replaces (the name stays, and
 * the columns when none are given: others may change them meanwhile). *id (may be NULL) is filled.
 * INVALID: the columns are not sound (task.h); FORBIDDEN: one that goes still holds cards. */
void change_topic(struct change *, const struct topic *, uint32_t *id);

CHECKED enum status subscription_get(
        struct store *, uint32_t person, uint32_t topic, struct subscription *out); /* ABSENT */
CHECKED enum status subscriptions_of(
        struct store *, uint32_t person, struct arena *, struct subscription **out, size_t *count);
CHECKED enum status subscribers_of(
        struct store *, uint32_t topic, struct arena *, struct subscription **out, size_t *count);
/* Those with a higher number than person `after`, ascending; at most *count, which is set. */
CHECKED enum status subscribers_after(struct store *, uint32_t topic, uint32_t after,
        struct subscription *out, size_t *count);
/* New or changed. A new one starts at the topic's highest number: what is there already is marked
 * seen for the person in the same transaction, but for who is outside and reads nothing. */
void change_subscribe(struct change *, const struct subscription *);
void change_unsubscribe(struct change *, uint32_t person, uint32_t topic); /* ABSENT */
