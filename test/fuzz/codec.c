/* Any octets as a record (first octet below 128) or key of the store: the first says which. New ones
 * stand at the end of their table, so that the corpus goes on meaning what it meant. What can be read, written and
 * read again is the same record; what can be read as a key is the key that its parts make. */
#include "base/log.h"
#include "store/attention.h"
#include "store/codec_queue.h"
#include "store/codec_task.h"
#include <fcntl.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
        if (!good)
                fail_now("%s", what);
}

/* ---- records: reads `value` and writes what it was; false: it cannot be read ---- */

#define RECORD(name, type)                                                                         \
        static bool name##_again(struct arena *arena, struct str value, struct buf *out)           \
        {                                                                                          \
                type record = {0};                                                                 \
                (void)arena;                                                                       \
                if (name##_read(value, &record) != OK)                                             \
                        return false;                                                              \
                name##_write(&record, out);                                                        \
                return true;                                                                       \
        }
#define RECORD_IN_ARENA(name, type)                                                                \
        static bool name##_again(struct arena *arena, struct str value, struct buf *out)           \
        {                                                                                          \
                type record = {0};                                                                 \
                if (name##_read(value, arena, &record) != OK)                                      \
                        return false;                                                              \
                name##_write(&record, out);                                                        \
                return true;                                                                       \
        }
#define RECORD_OF_VALUE(name, type)                                                                \
        static bool name##_again(struct arena *arena, struct str value, struct buf *out)           \
        {                                                                                          \
                type record = {0};                                                                 \
                (void)arena;                                                                       \
                if (name##_read(value, &record) != OK)                                             \
                        return false;                                                              \
                name##_write(record, out);                                                         \
                return true;                                                                       \
        }

RECORD(message, struct message_record)
RECORD(id, struct id_record)
RECORD(thread, struct thread_record)
RECORD(chunk, struct chunk)
RECORD(mailbox, struct mailbox)
RECORD(folder, struct folder_record)
RECORD(name, struct name_record)
RECORD(subscription, struct subscription)
RECORD(digest, struct digest_record)
RECORD(words, struct words)
RECORD(block, struct block)
RECORD_IN_ARENA(person, struct person)
RECORD_IN_ARENA(topic, struct topic)
RECORD_IN_ARENA(queue, struct queue_row)
RECORD(card, struct card_record)
RECORD_IN_ARENA(task, struct task_record)
RECORD_IN_ARENA(event, struct task_event)
RECORD_OF_VALUE(number, uint64_t)
RECORD_OF_VALUE(time, time_t)
RECORD_OF_VALUE(member, bool)
RECORD_OF_VALUE(listed_value, bool)
RECORD_OF_VALUE(text, struct str)
RECORD_OF_VALUE(attention, enum attention)

static bool entry_again(struct arena *arena, struct str value, struct buf *out)
{
        struct entry e = {0};
        struct packed prefix;
        struct buf text = {0};
        (void)arena;
        if (entry_decode(value, &e, &prefix) != OK)
                return false;
        if (prefix_unpack(STR("Path: a\r\nXref: b\r\n"), &prefix, &text) == OK)
                require(text.len == prefix.size, "a prefix is not as long as it says");
        buf_release(&text);
        entry_write(&e, &prefix, out);
        return true;
}

/* No record: a base up to the first NUL, and behind it the text that is written against it. */
static bool prefix_back(struct arena *arena, struct str value, struct buf *out)
{
        struct buf steps = {0}, text = {0};
        struct str rest = value, base;
        (void)arena;
        (void)out;
        if (!str_cut(&rest, '\0', &base))
                return false;
        prefix_pack(base, rest, &steps);
        struct packed packed = {1, (uint32_t)rest.len, buf_str(&steps)};
        require(prefix_unpack(base, &packed, &text) == OK && str_eq(buf_str(&text), rest),
                "a prefix does not come back");
        buf_release(&steps);
        buf_release(&text);
        return false;
}

static bool head_again(struct arena *arena, struct str value, struct buf *out)
{
        struct stored s = {0};
        (void)arena;
        if (derived_head_read(value, &s) != OK)
                return false;
        derived_head_write(&(struct derived){.envelope = s.envelope, .message_id = s.message_id,
                                   .subject = s.subject, .base_subject = s.base_subject,
                                   .from = s.from, .from_name = s.from_name}, out);
        return true;
}

static bool place_again(struct arena *arena, struct str value, struct buf *out)
{
        uint64_t modseq;
        (void)arena;
        if (place_read(value, &modseq) != OK)
                return false;
        place_write(modseq, out);
        return true;
}

static bool tail_again(struct arena *arena, struct str value, struct buf *out)
{
        struct stored s = {0};
        (void)arena;
        if (derived_tail_read(value, &s) != OK)
                return false;
        derived_tail_write(&(struct derived){.structure = s.structure, .body = s.body,
                                   .parts = s.parts}, out);
        return true;
}

/* Sets: a few octets name 2^32 numbers, in one range or in many; walking them all is for no test. */
static bool change_again(struct arena *arena, struct str value, struct buf *out)
{
        enum { COUNT_MAX = 1 << 16 };
        struct numset *set = numset_new();
        (void)arena;
        bool good = change_read(value, set) == OK && numset_count(set) <= COUNT_MAX;
        if (good)
                change_write((enum change_kind)value.at[1], set, out);
        numset_free(set);
        return good;
}

static bool (*const records[])(struct arena *, struct str, struct buf *) = {
        message_again, id_again, thread_again, chunk_again, mailbox_again, folder_again, name_again,
        subscription_again, digest_again, words_again, block_again, person_again, topic_again,
        queue_again, number_again, time_again, member_again, listed_value_again, text_again,
        entry_again, head_again, tail_again, change_again, attention_again,
        task_again, event_again, card_again, prefix_back, place_again,
};

/* ---- keys: the same ---- */

static bool key_again(struct key k, struct buf *out)
{
        buf_add(out, key_str(&k));
        return true;
}

static bool short_keys(unsigned which, struct str key, struct buf *out)
{
        uint64_t a, b;
        time_t at;
        uint32_t x, y;
        struct str name;
        switch (which) {
        case 0:
                return key_leftover_read(key, &a) && key_again(key_leftover((enum leftover)(unsigned char)key.at[4], a), out);
        case 1:
                return key_message_read(key, &a) && key_again(key_message(a), out);
        case 2:
                return key_thread_read(key, &a) && key_again(key_thread(a), out);
        case 3:
                return key_member_read(key, &a, &b) && key_again(key_member(a, b), out);
        case 4:
                return key_mailbox_read(key, &x) && key_again(key_mailbox(x), out);
        case 5:
                return key_entry_read(key, &x, &y) && key_again(key_entry(x, y), out);
        case 6:
                if (!key_folder_read(key, &x, &name))
                        return false;
                key_folder(x, name, out);
                return true;
        case 7:
                return key_queue_read(key, &a) && key_again(key_queue(a), out);
        case 8:
                return key_queue_at_read(key, &at, &a) && key_again(key_queue_at(at, a), out);
        default:
                return key_queue_of_read(key, &a, &b) && key_again(key_queue_of(a, b), out);
        }
}

static bool long_keys(unsigned which, struct str key, struct buf *out)
{
        uint64_t a;
        uint32_t x, y;
        struct place p, to;
        struct subscription s;
        struct digest_record d;
        struct due due;
        struct reader r = reader_of(key);
        const unsigned char *hash;
        switch (which) {
        case 0:
                return key_id_read(key, &hash, &a) && key_again(key_id(hash, a), out);
        case 1:
                return key_place_read(key, &a, &p) && key_again(key_place(a, p.mailbox, p.number), out);
        case 2:
                return key_mark_read(key, &x, &y, &p) && key_again(key_mark(x, y, p.mailbox, p.number), out);
        case 3:
                x = read_u32(&r);
                y = read_u32(&r);
                return key_change_read(key, &a) && key_again(key_change(x, y, a), out);
        case 4:
                if (!key_subscription_read(key, &s))
                        return false;
                return key_again(key.at[0] == key_subscription(0, 0).at[0] ? key_subscription(s.person, s.topic)
                                                                          : key_subscriber(s.topic, s.person), out);
        case 5:
                return key_digest_read(key, &d) && key_again(key_digest(d.person, d.day), out);
        case 6:
                return key_due_read(key, &due) && key_again(key_due_at(&due), out);
        case 7:
                return key_shown_read(key, &x, &p, &to) && key_again(key_shown(x, &p, &to), out);
        default:
                return key_attention_read(key, &x, &a) && key_again(key_attention(x, a), out);
        }
}

enum { SHORT_KEYS = 10, LONG_KEYS = 9, KEYS = SHORT_KEYS + LONG_KEYS };

static void check_key(unsigned which, struct str key)
{
        struct buf again = {0};
        if (which < SHORT_KEYS ? short_keys(which, key, &again) : long_keys(which - SHORT_KEYS, key, &again))
                require(str_eq(buf_str(&again), key), "a key that changed");
        buf_release(&again);
}

static void check_record(unsigned which, struct str value)
{
        struct arena *arena = arena_new();
        struct buf first = {0}, second = {0};
        if (records[which](arena, value, &first)) {
                char *exact = mem_copy(first.at, first.len);
                require(records[which](arena, str_make(exact, first.len), &second), "a record that cannot be read again");
                require(str_eq(buf_str(&first), buf_str(&second)), "a record that changed");
                free(exact);
        }
        buf_release(&first);
        buf_release(&second);
        arena_free(arena);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
        (void)count;
        (void)arguments;
        log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS); /* what is damaged is logged */
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 1)
                return 0;
        char *exact = mem_copy(data + 1, size - 1);
        struct str value = {exact, size - 1};
        if (data[0] < 128)
                check_record(data[0] % COUNT_OF(records), value);
        else
                check_key((data[0] - 128U) % KEYS, value);
        free(exact);
        return 0;
}
