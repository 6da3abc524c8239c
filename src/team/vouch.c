#include "team/vouch.h"
#include "mail/address.h"
#include "mail/header.h"
#include "team/rules.h"
#include <pwd.h>

static bool uid_has_name(uid_t uid, struct str name)
{
        uint32_t number;
        if (str_u32(name, &number) == OK)
                return number == uid;
        struct passwd entry, *found = NULL;
        char *text = str_text(name), room[4096];
        int failed = getpwnam_r(text, &entry, room, sizeof room, &found);
        free(text);
        return !failed && found && found->pw_uid == uid;
}

bool vouch_allowed(struct site *site, uid_t uid)
{
        const struct config *c = site_config(site);
        for (size_t i = 0; uid != (uid_t)-1 && i < c->deliver_user_count; i++)
                if (uid_has_name(uid, c->deliver_users[i]))
                        return true;
        return false;
}

uint32_t vouch_author(struct site *site, struct arena *arena, struct str bytes)
{
        struct str header = str_sub(bytes, 0, header_length(bytes)), value;
        struct address from;
        if (header_count(header, "From") != 1 || !header_find(header, "From", &value) ||
                !address_first(arena, value, &from))
                return 0;
        return rules_person_of(site, address_text(arena, &from));
}
