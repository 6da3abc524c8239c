/* card.h - a task as a message: what lies in a column of a board. The same task with the same
 * thread gives the same octets. */
#pragma once
#include "team/field.h"

struct card {
        struct site *site;
        const struct task *task;
        const struct topic *topic;
        struct str root_id; /* Message-ID of the message that opened it; may be empty */
        uint64_t thread;    /* root of the thread whose last comments are shown; 0: none */
};
/* The message in CRLF form, with its Message-ID "<card.T-142.7@site>". In the arena. */
CHECKED enum status card_compose(const struct card *, struct arena *, struct str *bytes);
/* "T-142; status=doing; assignee=bo; due=2026-12-01; labels=auth,ios": the value of Baton-Task. */
CHECKED enum status card_fields(
        struct site *, const struct task *, struct arena *, struct str *out);
/* Lines of a checklist ("[ ] one", "- [x] two") in a description. */
void card_checklist(struct str text, unsigned *done, unsigned *all);
