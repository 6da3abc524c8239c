#include "imap/board.h"

/* CREATE, DELETE, RENAME of a person's own folders, and of columns (board.h). Topics are made and
 * named by the site. */

/* What everybody has (store/person.c), and keeps. */
static const char *const standard[] = {
        "INBOX", "Digests", "Drafts", "Sent", "Archive", "Junk", "Trash"};

static bool is_standard(struct str name)
{
        for (size_t i = 0; i < COUNT_OF(standard); i++)
                if (str_eq(name, str_of(standard[i])))
                        return true;
        return false;
}

static bool is_shared(struct str name)
{
        return folder_name_free(name) == FORBIDDEN;
}

static enum status may_be_called(struct session *s, struct str name)
{
        enum status st = folder_name_free(name);
        if (st == FORBIDDEN)
                return imap_refuse(s, FORBIDDEN,
                        "[NOPERM] What is below %.*s is everybody's and is made by whoever runs "
                        "the site",
                        STR_ARG(str_sub(name, 0, str_chr(name, '/'))));
        if (st != OK)
                return imap_refuse(s, UNSUPPORTED, "[CANNOT] A folder cannot be called so");
        return OK;
}

/* The name without the "/" that some clients write behind it (RFC 9051 6.3.4). */
static struct str trimmed(struct str name)
{
        if (name.len > 1 && str_ends(name, STR("/")))
                name.len--;
        return name;
}

static enum status own_folder(struct session *s, struct str name, struct mailbox *out)
{
        return mailbox_find(s->site->store, s->person, name, s->arena, out);
}

static enum status room_for_more(struct session *s)
{
        struct mailbox *all;
        size_t count;
        enum status st = mailbox_list(s->site->store, s->person, s->arena, &all, &count);
        if (st == OK && count >= NAMES_MAX)
                return imap_refuse(s, TOO_MANY, "[LIMIT] You have %zu folders already", count);
        return st;
}

static size_t level_end(struct str name, size_t from)
{
        size_t slash = str_chr(str_from(name, from), '/');
        return slash == STR_NOWHERE ? name.len : from + slash;
}

static enum status add_level(
        struct session *s, struct change *change, struct str name, enum special_use use)
{
        struct mailbox *level = arena_alloc(s->arena, sizeof *level);
        enum status st = own_folder(s, name, level);
        if (st != ABSENT)
                return st == OK ? EXISTS : st;
        *level = (struct mailbox){
                .kind = MAILBOX_FOLDER,
                .owner = s->person,
                .use = use,
                .name = name,
                .created = clock_now()};
        change_mailbox_add(change, level, arena_alloc(s->arena, sizeof(uint32_t)));
        return OK;
}

/* The folder, and the levels above it that are not there yet (RFC 9051 6.3.4), in one change. */
static enum status create(struct session *s, struct str name, enum special_use use)
{
        struct change *change = change_new(s->site->store);
        enum status st = OK;
        for (size_t end = level_end(name, 0); end < name.len; end = level_end(name, end + 1)) {
                st = add_level(s, change, str_sub(name, 0, end), USE_NONE);
                if (st != OK && st != EXISTS)
                        break;
                st = OK;
        }
        if (st == OK)
                st = add_level(s, change, name, use);
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        return st;
}

/* " (USE (\\Archive))" (RFC 6154 3). More than one folder may have a use, but no folder two.
 * *offered: it is a use, and all of them are kept here. */
static enum special_use use_of(struct parse *p, bool *offered)
{
        /* clang-format off */
        static const struct { const char *name; enum special_use use; } known[] = {
                {"Archive", USE_ARCHIVE}, {"Drafts", USE_DRAFTS}, {"Junk", USE_JUNK},
                {"Sent", USE_SENT}, {"Trash", USE_TRASH}};
        /* clang-format on */
        enum special_use use = USE_NONE;
        unsigned count = 0;
        if (!parse_char(p, '(') || !parse_word(p, "USE"))
                parse_fail(p);
        parse_space(p);
        if (!parse_char(p, '('))
                parse_fail(p);
        while (!p->bad && !parse_char(p, ')')) {
                if (count++ > 0)
                        parse_space(p);
                if (!parse_char(p, '\\'))
                        parse_fail(p);
                struct str name = parse_atom(p);
                for (size_t i = 0; i < COUNT_OF(known); i++)
                        if (str_same(name, str_of(known[i].name)))
                                use = known[i].use;
        }
        if (!parse_char(p, ')'))
                parse_fail(p);
        *offered = count == 0 || (count == 1 && use != USE_NONE);
        return use;
}

enum status imap_create(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str name = trimmed(parse_mailbox(&p));
        enum special_use use = USE_NONE;
        bool offered = true;
        if (parse_char(&p, ' ') && p.at < p.end)
                use = use_of(&p, &offered);
        if (!parse_end(&p))
                return INVALID;
        if (!offered)
                return imap_refuse(s, UNSUPPORTED,
                        "[USEATTR] A folder has one use: Archive, Drafts, Junk, Sent or Trash");
        enum status st = use == USE_NONE ? imap_column_create(s, name) : UNSUPPORTED;
        if (st != UNSUPPORTED)
                return st;
        st = may_be_called(s, name);
        if (st == OK)
                st = room_for_more(s);
        return st == OK ? create(s, name, use) : st;
}

/* ---- DELETE ---- */

static enum status only_a_level(struct session *s, struct str name)
{
        struct folder f;
        enum status st = folder_find(s->site, s->person, name, s->arena, &f);
        if (st == OK && f.topic)
                return imap_refuse(
                        s, FORBIDDEN, "[NOPERM] A topic is renamed or removed by its owner only");
        if (st == OK)
                return imap_refuse(s, FORBIDDEN, "[HASCHILDREN] There are folders below it");
        return st;
}

/* A folder of the person's own that may be removed or renamed. */
static enum status changeable(struct session *s, struct str name, struct mailbox *out)
{
        if (is_shared(name))
                return imap_refuse(s, FORBIDDEN,
                        "[NOPERM] Shared folders are changed by whoever runs the site");
        enum status st = own_folder(s, name, out);
        if (st == ABSENT)
                return only_a_level(s, name);
        if (st == OK && out->use != USE_NONE && is_standard(name))
                return imap_refuse(s, UNSUPPORTED, "[CANNOT] %.*s is there for everybody and stays",
                        STR_ARG(name));
        return st;
}

static void leave(struct session *s, uint32_t deleted)
{
        if (!s->selected || s->selected->mailbox != deleted)
                return;
        imap_deselect(s);
        imap_line(s, "* OK [CLOSED] The selected folder is deleted");
}

static enum status delete_column(struct session *s, struct str name)
{
        struct folder column;
        enum status found = folder_find(s->site, s->person, name, s->arena, &column);
        enum status st = imap_column_delete(s, name);
        if (st == OK && found == OK)
                leave(s, column.mailbox);
        return st;
}

enum status imap_delete(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str name = trimmed(parse_mailbox(&p));
        struct mailbox folder;
        if (!parse_end(&p))
                return INVALID;
        enum status st = delete_column(s, name);
        if (st != UNSUPPORTED)
                return st;
        st = changeable(s, name, &folder);
        if (st != OK)
                return st;
        struct change *change = change_new(s->site->store);
        change_mailbox_remove(change, folder.id);
        st = store_commit(change);
        change_free(change);
        if (st == OK)
                leave(s, folder.id);
        return st;
}

/* ---- RENAME ---- */

static struct str renamed(struct session *s, struct str name, struct str from, struct str to)
{
        return arena_printf(s->arena, "%.*s%.*s", STR_ARG(to), STR_ARG(str_from(name, from.len)));
}

static bool is_below(struct str name, struct str top)
{
        return str_starts(name, top) && name.len > top.len && name.at[top.len] == '/';
}

/* A level that is no folder itself: what lies below is renamed, in one change. */
static enum status rename_level(struct session *s, struct str from, struct str to)
{
        struct mailbox *all;
        size_t count;
        enum status st = mailbox_list(s->site->store, s->person, s->arena, &all, &count);
        if (st != OK)
                return st;
        struct change *change = change_new(s->site->store);
        struct str done = STR_NONE; /* the list is in order of names: what is below comes behind */
        for (size_t i = 0; i < count; i++) {
                if (!is_below(all[i].name, from) || (done.len && is_below(all[i].name, done)))
                        continue;
                change_mailbox_rename(change, all[i].id, renamed(s, all[i].name, from, to));
                done = all[i].name;
        }
        st = done.len ? store_commit(change) : ABSENT;
        change_free(change);
        return st;
}

/* RFC 9051 6.3.6: INBOX stays, its messages move to the new folder. */
static enum status rename_inbox(struct session *s, struct str to)
{
        struct mailbox inbox, folder;
        const struct view *v;
        enum status st = room_for_more(s);
        if (st == OK)
                st = create(s, to, USE_NONE);
        if (st == OK)
                st = own_folder(s, STR("INBOX"), &inbox);
        if (st == OK)
                st = own_folder(s, to, &folder);
        if (st == OK)
                st = view_open(s->site->store, inbox.id, &v);
        if (st != OK)
                return st;
        struct copying copy = {.from = inbox.id,
                .to = folder.id,
                .person = s->person,
                .numbers = v->numbers,
                .from_numbers = numset_new(),
                .to_numbers = numset_new()};
        struct change *change = change_new(s->site->store);
        change_copy(change, &copy);
        change_expunge(change, inbox.id, v->numbers, NULL);
        if (v->count > 0)
                st = store_commit(change);
        change_free(change);
        numset_free(copy.from_numbers);
        numset_free(copy.to_numbers);
        view_close(s->site->store, v);
        return st;
}

/* A column that is thrown away as Thunderbird does it: into Trash. It must be empty, and so is the
 * folder that comes of it. */
static enum status rename_column(struct session *s, struct str from, struct str to)
{
        struct mailbox there;
        if (!str_starts(from, STR("Boards/")) || !is_below(to, STR("Trash")))
                return imap_column_rename(s, from, to);
        enum status st = own_folder(s, to, &there);
        if (st == ABSENT)
                st = may_be_called(s, to);
        else if (st == OK)
                st = EXISTS;
        if (st == OK)
                st = room_for_more(s);
        if (st == OK)
                st = delete_column(s, from);
        return st == OK ? create(s, to, USE_NONE) : st;
}

enum status imap_rename(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str from = trimmed(parse_mailbox(&p));
        parse_space(&p);
        struct str to = trimmed(parse_mailbox(&p));
        if (!parse_end(&p))
                return INVALID;
        struct mailbox folder;
        enum status st = rename_column(s, from, to);
        if (st != UNSUPPORTED)
                return st;
        st = may_be_called(s, to);
        if (st != OK)
                return st;
        if (str_eq(from, STR("INBOX")))
                return rename_inbox(s, to);
        if (is_below(to, from))
                return imap_refuse(s, UNSUPPORTED, "[CANNOT] A folder cannot go below itself");
        if (own_folder(s, to, &folder) == OK)
                return EXISTS;
        if (!is_shared(from) && own_folder(s, from, &folder) == ABSENT)
                return rename_level(s, from, to);
        st = changeable(s, from, &folder);
        if (st != OK)
                return st;
        struct change *change = change_new(s->site->store);
        change_mailbox_rename(change, folder.id, to);
        st = store_commit(change);
        change_free(change);
        return st;
}
