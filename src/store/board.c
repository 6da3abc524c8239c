#include "store/board.h"
#include "base/text.h"
#include "store/release.h"
#include "store/rows.h"
#include "store/task.h"
#include "store/topic.h"
#include "store/view.h"

struct str column_word(struct arena *arena, struct str column)
{
        struct buf flat = {0}, word = {0};
        text_flatten(column, &flat);
        text_fold(str_trim(buf_str(&flat)), &word);
        for (size_t i = 0; i < word.len; i++)
                if (word.at[i] == ' ')
                        word.at[i] = '-';
        struct str out = arena_copy(arena, buf_str(&word));
        buf_release(&flat);
        buf_release(&word);
        return out;
}

struct str column_mailbox_name(struct arena *arena, struct str topic, size_t i, struct str column)
{
        return arena_printf(arena, "%.*s/%zu %.*s", STR_ARG(topic), i + 1, STR_ARG(column));
}

static bool is_column(struct arena *arena, struct str column)
{
        struct str word = column_word(arena, column);
        for (size_t i = 0; i < column.len; i++)
                if ((unsigned char)column.at[i] < ' ' || column.at[i] == '/' ||
                        column.at[i] == 0x7f)
                        return false;
        return word.len && word.len <= COLUMN_WORD_MOST && text_is_utf8(column) &&
               !str_eq(word, STR("dropped"));
}

/* The place of the column with this word, or topic->column_count. */
static size_t find_word(struct arena *arena, const struct topic *t, struct str word)
{
        size_t i = 0;
        while (i < t->column_count && !str_eq(column_word(arena, t->columns[i]), word))
                i++;
        return i;
}

bool columns_are_sound(const struct str *columns, size_t count)
{
        struct arena *arena = arena_new();
        bool sound = count >= 2 && count <= COLUMNS_MOST;
        for (size_t i = 0; sound && i < count; i++) {
                struct topic before = {.column_count = i};
                struct str all[COLUMNS_MOST];
                memcpy(all, columns, i * sizeof *all);
                before.columns = all;
                sound = is_column(arena, columns[i]) &&
                        find_word(arena, &before, column_word(arena, columns[i])) == i;
        }
        arena_free(arena);
        return sound;
}

enum status board_find(struct txn *txn, struct op *op, struct str name, uint32_t *mailbox)
{
        struct buf key = {0}, value = {0};
        struct folder_record f;
        key_folder(0, name, &key);
        enum status st = table_get(op->store->env, txn, TABLE_FOLDER, buf_str(&key), &value);
        if (st == OK)
                st = folder_read(buf_str(&value), &f);
        if (st == OK)
                *mailbox = f.mailbox;
        buf_release(&key);
        buf_release(&value);
        return st;
}

/* The row of column i as the topic was. ABSENT: a topic older than boards. */
static enum status old_column(struct txn *txn, struct op *op, const struct topic *t, size_t i,
        struct arena *arena, struct row **out)
{
        uint32_t id;
        enum status st = board_find(
                txn, op, column_mailbox_name(arena, t->name, i, t->columns[i]), &id);
        return st == OK ? rows_get(txn, op->store, id, out) : st;
}

static bool stays(struct arena *arena, const struct board *b, size_t i)
{
        struct str word = column_word(arena, b->before->columns[i]);
        if (b->from.len && str_eq(word, b->from))
                word = b->to;
        return b->after && find_word(arena, b->after, word) < b->after->column_count;
}

enum status board_check(struct txn *txn, struct op *op, const struct board *b)
{
        if (b->after && b->after->column_count &&
                !columns_are_sound(b->after->columns, b->after->column_count))
                return INVALID;
        struct arena *arena = arena_new();
        enum status st = OK;
        for (size_t i = 0; st == OK && b->before && i < b->before->column_count; i++) {
                struct row *row;
                if (stays(arena, b, i))
                        continue;
                st = old_column(txn, op, b->before, i, arena, &row);
                if (st == OK && row->mailbox.count)
                        st = FORBIDDEN;
                st = st == ABSENT ? OK : st;
        }
        arena_free(arena);
        return st;
}

/* Columns that go make room for names first. */
static enum status drop_columns(
        struct txn *txn, struct op *op, struct board *b, struct arena *arena)
{
        enum status st = OK;
        b->gone_count = 0;
        for (size_t i = 0; st == OK && b->before && i < b->before->column_count; i++) {
                struct row *row;
                if (stays(arena, b, i))
                        continue;
                st = old_column(txn, op, b->before, i, arena, &row);
                if (st == OK) {
                        b->gone[b->gone_count++] = row->mailbox.id;
                        st = mailbox_release(txn, &row->mailbox);
                }
                if (st == OK)
                        st = rows_remove(txn, op, row);
                st = st == ABSENT ? OK : st;
        }
        return st;
}

static enum status put_column(
        struct txn *txn, struct op *op, const struct board *b, size_t i, struct arena *arena)
{
        const struct topic *t = b->after;
        struct mailbox m = {.kind = MAILBOX_BOARD,
                .name = column_mailbox_name(arena, t->name, i, t->columns[i])};
        struct row *row;
        uint32_t id;
        struct str word = column_word(arena, t->columns[i]);
        enum status st = ABSENT;
        if (b->from.len && str_eq(word, b->to))
                word = b->from;
        size_t was = b->before ? find_word(arena, b->before, word) : 0;
        if (b->before && was < b->before->column_count)
                st = old_column(txn, op, b->before, was, arena, &row);
        if (st == ABSENT)
                return rows_add(txn, op, &m, &id);
        if (st == OK && !str_eq(row->mailbox.name, m.name))
                st = rows_rename(txn, op, row, m.name);
        return st;
}

enum status board_put(struct txn *txn, struct op *op, struct board *b)
{
        struct arena *arena = arena_new();
        enum status st = drop_columns(txn, op, b, arena);
        for (size_t i = 0; st == OK && b->after && i < b->after->column_count; i++)
                st = put_column(txn, op, b, i, arena);
        arena_free(arena);
        return st;
}

enum status board_has(struct txn *txn, struct op *op, uint32_t topic, struct str word)
{
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct key key = key_mailbox(topic);
        struct topic t = {.id = topic};
        enum status st = get_value(op->store, txn, TABLE_TOPIC, &key, &value);
        if (st == OK)
                st = topic_read(buf_str(&value), arena, &t);
        if (st == OK && t.column_count && find_word(arena, &t, word) == t.column_count)
                st = CHANGED;
        buf_release(&value);
        arena_free(arena);
        return st;
}

void board_publish(struct op *op, const struct board *b)
{
        for (size_t i = 0; i < b->gone_count; i++)
                views_gone(op, b->gone[i]);
}

/* Is a mailbox there for each of its columns? */
static enum status is_complete(
        struct store *store, const struct topic *t, struct arena *arena, bool *complete)
{
        enum status st = OK;
        *complete = true;
        for (size_t i = 0; st == OK && *complete && i < t->column_count; i++) {
                struct mailbox m;
                st = mailbox_find(store, 0,
                        column_mailbox_name(arena, t->name, i, t->columns[i]), arena, &m);
                *complete = st == OK;
                st = st == ABSENT ? OK : st;
        }
        return st;
}

/* Columns were no more than words before there were boards, and could be any. */
static void repair(struct topic *t)
{
        static struct str usual[] = {{"To do", 5}, {"Doing", 5}, {"Waiting", 7}, {"Done", 4}};
        if (columns_are_sound(t->columns, t->column_count))
                return;
        t->columns = usual;
        t->column_count = COUNT_OF(usual);
}

static enum status make_boards(struct store *store, const struct topic *topics, size_t count)
{
        struct change *change = change_new(store);
        for (size_t i = 0; i < count; i++)
                change_topic(change, &topics[i], NULL);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

enum status boards_complete(struct store *store)
{
        enum { TOGETHER_MOST = 100 }; /* in one change */
        struct arena *arena = arena_new();
        struct topic *topics;
        size_t count, lacking = 0;
        bool complete;
        enum status st = topic_list(store, arena, &topics, &count);
        for (size_t i = 0; st == OK && i < count; i++) {
                repair(&topics[i]);
                st = is_complete(store, &topics[i], arena, &complete);
                if (st == OK && !complete)
                        topics[lacking++] = topics[i];
        }
        for (size_t i = 0; st == OK && i < lacking; i += TOGETHER_MOST)
                st = make_boards(store, &topics[i],
                        lacking - i < TOGETHER_MOST ? lacking - i : TOGETHER_MOST);
        arena_free(arena);
        return st;
}
