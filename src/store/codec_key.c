#include "store/codec.h"

const struct str key_modseq = {"modseq", 6};

static void add(struct key *k, uint64_t n, unsigned octets)
{
        assert(k->len + octets <= sizeof k->at);
        for (unsigned i = octets; i-- > 0;)
                k->at[k->len++] = (char)(unsigned char)(n >> (8 * i));
}

static struct key of_u32(uint32_t n)
{
        struct key k = {0};
        add(&k, n, 4);
        return k;
}

static struct key of_u64(uint64_t n)
{
        struct key k = {0};
        add(&k, n, 8);
        return k;
}

static struct key two_u32(uint32_t a, uint32_t b)
{
        struct key k = of_u32(a);
        add(&k, b, 4);
        return k;
}

static struct key kind_u32(unsigned kind, uint32_t n)
{
        struct key k = {0};
        add(&k, kind, 1);
        add(&k, n, 4);
        return k;
}

/* A key of numbers only, of exactly this length. */
static bool begin(struct str key, size_t len, struct reader *r)
{
        *r = reader_of(key);
        return key.len == len;
}

struct key key_counter(enum counter counter)
{
        struct key k = {.len = 7, .at = "counter"};
        add(&k, (uint64_t)counter, 1);
        return k;
}

void key_listed(uint32_t person, struct str name, struct buf *out)
{
        buf_add_text(out, "listed");
        buf_add_u32(out, person);
        buf_add(out, name);
}

struct key key_leftovers(enum leftover kind)
{
        struct key k = {.len = 4, .at = "left"};
        add(&k, (uint64_t)kind, 1);
        return k;
}

struct key key_leftover(enum leftover kind, uint64_t id)
{
        struct key k = key_leftovers(kind);
        add(&k, id, 8);
        return k;
}

bool key_leftover_read(struct str key, uint64_t *id)
{
        struct reader r = reader_of(str_from(key, 5));
        *id = read_u64(&r);
        return key.len == 13 && str_starts(key, STR("left"));
}

struct key key_body(uint64_t body, uint32_t chunk)
{
        struct key k = of_u64(body);
        add(&k, chunk, 4);
        return k;
}

struct key key_message(uint64_t message)
{
        return of_u64(message);
}

bool key_message_read(struct str key, uint64_t *message)
{
        struct reader r;
        bool right = begin(key, 8, &r);
        *message = read_u64(&r);
        return right;
}

struct key key_derived(uint64_t message, unsigned part)
{
        struct key k = of_u64(message);
        add(&k, part, 1);
        return k;
}

struct key key_ids(const unsigned char hash[32])
{
        struct key k = {.len = HASH_SIZE};
        memcpy(k.at, hash, HASH_SIZE);
        return k;
}

struct key key_id(const unsigned char hash[32], uint64_t message)
{
        struct key k = key_ids(hash);
        add(&k, message, 8);
        return k;
}

bool key_id_read(struct str key, const unsigned char **hash, uint64_t *message)
{
        struct reader r = reader_of(str_from(key, HASH_SIZE));
        *hash = (const unsigned char *)key.at;
        *message = read_u64(&r);
        return key.len == HASH_SIZE + 8;
}

struct key key_places(uint64_t message)
{
        return of_u64(message);
}

struct key key_places_in(uint64_t message, uint32_t mailbox)
{
        struct key k = of_u64(message);
        add(&k, mailbox, 4);
        return k;
}

struct key key_place(uint64_t message, uint32_t mailbox, uint32_t number)
{
        struct key k = key_places_in(message, mailbox);
        add(&k, number, 4);
        return k;
}

bool key_place_read(struct str key, uint64_t *message, struct place *out)
{
        struct reader r;
        bool right = begin(key, 16, &r);
        *message = read_u64(&r);
        out->mailbox = read_u32(&r);
        out->number = read_u32(&r);
        return right;
}

struct key key_shown_from(uint32_t person, uint32_t mailbox, uint32_t number)
{
        struct key k = two_u32(person, mailbox);
        add(&k, number, 4);
        return k;
}

struct key key_shown(uint32_t person, const struct place *from, const struct place *to)
{
        struct key k = key_shown_from(person, from->mailbox, from->number);
        add(&k, to->mailbox, 4);
        add(&k, to->number, 4);
        return k;
}

bool key_shown_read(struct str key, uint32_t *person, struct place *from, struct place *to)
{
        struct reader r;
        bool right = begin(key, 20, &r);
        *person = read_u32(&r);
        from->mailbox = read_u32(&r);
        from->number = read_u32(&r);
        to->mailbox = read_u32(&r);
        to->number = read_u32(&r);
        return right;
}

struct key key_attentions(uint32_t person)
{
        return of_u32(person);
}

struct key key_attention(uint32_t person, uint64_t root)
{
        struct key k = of_u32(person);
        add(&k, root, 8);
        return k;
}

bool key_attention_read(struct str key, uint32_t *person, uint64_t *root)
{
        struct reader r;
        bool right = begin(key, 12, &r);
        *person = read_u32(&r);
        *root = read_u64(&r);
        return right;
}

enum { THREAD_OF = 1, THREAD_MEMBER = 2 };

struct key key_thread(uint64_t message)
{
        struct key k = {0};
        add(&k, THREAD_OF, 1);
        add(&k, message, 8);
        return k;
}

struct key key_members(uint64_t root)
{
        struct key k = {0};
        add(&k, THREAD_MEMBER, 1);
        add(&k, root, 8);
        return k;
}

struct key key_member(uint64_t root, uint64_t message)
{
        struct key k = key_members(root);
        add(&k, message, 8);
        return k;
}

bool key_thread_read(struct str key, uint64_t *message)
{
        struct reader r;
        bool right = begin(key, 9, &r) && read_u8(&r) == THREAD_OF;
        *message = right ? read_u64(&r) : 0;
        return right;
}

bool key_member_read(struct str key, uint64_t *root, uint64_t *message)
{
        struct reader r;
        bool right = begin(key, 17, &r) && read_u8(&r) == THREAD_MEMBER;
        *root = right ? read_u64(&r) : 0;
        *message = right ? read_u64(&r) : 0;
        return right;
}

struct key key_mailbox(uint32_t mailbox)
{
        return of_u32(mailbox);
}

bool key_mailbox_read(struct str key, uint32_t *mailbox)
{
        struct reader r;
        bool right = begin(key, 4, &r);
        *mailbox = read_u32(&r);
        return right;
}

void key_folder(uint32_t owner, struct str name, struct buf *out)
{
        buf_add_u32(out, owner);
        buf_add(out, name);
}

bool key_folder_read(struct str key, uint32_t *owner, struct str *name)
{
        struct reader r = reader_of(key);
        *owner = read_u32(&r);
        *name = str_from(key, 4);
        return !r.bad;
}

struct key key_entry(uint32_t mailbox, uint32_t number)
{
        return two_u32(mailbox, number);
}

bool key_entry_read(struct str key, uint32_t *mailbox, uint32_t *number)
{
        struct reader r;
        bool right = begin(key, 8, &r);
        *mailbox = read_u32(&r);
        *number = read_u32(&r);
        return right;
}

struct key key_marks(uint32_t person, uint32_t mailbox)
{
        return two_u32(person, mailbox);
}

struct key key_marks_of(uint32_t person, uint32_t mailbox, unsigned flag)
{
        struct key k = two_u32(person, mailbox);
        add(&k, flag, 1);
        return k;
}

struct key key_mark(uint32_t person, uint32_t mailbox, unsigned flag, uint32_t block)
{
        struct key k = key_marks_of(person, mailbox, flag);
        add(&k, block, 4);
        return k;
}

bool key_mark_read(struct str key, uint32_t *person, uint32_t *mailbox, struct place *flag_block)
{
        struct reader r;
        bool right = begin(key, 13, &r);
        *person = read_u32(&r);
        *mailbox = read_u32(&r);
        flag_block->mailbox = read_u8(&r);
        flag_block->number = read_u32(&r);
        return right && flag_block->number <= UINT32_MAX >> BLOCK_BITS;
}

struct key key_words(uint32_t person, uint32_t mailbox)
{
        return two_u32(person, mailbox);
}

struct key key_change(uint32_t mailbox, uint32_t person, uint64_t modseq)
{
        struct key k = two_u32(mailbox, person);
        add(&k, modseq, 8);
        return k;
}

bool key_change_read(struct str key, uint64_t *modseq)
{
        struct reader r = reader_of(str_from(key, 8));
        *modseq = read_u64(&r);
        return key.len == 16;
}

enum { SUBSCRIPTION_OF = 1, SUBSCRIBER_OF = 2 };

struct key key_subscriptions(uint32_t person)
{
        return kind_u32(SUBSCRIPTION_OF, person);
}

struct key key_subscription(uint32_t person, uint32_t topic)
{
        struct key k = key_subscriptions(person);
        add(&k, topic, 4);
        return k;
}

struct key key_subscribers(uint32_t topic)
{
        return kind_u32(SUBSCRIBER_OF, topic);
}

struct key key_subscriber(uint32_t topic, uint32_t person)
{
        struct key k = key_subscribers(topic);
        add(&k, person, 4);
        return k;
}

bool key_subscription_read(struct str key, struct subscription *out)
{
        struct reader r;
        bool right = begin(key, 9, &r);
        unsigned kind = read_u8(&r);
        uint32_t first = read_u32(&r), second = read_u32(&r);
        out->person = kind == SUBSCRIPTION_OF ? first : second;
        out->topic = kind == SUBSCRIPTION_OF ? second : first;
        return right && (kind == SUBSCRIPTION_OF || kind == SUBSCRIBER_OF);
}

/* Signed numbers are ordered as unsigned ones once the sign is turned. */
static uint64_t turned(int64_t n)
{
        return (uint64_t)n ^ 1ull << 63;
}

struct key key_digests(uint32_t person)
{
        return of_u32(person);
}

struct key key_digest(uint32_t person, int64_t day)
{
        struct key k = of_u32(person);
        add(&k, turned(day), 8);
        return k;
}

bool key_digest_read(struct str key, struct digest_record *out)
{
        struct reader r;
        bool right = begin(key, 12, &r);
        out->person = read_u32(&r);
        out->day = (int64_t)(read_u64(&r) ^ 1ull << 63);
        return right;
}

enum { DUE_AT = 1, DUE_OF = 2 };

struct key key_due_first(void)
{
        struct key k = {0};
        add(&k, DUE_AT, 1);
        return k;
}

struct key key_due_until(time_t until)
{
        struct key k = key_due_first();
        add(&k, turned(until), 8);
        add(&k, UINT64_MAX, 8);
        return k;
}

struct key key_due_at(const struct due *d)
{
        struct key k = key_due_first();
        add(&k, turned(d->at), 8);
        add(&k, (uint64_t)d->kind, 1);
        add(&k, d->person, 4);
        return k;
}

bool key_due_read(struct str key, struct due *out)
{
        struct reader r;
        bool right = begin(key, 14, &r) && read_u8(&r) == DUE_AT;
        out->at = (time_t)(read_u64(&r) ^ 1ull << 63);
        out->kind = read_u8(&r);
        out->person = read_u32(&r);
        return right;
}

struct key key_due_of(enum due_kind kind, uint32_t person)
{
        struct key k = {0};
        add(&k, DUE_OF, 1);
        add(&k, (uint64_t)kind, 1);
        add(&k, person, 4);
        return k;
}
