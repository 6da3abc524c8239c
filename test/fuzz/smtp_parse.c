/* A line that a mail client sends: verb, path, parameters, sizes. What is taken and written again
 * must be taken as the same. */
#include "base/text.h"
#include "smtp/path.h"
#include "smtp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
        if (!good)
                fail_now("%s", what);
}

static bool is_within(struct str part, struct str whole)
{
        return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void check_order(struct str line, const struct spoken *o, enum status st)
{
        require(is_within(o->args.name, line) && is_within(o->args.rest, line), "outside the line");
        require(o->args.count <= ARGS_MAX, "too many words");
        for (size_t i = 0; i < o->args.count; i++)
                require(o->args.v[i].len && is_within(o->args.v[i], o->args.rest), "a word of nothing");
        require((st == ABSENT) == (o->verb == NULL), "a row and none");
        if (o->verb)
                require(str_same(o->args.name, str_of(o->verb->name)), "another row");
        if (st == OK)
                require(o->args.count >= o->verb->min, "too few arguments");
}

/* The path that came out goes in again, and no line end and no '>' of its own is in it. */
static void check_path(struct arena *arena, struct str keyword, struct str rest)
{
        struct str path, again, left;
        if (path_take(arena, keyword, &rest, &path) != OK)
                return;
        require(text_is_utf8(path), "a path that is no UTF-8");
        for (size_t i = 0; i < path.len; i++)
                require((unsigned char)path.at[i] >= ' ' && path.at[i] != 0x7f, "a control in a path");
        left = arena_printf(arena, "%.*s<%.*s> X", STR_ARG(keyword), STR_ARG(path));
        require(path_take(arena, keyword, &left, &again) == OK, "a path that cannot be read again");
        require(str_eq(left, STR("X")) && str_eq(path, again), "a path that changed");
        for (int may = 0; may < 2; may++) {
                struct mail_parameters p = {.may_auth = may};
                enum status st = path_parameters(rest, &p);
                require(st != UNSUPPORTED || is_within(p.unknown, rest), "a parameter from elsewhere");
                require(st == OK || st == UNSUPPORTED || st == INVALID, "a status that none asked for");
        }
}

static void check_line(struct arena *arena, struct str line)
{
        struct verb_table table = {smtp_verbs, smtp_verb_count};
        struct spoken o;
        enum status st = verb_read(table, line, &o);
        uint64_t octets;
        bool last;
        if (st == TOO_MANY)
                return;
        check_order(line, &o, st);
        check_path(arena, STR("FROM:"), o.args.rest);
        check_path(arena, STR("TO:"), o.args.rest);
        if (path_chunk(o.args.rest, &octets, &last) == OK)
                require(o.args.count == 1U + last, "a chunk with more behind it");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *arena = arena_new();
        char *exact = mem_copy(data, size);
        struct str rest = {exact, size}, line;
        while (str_line(&rest, &line))
                check_line(arena, line);
        free(exact);
        arena_free(arena);
        return 0;
}
