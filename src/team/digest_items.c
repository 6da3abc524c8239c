#include "team/digest_items.h"
#include "team/token.h"

enum { POSITION_ONLY = 1, WITH_ITEMS = 2, PAYLOAD_MARK = 'D', DAY_SECONDS = 86400 };

void digest_items_write(const struct digest_items *items, struct buf *out)
{
        assert(items->count <= DIGEST_ITEMS_MOST);
        buf_add_u8(out, WITH_ITEMS);
        buf_add_u64(out, items->position);
        buf_add_u8(out, (uint8_t)items->count);
        for (size_t i = 0; i < items->count; i++) {
                const struct digest_item *item = &items->v[i];
                buf_add_u8(out, (uint8_t)item->about);
                buf_add_varint(out, item->topic);
                buf_add_varint(out, item->root);
                buf_add_varint(out, item->message);
                buf_add_varint(out, item->task);
        }
}

CHECKED enum status digest_items_read(struct str record, struct arena *arena, struct digest_items *out)
{
        struct reader r = reader_of(record);
        uint8_t version = read_u8(&r);
        *out = (struct digest_items){.position = read_u64(&r)};
        if (version == WITH_ITEMS)
                out->count = read_u8(&r);
        out->v = arena_alloc(arena, (out->count + 1) * sizeof *out->v);
        for (size_t i = 0; i < out->count; i++)
                out->v[i] = (struct digest_item){
                        .about = (enum digest_about)read_u8(&r),
                        .topic = (uint32_t)read_varint(&r),
                        .root = read_varint(&r),
                        .message = read_varint(&r),
                        .task = (uint32_t)read_varint(&r),
                };
        return r.bad || version < POSITION_ONLY || version > WITH_ITEMS ? DAMAGED : OK;
}

/* ---- addresses ---- */

static struct str secret_of(struct site *site)
{
        return str_make((const char *)site->secret, sizeof site->secret);
}

struct str digest_address(
        struct site *site, const struct digest_ref *ref, time_t at, struct arena *arena)
{
        struct buf payload = {0}, text = {0};
        const struct config *config = site_config(site);
        buf_add_u8(&payload, PAYLOAD_MARK);
        buf_add_varint(&payload, ref->person);
        buf_add_varint(&payload, (uint64_t)ref->day);
        buf_add_u8(&payload, (uint8_t)ref->item);
        struct token token = {TOKEN_REPLY, at + (time_t)DIGEST_ANSWER_DAYS * DAY_SECONDS, buf_str(&payload)};
        token_seal(secret_of(site), &token, &text);
        struct str address = arena_printf(arena, "r%c%.*s@%.*s", config->separator,
                STR_ARG(buf_str(&text)), STR_ARG(config->domain));
        buf_release(&payload);
        buf_release(&text);
        return address;
}

CHECKED enum status digest_address_read(struct site *site, struct str text, struct digest_ref *out)
{
        struct arena *arena = arena_new();
        struct token token;
        *out = (struct digest_ref){0};
        enum status st = token_open(secret_of(site), TOKEN_REPLY, text, arena, &token);
        if (st == OK || st == TIMEOUT) {
                struct reader r = reader_of(token.payload);
                bool ours = read_u8(&r) == PAYLOAD_MARK;
                out->person = (uint32_t)read_varint(&r);
                out->day = (int64_t)read_varint(&r);
                out->item = read_u8(&r);
                if (!ours || r.bad)
                        st = INVALID;
        }
        arena_free(arena);
        return st;
}

static bool is_token_letter(char c)
{
        c = ascii_lower(c);
        return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

/* How many octets at the front of s are the local part "r+TOKEN" and its "@"; 0: none. */
static size_t token_address(struct str s, char separator)
{
        enum { SHORTEST = 20 };
        size_t n = 2;
        if (s.len < 2 || ascii_lower(s.at[0]) != 'r' || s.at[1] != separator)
                return 0;
        while (n < s.len && n <= TOKEN_TEXT_MOST + 2 && is_token_letter(s.at[n]))
                n++;
        return n >= SHORTEST + 2 && n < s.len && s.at[n] == '@' ? n + 1 : 0;
}

void digest_strike(struct site *site, struct str text, struct buf *out)
{
        char separator = site_config(site)->separator;
        for (size_t i = 0; i < text.len;) {
                size_t n = token_address(str_from(text, i), separator);
                if (n)
                        buf_add_text(out, "digest@");
                else
                        buf_add_char(out, text.at[i]);
                i += n ? n : 1;
        }
}

/* ---- Message-IDs ---- */

struct str digest_id(struct site *site, const struct digest_ref *ref, struct arena *arena)
{
        struct str domain = site_config(site)->domain;
        return arena_printf(arena, "<digest.%u.%lld@%.*s>", ref->person, (long long)ref->day, STR_ARG(domain));
}

CHECKED enum status digest_id_read(struct site *site, struct str id, struct digest_ref *out)
{
        struct str prefix = STR("<digest."), person, day, domain = site_config(site)->domain;
        uint32_t number;
        *out = (struct digest_ref){0};
        if (!str_starts(id, prefix) || !str_ends(id, STR(">")))
                return INVALID;
        struct str rest = str_sub(id, prefix.len, id.len - prefix.len - 1);
        if (!str_cut(&rest, '.', &person) || !str_cut(&rest, '@', &day) || !str_same(rest, domain) ||
                str_u32(person, &out->person) != OK || str_u32(day, &number) != OK)
                return INVALID;
        out->day = number;
        return OK;
}
