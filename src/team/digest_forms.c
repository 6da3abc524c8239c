#include "team/digest_forms.h"
#include "base/crypt.h"
#include "mail/content.h"
#include "mail/header.h"

struct letter { /* a message of the digest */
        uint64_t message;
        struct str octets; /* with its prefix */
};

/* ---- the messages ---- */

static enum status load(const struct making *m, const struct gather_part *part, struct letter *out)
{
        struct buf octets = {0};
        struct store *store = m->site->store;
        enum status st = prefix_read(store, part->place.mailbox, part->place.number, &octets);
        if (st == OK)
                st = message_octets(store, part->message, 0, FORMS_ONE_MOST + 1, &octets);
        *out = (struct letter){.message = part->message};
        if (st == OK && octets.len <= FORMS_ONE_MOST)
                out->octets = arena_copy(m->arena, buf_str(&octets));
        buf_release(&octets);
        return st == ABSENT ? OK : st; /* gone meanwhile */
}

struct pile {
        struct letter *v;
        size_t count, octets;
};

static enum status add(const struct making *m, const struct gather_part *part, struct pile *pile)
{
        for (size_t i = 0; i < pile->count; i++)
                if (pile->v[i].message == part->message)
                        return OK;
        if (pile->count == FORMS_MESSAGES_MOST || pile->octets > FORMS_ALL_MOST)
                return OK;
        struct letter *letter = &pile->v[pile->count];
        enum status st = load(m, part, letter);
        if (st == OK && letter->octets.len) {
                pile->octets += letter->octets.len;
                pile->count++;
        }
        return st;
}

/* In the order of the page: what waits, then thread by thread. */
static enum status gather_letters(const struct making *m, const struct gathered *c, struct pile *pile)
{
        enum status st = OK;
        *pile = (struct pile){.v = arena_alloc(m->arena, FORMS_MESSAGES_MOST * sizeof *pile->v)};
        for (size_t i = 0; i < c->mail_count && st == OK; i++)
                st = add(m, &c->mails[i].part, pile);
        for (size_t i = 0; i < c->thread_count; i++)
                for (size_t j = 0; j < c->threads[i].part_count && st == OK; j++)
                        st = add(m, &c->threads[i].parts[j], pile);
        return st;
}

/* ---- multipart/digest ---- */

static void make_boundary(const struct pile *pile, struct str text, struct buf *out)
{
        bool found = true;
        while (found) {
                buf_clear(out);
                buf_add_text(out, "=_");
                random_word(24, out);
                found = str_find(text, buf_str(out)) != STR_NOWHERE;
                for (size_t i = 0; i < pile->count && !found; i++)
                        found = str_find(pile->v[i].octets, buf_str(out)) != STR_NOWHERE;
        }
}

/* RFC 2045 6.4: what holds such octets is labelled so itself. */
static const char *encoding_of(const struct pile *pile)
{
        for (size_t i = 0; i < pile->count; i++)
                for (size_t j = 0; j < pile->v[i].octets.len; j++)
                        if (pile->v[i].octets.at[j] & 0x80)
                                return "8bit";
        return "7bit";
}

static void add_pile(const struct pile *pile, struct str boundary, struct buf *out)
{
        for (size_t i = 0; i < pile->count; i++) {
                buf_addf(out, "\r\n--%.*s\r\nContent-Type: message/rfc822\r\n", STR_ARG(boundary));
                buf_addf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
                        encoding_of(&(struct pile){&pile->v[i], 1, 0}));
                buf_add(out, pile->v[i].octets);
        }
        buf_addf(out, "\r\n--%.*s--\r\n", STR_ARG(boundary));
}

CHECKED enum status digest_mime(
        const struct making *m, const struct gathered *content, const struct composition *c, struct buf *out)
{
        struct buf plain = {0}, head = {0}, type = {0}, outer = {0}, inner = {0};
        struct composition text = *c;
        struct pile pile;
        struct field field;
        enum status st = gather_letters(m, content, &pile);
        text.html = STR_NONE;
        compose(m->arena, &text, &plain);
        struct str message = buf_str(&plain), rest = str_sub(message, 0, header_length(message));
        struct str body = str_from(message, rest.len);
        while (header_next(&rest, &field))
                buf_add(str_starts_same(field.name, STR("Content-")) ? &type : &head, field.all);
        make_boundary(&pile, message, &outer);
        make_boundary(&pile, message, &inner);
        const char *encoding = encoding_of(&pile), *o = buf_text(&outer), *n = buf_text(&inner);
        if (st == OK && pile.count) {
                buf_add(out, buf_str(&head));
                buf_addf(out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n"
                              "Content-Transfer-Encoding: %s\r\n\r\n--%s\r\n", o, encoding, o);
                buf_add(out, buf_str(&type));
                buf_add_text(out, "\r\n");
                buf_add(out, body);
                buf_addf(out, "\r\n--%s\r\nContent-Type: multipart/digest; boundary=\"%s\"\r\n"
                              "Content-Transfer-Encoding: %s\r\n\r\n", o, n, encoding);
                add_pile(&pile, buf_str(&inner), out);
                buf_addf(out, "\r\n--%s--\r\n", o);
        } else if (st == OK) {
                buf_add(out, message);
        }
        buf_release(&plain);
        buf_release(&head);
        buf_release(&type);
        buf_release(&outer);
        buf_release(&inner);
        return st;
}

/* ---- RFC 1153 ---- */

static void add_rule(struct buf *out, size_t dashes)
{
        while (dashes--)
                buf_add_char(out, '-');
        buf_add_text(out, "\n\n");
}

/* The fields that RFC 1153 names, in its order. A line of the text that would be taken for the rule
 * between messages gets a blank in front. */
static void add_letter(const struct making *m, const struct letter *letter, struct buf *out)
{
        static const char *const names[] = {"Date", "From", "To", "Cc", "Subject", "Message-ID", "References", "Keywords"};
        struct buf text = {0};
        struct part *top = mime_parse(m->arena, letter->octets);
        struct str line;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                struct str value = header_text(m->arena, top->header, names[i]);
                if (value.len)
                        buf_addf(out, "%s: %.*s\n", names[i], STR_ARG(value));
        }
        buf_add_char(out, '\n');
        content_text(m->arena, top, FORMS_ONE_MOST, &text);
        struct str rest = str_trim(buf_str(&text));
        while (str_line(&rest, &line))
                buf_addf(out, "%s%.*s\n", str_starts(line, STR("------------------------------")) ? " " : "",
                        STR_ARG(line));
        buf_add_char(out, '\n');
        buf_release(&text);
}

CHECKED enum status digest_1153(
        const struct making *m, const struct gathered *content, const struct composition *c, struct buf *out)
{
        enum { FIRST_RULE = 70, RULE = 30 };
        struct composition text = *c;
        struct buf all = {0};
        struct pile pile;
        enum status st = gather_letters(m, content, &pile);
        text.html = STR_NONE;
        buf_add(&all, c->text);
        buf_add_char(&all, '\n');
        for (size_t i = 0; i < pile.count; i++) {
                add_rule(&all, i ? RULE : FIRST_RULE);
                add_letter(m, &pile.v[i], &all);
        }
        if (pile.count) {
                add_rule(&all, RULE);
                buf_add_text(&all, "End of Baton Digest\n*******************\n");
                text.text = buf_str(&all);
        }
        if (st == OK)
                compose(m->arena, &text, out);
        buf_release(&all);
        return st;
}
