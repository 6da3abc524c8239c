/* Any octets as the value of a field: addresses, dates, ids, words, and back again. */
#include "base/text.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/msgid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
        if (!good)
                fail_now("%s", what);
}

static void check_list(struct arena *arena, struct str raw)
{
        struct addresses list = address_list(arena, raw);
        unsigned open = 0;
        require(list.count <= 1000, "too many addresses");
        for (size_t i = 0; i < list.count; i++) {
                const struct address *a = &list.v[i];
                open += a->group_start;
                require(!a->group_end || open, "a group's end without its start");
                open -= a->group_end;
                require(text_is_utf8(a->name), "a name that is no UTF-8");
                (void)address_text(arena, a);
        }
        require(open == 0, "a group without its end");
}

/* What is accepted as a path and written again is the same path. */
static void check_spec(struct arena *arena, struct str raw, bool utf8)
{
        struct address a, b;
        if (address_spec(arena, raw, utf8, &a) != OK)
                return;
        struct str text = address_text(arena, &a);
        require(address_spec(arena, text, utf8, &b) == OK, "a path that cannot be read again");
        require(str_eq(a.local, b.local) && str_same(a.domain, b.domain), "a path that changed");
}

/* No line end can be brought into a header. */
static void check_written(struct arena *arena, struct str raw)
{
        struct buf out = {0};
        header_add(&out, "Subject", raw);
        struct str rest = buf_str(&out);
        struct field f;
        require(header_next(&rest, &f) && rest.len == 0, "a field that became several");
        require(text_is_ascii(f.all), "a field that is not ASCII");
        (void)header_base_subject(arena, header_decode(arena, f.value));
        buf_clear(&out);
        header_add(&out, "From", address_field(arena, raw, STR("ana@team.example")));
        rest = buf_str(&out);
        require(header_next(&rest, &f) && rest.len == 0, "an address that became several fields");
        struct address a;
        if (raw.len < 500)
                require(address_first(arena, f.value, &a) && str_eq(a.local, STR("ana")) &&
                                str_eq(a.domain, STR("team.example")), "an address that was lost");
        buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *arena = arena_new();
        char *exact = mem_copy(data, size);
        struct str raw = {exact, size}, rest = raw, id;
        time_t at;
        int offset;
        check_list(arena, raw);
        check_spec(arena, raw, false);
        check_spec(arena, raw, true);
        check_written(arena, raw);
        if (date_parse(raw, &at, &offset) == OK)
                require(offset > -86400 && offset < 86400, "a zone that cannot be");
        while (msgid_next(arena, &rest, &id))
                require(id.len >= 3 && id.at[0] == '<' && id.at[id.len - 1] == '>', "no id");
        free(exact);
        arena_free(arena);
        return 0;
}
