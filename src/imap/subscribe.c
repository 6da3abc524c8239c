#include "imap/subscribe.h"

/* What was said of a name; NULL: nothing. The list is in order of names. */
static const struct listed *said_of(const struct listed *all, size_t count, struct str name)
{
        size_t low = 0, high = count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = str_cmp(all[middle].name, name);
                if (order == 0)
                        return &all[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static bool by_default(const struct folder *f)
{
        return f->mailbox && (f->kind != MAILBOX_FOLDER || f->use != USE_NONE);
}

static bool is_folder(const struct folder *all, size_t count, struct str name)
{
        for (size_t i = 0; i < count; i++)
                if (str_eq(all[i].name, name))
                        return true;
        return false;
}

enum status wanted_read(struct session *s, struct wanted *out)
{
        struct folder *folders;
        struct listed *said;
        size_t count, said_count;
        enum status st = folder_list(s->site, s->person, s->arena, &folders, &count);
        if (st == OK)
                st = listed_read(s->site->store, s->person, s->arena, &said, &said_count);
        if (st != OK)
                return st;
        size_t most = count + said_count + 1;
        out->folders = arena_alloc(s->arena, most * sizeof *out->folders);
        out->subscribed = arena_alloc(s->arena, most * sizeof *out->subscribed);
        out->missing = arena_alloc(s->arena, most * sizeof *out->missing);
        out->count = count;
        for (size_t i = 0; i < count; i++) {
                const struct listed *one = said_of(said, said_count, folders[i].name);
                out->folders[i] = folders[i];
                out->subscribed[i] = one ? one->on : by_default(&folders[i]);
        }
        for (size_t i = 0; i < said_count; i++) {
                if (!said[i].on || is_folder(folders, count, said[i].name))
                        continue;
                out->folders[out->count] = (struct folder){.name = said[i].name};
                out->subscribed[out->count] = out->missing[out->count] = true;
                out->count++;
        }
        return OK;
}

static enum status say(struct session *s, struct str name, bool on)
{
        struct change *change = change_new(s->site->store);
        change_listed(change, s->person, &(struct listed){.name = name, .on = on});
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static enum status set(struct session *s, const struct args *a, bool on)
{
        struct parse p = imap_arguments(s, a);
        struct str name = parse_mailbox(&p);
        struct folder f;
        struct listed *said;
        size_t count;
        if (!parse_end(&p))
                return INVALID;
        if (name.len > 1 && str_ends(name, STR("/")))
                name.len--;
        enum status st = listed_read(s->site->store, s->person, s->arena, &said, &count);
        if (st != OK)
                return st;
        const struct listed *before = said_of(said, count, name);
        st = folder_find(s->site, s->person, name, s->arena, &f);
        if (st == ABSENT && before && !on) /* a name may be subscribed without a folder */
                st = OK;
        if (st != OK || (before && before->on == on))
                return st;
        if (!before && count == LISTED_MAX)
                return imap_refuse(s, TOO_MANY, "[LIMIT] You have said so of %zu folders", count);
        return say(s, name, on);
}

enum status imap_subscribe(struct session *s, const struct args *a)
{
        return set(s, a, true);
}

enum status imap_unsubscribe(struct session *s, const struct args *a)
{
        return set(s, a, false);
}
