/* subaddress.h - what stands behind a name in the local part of an address: the commands of a
 * topic (eng.backend+subscribe@, or eng.backend-subscribe@ for who cannot write a plus), and the
 * names that are commands by themselves (help@). One table; a word in it cannot end the name of a
 * person or topic. */
#pragma once
#include "base/str.h"

enum subaddress {
        SUB_NONE,
        SUB_SUBSCRIBE,
        SUB_UNSUBSCRIBE,
        SUB_EACH,
        SUB_DIGEST,
        SUB_NAMED,
        SUB_MUTE,
        SUB_HELP,
        SUB_OWNER,
        SUB_CONFIRM,
        SUB_BOUNCE,
        SUB_ANSWER, /* digest@, r+TOKEN@: a reply to a digest */
        SUB_TASK, /* open a task */
        SUB_RESERVED /* a word that leads nowhere, and that no name may end in */
};

struct subaddress_parts {
        struct str name;       /* before it: "eng.backend"; empty when the word stands alone */
        enum subaddress what;
        struct str token;      /* "+confirm-TOKEN"; empty where the word takes none */
};
/* `local` in lower case, without the domain. False: it holds no such word. Whether there is anything
 * of that name is not asked: look `local` up as a name first. */
bool subaddress_read(struct str local, char separator, struct subaddress_parts *out);
/* May no person and no topic be called so? */
bool subaddress_reserves(struct str name);
