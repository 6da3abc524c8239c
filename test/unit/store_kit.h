/* store_kit.h - a store in a folder of its own, with people, topics and messages to file. */
#pragma once
#include "store/check.h"
#include "store/due.h"
#include "store/message.h"
#include "store/person.h"
#include "store/topic.h"
#include <dirent.h>
#include <unistd.h>

struct kit {
        char folder[64];
        struct store *store;
        struct arena *arena;
};

static inline void kit_open(struct kit *k)
{
        struct store_options options = {.path = k->folder,
                .cache = 8 << 20,
                .reserve = 1,
                .ballast = 4096,
                .log_file = 1 << 20};
        assert_int_equal(store_open(&options, &k->store), OK);
}

static inline int kit_begin(void **state)
{
        struct kit *k = mem_new(sizeof *k);
        const char *fast = "/dev/shm"; /* what is tested here is not the disk */
        (void)snprintf(k->folder, sizeof k->folder, "%s/baton-store-XXXXXX",
                access(fast, W_OK) == 0 ? fast : "/tmp");
        assert_non_null(mkdtemp(k->folder));
        k->arena = arena_new();
        kit_open(k);
        *state = k;
        return 0;
}

static inline void kit_reopen(struct kit *k)
{
        store_close(k->store);
        kit_open(k);
}

static inline void kit_print(void *arg, const char *fault)
{
        (void)arg;
        print_error("%s\n", fault);
}

/* Whatever a test did, the tables must agree. */
static inline void kit_check(struct kit *k)
{
        struct check_watch watch = {.say = kit_print};
        struct check_report report;
        assert_int_equal(store_check(k->store, &watch, &report), OK);
        assert_int_equal(report.faults, 0);
}

static inline void kit_remove(struct kit *k)
{
        store_close(k->store);
        DIR *dir = opendir(k->folder);
        for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir != NULL)
                closedir(dir);
        rmdir(k->folder);
        arena_free(k->arena);
        free(k);
}

static inline int kit_end(void **state)
{
        kit_check(*state);
        kit_remove(*state);
        return 0;
}

static inline uint32_t kit_person(struct kit *k, const char *name)
{
        struct person p = {.name = str_of(name), .full_name = STR("A Person"), .zone = STR("UTC")};
        struct change *change = change_new(k->store);
        uint32_t id = 0;
        change_person(change, &p, &id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return id;
}

static inline uint32_t kit_topic(struct kit *k, const char *name)
{
        struct topic t = {.name = str_of(name), .about = STR("about it")};
        struct change *change = change_new(k->store);
        uint32_t id = 0;
        change_topic(change, &t, &id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return id;
}

static inline uint32_t kit_folder(struct kit *k, uint32_t person, const char *name)
{
        struct mailbox m = {.kind = MAILBOX_FOLDER, .owner = person, .name = str_of(name)};
        struct change *change = change_new(k->store);
        uint32_t id = 0;
        change_mailbox_add(change, &m, &id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return id;
}

/* What a message of these octets and this Message-ID would derive, as far as the store looks at it.
 */
static inline struct derived *kit_derived(struct kit *k, const char *id, const char *references)
{
        struct derived *d = arena_alloc(k->arena, sizeof *d);
        struct str rest = str_of(references), one;
        d->message_id = arena_printf(k->arena, "<%s>", id);
        d->references = arena_alloc(k->arena, 64 * sizeof *d->references);
        while (str_word(&rest, &one))
                d->references[d->reference_count++] = arena_printf(
                        k->arena, "<%.*s>", STR_ARG(one));
        d->date = 1700000000;
        d->subject = STR("Subject");
        d->base_subject = STR("subject");
        d->from = STR("ana@team.example");
        d->from_name = STR("Ana");
        d->envelope = STR("(NIL \"Subject\")");
        d->structure = STR("(\"text\" \"plain\" x)");
        d->body = STR("(\"text\" \"plain\")");
        d->overview = arena_printf(k->arena, "Subject\tAna\tdate\t<%s>\t", id);
        d->parts = STR("parts");
        d->header_size = 10;
        d->lines = 3;
        d->dots = true;
        return d;
}

struct letter {
        const char *id, *text, *references;
        uint32_t mailbox;
};

/* Files one message in one mailbox; its id. */
static inline uint64_t kit_file(struct kit *k, const struct letter *l, uint32_t *number)
{
        struct filing_entry e = {.mailbox = l->mailbox, .date = 1700000001};
        struct filing f = {.bytes = str_of(l->text ? l->text : "Subject: x\r\n\r\nbody\r\n"),
                .derived = kit_derived(k, l->id, l->references),
                .entries = &e,
                .entry_count = 1,
                .site = STR("team.example")};
        assert_int_equal(message_file(k->store, &f), OK);
        if (number)
                *number = e.number;
        return f.message;
}

static inline struct numset *kit_set(const char *text)
{
        struct numset *set;
        assert_int_equal(numset_parse(str_of(text), 100000000, &set), OK);
        return set;
}

static inline void assert_set(const struct numset *set, const char *text)
{
        struct buf b = {0};
        numset_print(set, &b);
        assert_string_equal(buf_text(&b), text);
        buf_release(&b);
}

static inline void assert_str(struct str s, const char *text)
{
        assert_int_equal(s.len, strlen(text));
        assert_memory_equal(s.at ? s.at : "", text, s.len);
}
