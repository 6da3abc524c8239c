#include "imap/found.h"
#include "imap/search.h"
#include "imap/sorting.h"
#include "team/room.h"

/* SORT (RFC 5256). */

enum { CRITERIA_MAX = 32 };

static void one_criterion(struct parse *p, struct sorting *sorting)
{
        static const char *const names[BY_COUNT] = {
                [BY_ARRIVAL] = "ARRIVAL", [BY_DATE] = "DATE", [BY_SIZE] = "SIZE",
                [BY_SUBJECT] = "SUBJECT", [BY_FROM] = "FROM", [BY_TO] = "TO", [BY_CC] = "CC",
        };
        bool reverse = parse_word(p, "REVERSE");
        if (reverse)
                parse_space(p);
        enum what what = 0;
        while (what < BY_COUNT && !parse_word(p, names[what]))
                what++;
        if (what == BY_COUNT)
                parse_fail(p);
        for (size_t i = 0; i < sorting->count; i++)
                if (sorting->criteria[i].what == what)
                        return;
        if (what < BY_COUNT)
                sorting->criteria[sorting->count++] = (struct criterion){what, reverse};
}

static void sorting_parse(struct parse *p, struct sorting *sorting)
{
        unsigned count = 0;
        if (!parse_char(p, '('))
                parse_fail(p);
        do {
                if (count++ == CRITERIA_MAX)
                        parse_fail(p);
                one_criterion(p, sorting);
        } while (parse_char(p, ' ') && !p->bad);
        if (!parse_char(p, ')'))
                parse_fail(p);
        parse_space(p);
}

static void print_sorted(struct session *s, const struct sorted *sorted)
{
        struct buf *out = imap_out(s);
        buf_add_text(out, "* SORT");
        for (size_t i = 0; i < sorted->count; i++) {
                uint32_t n = sorted->numbers[i];
                buf_add_char(out, ' ');
                buf_add_number(out, s->uid ? n : imap_sequence(s, n));
        }
}

/* Gathers the answer; its end is said when the memory has been given back. */
static enum status say_sorted(
        struct session *s, const struct numset *found, const struct sorting *sorting)
{
        uint64_t room = numset_count(found) * (uint64_t)sorting_room;
        enum status st = room_take(s->site->room, s->wire, room);
        if (st != OK)
                return st;
        struct sorted sorted;
        st = sorting_run(s, sorting, found, &sorted);
        if (st == OK)
                print_sorted(s, &sorted);
        free(sorted.numbers);
        room_leave(s->site->room, room);
        return st;
}

static enum status sort(struct session *s, struct key *key, const struct sorting *sorting)
{
        struct numset *found;
        uint64_t highest = 0;
        enum status st = search_run(s, key, &found);
        if (st != OK)
                return st;
        if (key_has(key, KEY_MODSEQ))
                st = found_highest(s, found, &highest);
        if (st == OK)
                st = say_sorted(s, found, sorting);
        if (st == OK && highest)
                buf_addf(imap_out(s), " (MODSEQ %llu)", (unsigned long long)highest);
        if (st == OK)
                imap_end(s);
        numset_free(found);
        return st;
}

enum status imap_sort(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct sorting sorting = {0};
        enum charset charset;
        sorting_parse(&p, &sorting);
        struct key *key = keys_parse_sorted(&p, &charset);
        enum status st = search_charset(s, charset);
        if (st != OK)
                return st;
        return key ? sort(s, key, &sorting) : INVALID;
}
