#include "base/text.h"
#include "imap/fetch_body.h"
#include "imap/found.h"
#include "imap/search.h"
#include "mail/content.h"
#include "mail/date.h"
#include "mail/header.h"
#include "team/room.h"

/* clang-format off */
enum {
        FIELDS_SEARCHED_MAX = 2000,
        BODY_SEARCHED_MAX = 16 << 20, /* octets of a message that are looked at */
        TEXT_SEARCHED_MAX = 4 << 20,  /* octets of its text */
        READ_PIECE = 65536,
        STILL_MS = 10000, /* so often who waits is told so: a client that has left is found out */
};
/* clang-format on */

/* A field of a header, decoded and folded. */
struct line {
        struct str name, value;
        struct line *next;
};

/* One message, with what has been read of it so far. */
struct candidate {
        struct session *session;
        const struct entry *entry;
        const struct stored *stored;
        struct arena *arena;
        struct line *lines; /* of the header */
        struct buf text;    /* folded */
        bool lines_known, text_known;
        enum status failed;
};

/* ---- sets ---- */

/* Gives keys that are sets of messages their numbers. */
static enum status resolve(struct session *s, struct key *key)
{
        const struct marks *marks = s->selected->marks;
        enum status st = OK;
        if (key->kind == KEY_SEQUENCE || key->kind == KEY_UID)
                st = imap_numbers(s, key->set, key->kind == KEY_UID, &key->numbers);
        if (key->kind == KEY_MODSEQ) {
                imap_condstore(s);
                key->numbers = numset_new();
                st = mailbox_changed(s->site->store, s->selected->view, s->person,
                        key->number > 0 ? (uint64_t)key->number - 1 : 0, key->numbers);
        }
        if (key->kind == KEY_KEYWORD)
                for (size_t i = 0; i < marks->keyword_count; i++)
                        if (str_same(marks->keywords[i], key->name))
                                key->numbers = numset_copy(marks->keyword[i]);
        for (struct key *k = key->first; st == OK && k; k = k->next)
                st = resolve(s, k);
        return st;
}

static void release(struct key *key)
{
        numset_free(key->numbers);
        key->numbers = NULL;
        for (struct key *k = key->first; k; k = k->next)
                release(k);
}

static const struct numset *flag_set(const struct session *s, unsigned flag)
{
        unsigned i = 0;
        while (!(flag & 1U << i))
                i++;
        return s->selected->marks->flag[i];
}

static void narrow(struct session *s, const struct key *key, struct numset *numbers);

static void narrow_or(struct session *s, const struct key *key, struct numset *numbers)
{
        struct numset *any = numset_new();
        for (const struct key *k = key->first; k; k = k->next) {
                struct numset *one = numset_copy(numbers);
                narrow(s, k, one);
                numset_or(any, one);
                numset_free(one);
        }
        numset_and(numbers, any);
        numset_free(any);
}

static void narrow_not(struct session *s, const struct key *key, struct numset *numbers)
{
        struct numset *those = numset_copy(numbers);
        narrow(s, key->first, those);
        numset_andnot(numbers, those);
        numset_free(those);
}

/* Keeps the numbers for which a key that costs nothing but sets is true. */
static void narrow(struct session *s, const struct key *key, struct numset *numbers)
{
        switch (key->kind) {
        case KEY_AND:
                for (const struct key *k = key->first; k && k->cost == COST_SETS; k = k->next)
                        narrow(s, k, numbers);
                break;
        case KEY_OR:
                narrow_or(s, key, numbers);
                break;
        case KEY_NOT:
                narrow_not(s, key, numbers);
                break;
        case KEY_FLAG:
                numset_and(numbers, flag_set(s, key->flag));
                break;
        case KEY_ALL:
                break;
        default: /* sets and keywords; what has none is true of nothing */
                if (key->numbers)
                        numset_and(numbers, key->numbers);
                else
                        numset_clear(numbers);
                break;
        }
}

/* ---- one message ---- */

/* RFC 9051 6.4.4: dates are compared "disregarding time and time zone". */
static int64_t day_of(int64_t at)
{
        return at >= 0 ? at / 86400 : -((-at + 86399) / 86400);
}

/* The day that the Date field shows, in its own zone: it is the envelope's first string. */
static bool sent_day(const struct candidate *c, int64_t *day)
{
        struct parse p = parse_of(c->arena, c->stored->envelope);
        time_t at;
        int offset;
        if (!parse_char(&p, '('))
                return false;
        struct str date = parse_nstring(&p);
        if (!date.at || date_parse(date, &at, &offset) != OK)
                return false;
        *day = day_of(at + offset);
        return true;
}

static bool date_matches(struct candidate *c, const struct key *key)
{
        int64_t day = day_of(c->entry->date);
        if (key->cost == COST_STORED && !sent_day(c, &day))
                return false;
        switch (key->kind) {
        case KEY_BEFORE:
        case KEY_SENT_BEFORE:
                return day < key->number;
        case KEY_ON:
        case KEY_SENT_ON:
                return day == key->number;
        default:
                return day >= key->number;
        }
}

static struct str folded(struct candidate *c, struct str octets)
{
        struct buf b = {0};
        text_fold(octets, &b);
        struct str out = arena_copy(c->arena, buf_str(&b));
        buf_release(&b);
        return out;
}

static void read_lines(struct candidate *c)
{
        struct reading r = {.session = c->session, .entry = c->entry, .stored = c->stored};
        struct buf header = {0};
        c->failed = reading_header(&r, &header);
        struct str rest = arena_copy(c->arena, buf_str(&header));
        struct line **end = &c->lines;
        struct field field;
        for (unsigned i = 0;
                c->failed == OK && i < FIELDS_SEARCHED_MAX && header_next(&rest, &field); i++) {
                struct line *line = *end = arena_alloc(c->arena, sizeof *line);
                line->name = field.name;
                line->value = folded(c, header_decode(c->arena, field.value));
                end = &line->next;
        }
        buf_release(&header);
        reading_release(&r);
}

/* A field of this name (empty: any) that has the text in it. */
static bool header_matches(struct candidate *c, struct str name, struct str text)
{
        if (!c->lines_known)
                read_lines(c);
        c->lines_known = true;
        for (const struct line *line = c->lines; line; line = line->next) {
                if (name.len && !str_same(line->name, name))
                        continue;
                if (text.len == 0 || str_find(line->value, text) != STR_NOWHERE)
                        return true;
                if (name.len == 0 && str_find_same(line->name, text) != STR_NOWHERE)
                        return true;
        }
        return false;
}

static bool subject_matches(struct candidate *c, struct str text)
{
        if (text.len == 0)
                return header_matches(c, STR("Subject"), text);
        return str_find(folded(c, c->stored->subject), text) != STR_NOWHERE;
}

static enum status read_text(struct candidate *c)
{
        struct buf message = {0}, text = {0};
        uint64_t size = c->stored->size < BODY_SEARCHED_MAX ? c->stored->size : BODY_SEARCHED_MAX;
        struct room *room = c->session->site->room;
        enum status st = room_take(room, c->session->wire, 2 * size);
        if (st != OK)
                return st;
        for (uint64_t at = 0; st == OK && at < size; at += READ_PIECE)
                st = message_octets(c->session->site->store, c->entry->message, at,
                        size - at < READ_PIECE ? size - at : READ_PIECE, &message);
        if (st == OK) {
                content_search(c->arena, mime_parse(c->arena, buf_str(&message)), TEXT_SEARCHED_MAX,
                        &text);
                text_fold(buf_str(&text), &c->text);
        }
        buf_release(&message);
        buf_release(&text);
        room_leave(room, 2 * size);
        return st;
}

static bool body_matches(struct candidate *c, struct str text)
{
        if (!c->text_known) {
                c->text_known = true;
                enum status st = read_text(c);
                if (st != OK)
                        c->failed = st;
        }
        return str_find(buf_str(&c->text), text) != STR_NOWHERE;
}

static bool matches(struct candidate *c, const struct key *key)
{
        const struct key *k = key->first;
        switch (key->kind) {
        case KEY_AND:
                while (k && matches(c, k))
                        k = k->next;
                return !k;
        case KEY_OR:
                while (k && !matches(c, k))
                        k = k->next;
                return k;
        case KEY_NOT:
                return !matches(c, k);
        case KEY_ALL:
                return true;
        case KEY_FLAG:
                return numset_has(flag_set(c->session, key->flag), c->entry->number);
        case KEY_LARGER:
                return c->entry->size > (uint64_t)key->number;
        case KEY_SMALLER:
                return c->entry->size < (uint64_t)key->number;
        case KEY_OLDER: /* RFC 5032 */
                return clock_now() - c->entry->date >= key->number;
        case KEY_YOUNGER:
                return clock_now() - c->entry->date <= key->number;
        case KEY_SUBJECT:
                return subject_matches(c, key->text);
        case KEY_HEADER:
                return header_matches(c, key->name, key->text);
        case KEY_BODY:
                return body_matches(c, key->text);
        case KEY_TEXT:
                return key->text.len == 0 || header_matches(c, STR_NONE, key->text) ||
                       body_matches(c, key->text);
        case KEY_SEQUENCE:
        case KEY_UID:
        case KEY_KEYWORD:
        case KEY_MODSEQ:
        case KEY_NONE:
                return key->numbers && numset_has(key->numbers, c->entry->number);
        default:
                return date_matches(c, key);
        }
}

/* ---- all messages ---- */

static void forget(struct candidate *c)
{
        c->lines_known = c->text_known = false;
        c->lines = NULL;
        c->failed = OK;
        buf_clear(&c->text);
        buf_trim(&c->text, READ_PIECE);
        arena_reset(c->arena);
}

static enum status sift_batch(const struct batch *b, const struct key *key, struct numset *found)
{
        enum status st = OK;
        struct candidate c = {.session = b->session, .arena = arena_new()};
        for (size_t i = 0; st == OK && i < b->count && !wire_gone(b->session->wire); i++) {
                c.entry = &b->entries[i];
                c.stored = b->stored ? &b->stored[i] : NULL;
                bool gone = c.stored && c.stored->id == 0;
                if (!gone && matches(&c, key))
                        numset_add(found, c.entry->number);
                st = c.failed == ABSENT ? OK : c.failed;
                forget(&c);
        }
        buf_release(&c.text);
        arena_free(c.arena);
        return st;
}

/* Reads the candidates in groups and keeps those for which the whole question is true. */
static enum status sift(struct session *s, const struct key *key, struct numset *candidates)
{
        struct numset *found = numset_new();
        struct batch *b = batch_new(s, candidates);
        b->stored_too = key->cost >= COST_STORED;
        b->read = READ_ENVELOPE | READ_SUMMARY;
        enum status st = OK;
        uint64_t told = clock_ms();
        while (st == OK && !wire_gone(s->wire)) {
                st = batch_fill(b);
                if (st == OK)
                        st = sift_batch(b, key, found);
                if (clock_ms() - told < STILL_MS)
                        continue;
                imap_line(s, "* OK Still searching");
                wire_flush(s->wire);
                told = clock_ms();
        }
        batch_free(b);
        numset_and(candidates, found);
        numset_free(found);
        return st == ABSENT ? OK : st;
}

enum status search_run(struct session *s, struct key *key, struct numset **found)
{
        struct numset *numbers = numset_copy(s->selected->told);
        numset_and(numbers, s->selected->view->numbers);
        enum status st = resolve(s, key);
        if (st == OK)
                narrow(s, key, numbers);
        if (st == OK && key->cost > COST_SETS)
                st = sift(s, key, numbers);
        release(key);
        *found = numbers;
        if (st == OK)
                return OK;
        numset_free(numbers);
        *found = NULL;
        return st;
}

/* Under UTF8=ACCEPT a charset says what is settled already (RFC 6855 3). Where one must be named, as
 * in SORT and THREAD, UTF-8 may be (its erratum 4029). */
enum status search_charset(struct session *s, enum charset charset)
{
        if ((s->enabled & ENABLED_UTF8) && charset != CHARSET_NONE && charset != CHARSET_UTF8)
                return imap_refuse(
                        s, INVALID, "[CLIENTBUG] Under UTF8=ACCEPT there is no charset but UTF-8");
        if (charset == CHARSET_UNKNOWN) /* RFC 9051 6.4.4 */
                return imap_refuse(
                        s, UNSUPPORTED, "[BADCHARSET (US-ASCII UTF-8)] Ask in UTF-8");
        return OK;
}

enum status imap_search(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct returns returns;
        struct numset *found = NULL;
        enum charset charset;
        returns_parse(&p, &returns);
        if ((s->enabled & ENABLED_REV2) && !returns.extended) /* RFC 9051 6.4.4 */
                returns = (struct returns){.extended = true, .what = RETURN_ALL};
        struct key *key = keys_parse(&p, &charset);
        if ((s->enabled & ENABLED_UTF8) && charset != CHARSET_NONE)
                return imap_refuse(
                        s, INVALID, "[CLIENTBUG] Under UTF8=ACCEPT a SEARCH names no charset");
        enum status st = search_charset(s, charset);
        if (st == OK)
                st = key ? search_run(s, key, &found) : INVALID;
        struct numset *none = numset_new();
        if (st != INVALID) /* RFC 5182 2.1: a NO leaves nothing saved, a BAD what was */
                found_save(s, &returns, found ? found : none);
        if (st == OK)
                st = found_say(s, &returns, found, key_has(key, KEY_MODSEQ));
        numset_free(none);
        numset_free(found);
        return st;
}
