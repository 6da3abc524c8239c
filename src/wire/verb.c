#include "wire/verb.h"

const struct verb *verb_find(const struct verb *table, size_t count, struct str name)
{
        for (size_t i = 0; i < count; i++)
                if (str_same(str_of(table[i].name), name))
                        return &table[i];
        return NULL;
}

enum status args_split(struct str line, struct args *out)
{
        struct str rest = line, word;
        out->name = out->rest = str_make(line.at, 0);
        out->count = 0;
        if (!str_word(&rest, &out->name))
                return OK;
        out->rest = str_trim(rest);
        rest = out->rest;
        while (str_word(&rest, &word)) {
                if (out->count == ARGS_MAX)
                        return TOO_MANY;
                out->v[out->count++] = word;
        }
        return OK;
}

bool verb_takes(const struct verb *verb, const struct args *args)
{
        return verb->max == ARGS_RAW || (args->count >= verb->min && args->count <= verb->max);
}

enum status verb_read(struct verb_table table, struct str line, struct spoken *out)
{
        out->verb = NULL;
        enum status st = args_split(line, &out->args);
        if (st != OK)
                return st;
        out->verb = verb_find(table.rows, table.count, out->args.name);
        if (!out->verb)
                return ABSENT;
        return out->args.count >= out->verb->min && verb_takes(out->verb, &out->args) ? OK : INVALID;
}
