/* codec_prefix.c - the header fields that Baton adds say nearly the same for all messages of a
 * mailbox. So an entry holds only what is different in them: steps through another text, its base.
 * A step: so many octets of the base are taken, so many passed over, and then these come. */
#include "store/codec.h"

static size_t same_octets(struct str a, struct str b)
{
        size_t n = 0, most = a.len < b.len ? a.len : b.len;
        while (n < most && a.at[n] == b.at[n])
                n++;
        return n;
}

static size_t same_end(struct str a, struct str b)
{
        size_t n = 0, most = a.len < b.len ? a.len : b.len;
        while (n < most && a.at[a.len - 1 - n] == b.at[b.len - 1 - n])
                n++;
        return n;
}

static size_t line_start(struct str text, size_t at)
{
        while (at && text.at[at - 1] != '\n')
                at--;
        return at;
}

/* From there to the end of its line, LF included. */
static struct str line_rest(struct str text, size_t at)
{
        struct str rest = str_from(text, at);
        size_t end = str_chr(rest, '\n');
        return end == STR_NOWHERE ? rest : str_sub(rest, 0, end + 1);
}

/* "List-Id:" of a field's first line; empty for others. */
static struct str name_at(struct str text, size_t at)
{
        struct str line = line_rest(text, at);
        for (size_t i = 0; i < line.len; i++)
                if (line.at[i] <= ' ' || line.at[i] == ':')
                        return str_sub(line, 0, line.at[i] == ':' ? i + 1 : 0);
        return STR_NONE;
}

static bool find_line(struct str text, size_t from, struct str name, size_t *out)
{
        for (size_t at = from; name.len && at < text.len; at += line_rest(text, at).len) {
                if (!str_starts(str_from(text, at), name))
                        continue;
                *out = at;
                return true;
        }
        return false;
}

struct step {
        size_t copy, skip, literal;
};

/* The two differ behind step->copy octets. Within one field what is different is what stands
 * between the two ends of its line; else the base is followed from the field of that name. */
static void step_over(struct str base, size_t b, struct str text, size_t t, struct step *step)
{
        size_t b_line = line_start(base, b + step->copy), t_line = line_start(text, t + step->copy);
        struct str name = name_at(text, t_line);
        if (str_eq(name, name_at(base, b_line))) {
                struct str mine = line_rest(text, t + step->copy),
                           other = line_rest(base, b + step->copy);
                size_t end = same_end(mine, other);
                step->literal = mine.len - end;
                step->skip = other.len - end;
                return;
        }
        if (t_line >= t && b_line >= b)
                step->copy = t_line - t < b_line - b ? t_line - t : b_line - b;
        if (find_line(base, b + step->copy, name, &b_line))
                step->skip = b_line - b - step->copy;
        else
                step->literal = line_rest(text, t + step->copy).len;
}

void prefix_pack(struct str base, struct str text, struct buf *out)
{
        size_t b = 0, t = 0;
        while (t < text.len) {
                struct step step = {.copy = same_octets(str_from(base, b), str_from(text, t))};
                if (t + step.copy < text.len)
                        step_over(base, b, text, t, &step);
                assert(step.copy || step.skip || step.literal);
                buf_add_varint(out, step.copy);
                buf_add_varint(out, step.skip);
                t += step.copy;
                buf_add_bytes(out, str_sub(text, t, step.literal));
                t += step.literal;
                b += step.copy + step.skip;
        }
}

enum status prefix_unpack(struct str base, const struct packed *packed, struct buf *out)
{
        struct reader r = reader_of(packed->steps);
        size_t left = packed->size;
        while (!r.bad && r.at < r.end) {
                uint64_t copy = read_varint(&r), skip = read_varint(&r);
                struct str literal = read_bytes(&r);
                if (copy > base.len || skip > base.len - copy || copy > left ||
                        literal.len > left - copy) {
                        r.bad = true;
                        break;
                }
                buf_add(out, str_sub(base, 0, copy));
                buf_add(out, literal);
                base = str_from(base, copy + skip);
                left -= copy + literal.len;
        }
        r.bad = r.bad || left;
        return codec_end(&r, "a prefix");
}
