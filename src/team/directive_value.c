#include "team/directive_value.h"
#include "base/text.h"
#include "team/near.h"

enum {
        STATUS_MAX = 64, /* octets */
        LABEL_MAX = 40,
        PERSON_MAX = 254,
        TITLE_MAX = 250,
};

static void refuse(struct directive *d, const char *why)
{
        d->fault = FAULT_ARGUMENT;
        d->why = why;
}

bool directive_status(struct str name, struct buf *out)
{
        struct buf flat = {0}, folded = {0};
        text_flatten(name, &flat);
        text_fold(str_trim(buf_str(&flat)), &folded);
        bool good = folded.len > 0 && folded.len <= STATUS_MAX;
        for (size_t i = 0; good && i < folded.len; i++)
                buf_add_char(out, folded.at[i] == ' ' ? '-' : folded.at[i]);
        buf_release(&flat);
        buf_release(&folded);
        return good;
}

static struct str fold(struct str s, struct arena *arena)
{
        struct buf folded = {0};
        text_fold(s, &folded);
        struct str copy = arena_copy(arena, buf_str(&folded));
        buf_release(&folded);
        return copy;
}

/* ---- lists ---- */

/* False when there is no room for it. What is there already is not put twice. */
static bool put_item(struct directive *d, struct directive_item item, struct arena *arena)
{
        for (size_t i = 0; i < d->item_count; i++) {
                struct directive_item *old = &d->items[i];
                if (old->number == item.number && str_eq(old->text, item.text)) {
                        old->remove = item.remove; /* the last word on it */
                        return true;
                }
        }
        if (d->item_count == DIRECTIVE_ITEMS_MAX)
                return false;
        if (!d->items)
                d->items = arena_alloc(arena, DIRECTIVE_ITEMS_MAX * sizeof *d->items);
        d->items[d->item_count++] = item;
        return true;
}

/* The next piece between commas and blanks. */
static bool cut_piece(struct str *rest, struct str *out)
{
        while (rest->len && strchr(" ,;", rest->at[0]))
                *rest = str_from(*rest, 1);
        size_t n = 0;
        while (n < rest->len && !strchr(" ,;", rest->at[n]))
                n++;
        *out = str_sub(*rest, 0, n);
        *rest = str_from(*rest, n);
        return n > 0;
}

/* Takes "+", "-" and the dashes that phones make of it off the piece. True for a minus. */
static bool cut_sign(struct str *piece)
{
        static const char *const minus[] = {"-", "\u2013", "\u2014", "\u2212"};
        for (size_t i = 0; i < COUNT_OF(minus); i++) {
                if (!str_starts(*piece, str_of(minus[i])))
                        continue;
                *piece = str_from(*piece, strlen(minus[i]));
                return true;
        }
        if (str_starts(*piece, STR("+")))
                *piece = str_from(*piece, 1);
        return false;
}

static bool is_none(struct str argument)
{
        return str_same(argument, STR("none")) || str_eq(argument, STR("-"));
}

/* ---- persons ---- */

static bool is_person(struct str s)
{
        if (s.len == 0 || s.len > PERSON_MAX)
                return false;
        for (size_t i = 0; i < s.len; i++) {
                char c = s.at[i];
                bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c & 0x80;
                if (!letter && !(c && strchr("._+-@=", c)))
                        return false;
        }
        return true;
}

static bool put_person(struct directive *d, struct str person, struct arena *arena)
{
        if (str_starts(person, STR("@")))
                person = str_from(person, 1);
        struct directive_item item = {.text = arena_lower(arena, person)};
        if (!is_person(item.text)) {
                refuse(d, "people are given by login name or address, with commas between them");
                return false;
        }
        if (!put_item(d, item, arena)) {
                refuse(d, "these are over 20 people");
                return false;
        }
        return true;
}

/* "ana, @bo and Cem Ak <cem@x.example>": of what stands in angle brackets, only that counts; mail
 * programs write an address that they made a link of as "a@x<mailto:a@x>". */
static void read_persons(struct directive *d, struct arena *arena)
{
        struct str rest = d->argument, group, piece;
        if (d->row->name == DO_ASSIGN && is_none(rest)) {
                d->clear = true;
                return;
        }
        while (str_cut(&rest, ',', &group)) {
                size_t open = str_rchr(group, '<'), close = str_rchr(group, '>');
                if (open != STR_NOWHERE && close != STR_NOWHERE && close > open) {
                        struct str inside = str_sub(group, open + 1, close - open - 1);
                        if (str_starts_same(inside, STR("mailto:")))
                                inside = str_from(inside, strlen("mailto:"));
                        if (!put_person(d, inside, arena))
                                return;
                        continue;
                }
                while (cut_piece(&group, &piece)) {
                        bool joins = str_same(piece, STR("and")) || str_eq(piece, STR("&"));
                        if (!joins && !put_person(d, piece, arena))
                                return;
                }
        }
        if (d->item_count == 0)
                refuse(d, "it does not say who");
}

/* ---- labels ---- */

/* What Baton-Task: and the cards show between commas must have none inside. */
static bool is_label(struct str s)
{
        if (s.len == 0 || s.len > LABEL_MAX || s.at[0] == '-')
                return false;
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] == '\0' || strchr("\"<>=()[]\\", s.at[i]))
                        return false;
        return true;
}

static void read_labels(struct directive *d, struct arena *arena)
{
        struct str rest = d->argument, piece;
        if (is_none(rest)) {
                d->clear = true;
                return;
        }
        while (cut_piece(&rest, &piece)) {
                struct directive_item item = {.remove = cut_sign(&piece)};
                if (str_starts(piece, STR("#")))
                        piece = str_from(piece, 1);
                item.text = fold(piece, arena);
                if (!is_label(item.text)) {
                        refuse(d, "a label is one word of up to 40 letters, digits and \"-\"");
                        return;
                }
                if (!put_item(d, item, arena)) {
                        refuse(d, "these are over 20 labels");
                        return;
                }
        }
        if (d->item_count == 0)
                refuse(d, "it does not say which labels");
}

/* ---- tasks ---- */

static bool task_number(struct str s, uint32_t *number)
{
        if (!str_starts_same(s, STR("T")))
                return false;
        s = str_from(s, 1);
        if (str_starts(s, STR("-")))
                s = str_from(s, 1);
        return str_u32(s, number) == OK && *number > 0;
}

static void read_tasks(struct directive *d, struct arena *arena)
{
        struct str rest = d->argument, piece;
        if (is_none(rest)) {
                d->clear = true;
                return;
        }
        while (cut_piece(&rest, &piece)) {
                struct directive_item item = {.remove = cut_sign(&piece)};
                if (str_same(piece, STR("and")))
                        continue;
                if (!task_number(piece, &item.number)) {
                        refuse(d, "tasks are given by number, as T-9, with commas between them");
                        return;
                }
                if (!put_item(d, item, arena)) {
                        refuse(d, "these are over 20 tasks");
                        return;
                }
        }
        if (d->item_count == 0)
                refuse(d, "it does not say which tasks, as T-9");
}

/* ---- the rest ---- */

static void read_priority(struct directive *d)
{
        static const struct {
                const char *word;
                enum priority priority;
        } words[] = {
                {"low", PRIORITY_LOW},
                {"normal", PRIORITY_NORMAL},
                {"none", PRIORITY_NORMAL},
                {"-", PRIORITY_NORMAL},
                {"medium", PRIORITY_NORMAL},
                {"high", PRIORITY_HIGH},
        };
        for (size_t i = 0; i < COUNT_OF(words); i++) {
                if (str_same(d->argument, str_of(words[i].word))) {
                        d->priority = words[i].priority;
                        return;
                }
                if (near_enough(d->argument, str_of(words[i].word)))
                        d->meant = str_of(words[i].word);
        }
        refuse(d, "a priority is high, normal or low");
}

static void read_day(struct directive *d, int64_t today, struct arena *arena)
{
        struct str text = d->argument;
        if (when_parse(text, today, &d->day) == OK) {
                d->clear = d->day == WHEN_NONE;
                return;
        }
        d->day = 0;
        d->meant = near_day(text, today, arena);
        refuse(d, "a day is written as 2026-12-01, 26 Nov, fri, tomorrow, in 3 days, or none");
}

static void read_status(struct directive *d, struct arena *arena)
{
        struct buf status = {0};
        if (directive_status(d->argument, &status))
                d->status = arena_copy(arena, buf_str(&status));
        else
                refuse(d, "a status is the name of one of the board's columns, or dropped");
        buf_release(&status);
}

static void read_text(struct directive *d)
{
        if (d->row->name == DO_SUMMARY && is_none(d->argument))
                d->clear = true;
        if (d->row->takes == TAKES_TEXT && d->argument.len == 0)
                refuse(d, "nothing stands behind it");
        if (d->row->name != DO_SUMMARY && d->argument.len > TITLE_MAX)
                refuse(d, "a title has at most 250 octets");
}

void directive_value(struct directive *d, int64_t today, struct arena *arena)
{
        switch (d->row->takes) {
        case TAKES_NOTHING:
                if (d->argument.len)
                        refuse(d, "nothing may follow it on its line");
                break;
        case TAKES_DAY:
                read_day(d, today, arena);
                break;
        case TAKES_STATUS:
                read_status(d, arena);
                break;
        case TAKES_PERSONS:
                read_persons(d, arena);
                break;
        case TAKES_LABELS:
                read_labels(d, arena);
                break;
        case TAKES_PRIORITY:
                read_priority(d);
                break;
        case TAKES_TASKS:
                read_tasks(d, arena);
                break;
        case TAKES_TEXT:
        case TAKES_ANY_TEXT:
                read_text(d);
                break;
        }
        if (d->fault != FAULT_NONE) {
                d->items = NULL;
                d->item_count = 0;
        }
}
