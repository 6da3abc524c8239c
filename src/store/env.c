#include "base/clock.h"
#include "base/log.h"
#include "store/bdb.h"
#include "store/layout.h"
#include "store/pagecheck.h"
#include "store/pages.h"
#include "store/spare.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        MEGABYTE = 1 << 20,
        LOG_FILE_DEFAULT = 16 * MEGABYTE,
        LOG_BUFFER = 4 * MEGABYTE,
        CHECKPOINT_MEGABYTES = 64,
        CHECKPOINT_SECONDS = 60,
        LOCKS_MOST = 300000,
        TXNS_MOST = 20000,
};
#define RESERVE_DEFAULT ((uint64_t)256 * MEGABYTE)
#define BALLAST_DEFAULT ((uint64_t)96 * MEGABYTE)

static const char *const table_names[TABLE_COUNT] = {
        /* clang-format off */
        [TABLE_META] = "meta.db", [TABLE_BODY] = "body.db", [TABLE_MESSAGE] = "message.db",
        [TABLE_DERIVED] = "derived.db", [TABLE_ID] = "id.db", [TABLE_PLACE] = "place.db",
        [TABLE_THREAD] = "thread.db", [TABLE_MAILBOX] = "mailbox.db", [TABLE_FOLDER] = "folder.db",
        [TABLE_ENTRY] = "entry.db", [TABLE_PREFIX] = "prefix.db", [TABLE_OVERVIEW] = "overview.db",
        [TABLE_MARK] = "mark.db", [TABLE_FLAG] = "flag.db", [TABLE_CHANGE] = "change.db",
        [TABLE_PERSON] = "person.db", [TABLE_NAME] = "name.db", [TABLE_TOPIC] = "topic.db",
        [TABLE_SUBSCRIPTION] = "subscription.db", [TABLE_DIGEST] = "digest.db",
        [TABLE_DUE] = "due.db", [TABLE_QUEUE] = "queue.db",
        [TABLE_SHOWN] = "shown.db", [TABLE_ATTENTION] = "attention.db",
        [TABLE_TASK] = "task.db",
}; /* clang-format on */

const char *table_name(enum table table)
{
        assert(table < TABLE_COUNT && table_names[table] != NULL);
        return table_names[table];
}

bool env_failed(struct env *env)
{
        return atomic_load(&env->failed);
}

struct disk *env_disk(struct env *env)
{
        return env->disk;
}

enum status env_state(struct env *env)
{
        if (!atomic_load(&env->failed))
                return OK;
        return atomic_load(&env->damaged) || atomic_load(&env->suspect) ? DAMAGED : BROKEN;
}

void env_fail(struct env *env, const char *why)
{
        if (!atomic_exchange(&env->failed, true))
                log_error("%s: %s. The store has stopped; start again to recover", env->path, why);
}

static void env_damaged(struct env *env, enum table table)
{
        atomic_store(&env->failed, true);
        if (atomic_exchange(&env->damaged, true))
                return;
        log_error("%s/%s is damaged. The store has stopped; what is there is kept: restore the "
                  "folder from a backup",
                env->path, table < TABLE_COUNT ? table_name(table) : "");
}

/* Once one thread has met a damaged page all others fail too, at whatever table they are. */
static enum status env_panicked(struct env *env, enum table table)
{
        if (!atomic_load(&env->suspect))
                env_fail(env, "Berkeley DB has failed");
        else if (pthread_equal(env->suspect_thread, pthread_self()))
                env_damaged(env, table);
        return atomic_load(&env->suspect) ? DAMAGED : BROKEN;
}

enum status env_status(struct env *env, enum table table, int code)
{
        switch (code) {
        case 0:
                return OK;
        case DB_NOTFOUND:
        case DB_KEYEMPTY:
                return ABSENT;
        case DB_LOCK_DEADLOCK:
        case DB_LOCK_NOTGRANTED:
                return BUSY;
        case ENOSPC:
        case EDQUOT:
                return FULL;
        case ENOMEM: /* the cache is full of pages that cannot be written, or too small */
                if (atomic_load(&env->no_room))
                        return FULL;
                log_error("%s: the page cache or the lock table is too small for one change",
                        env->path);
                return BROKEN;
        case DB_PAGE_NOTFOUND:
        case DB_VERIFY_BAD:
        case DB_CHKSUM_FAIL:
                env_damaged(env, table);
                return DAMAGED;
        case DB_RUNRECOVERY:
                return env_panicked(env, table);
        default:
                log_error("%s/%s: %s", env->path, table < TABLE_COUNT ? table_name(table) : "",
                        db_strerror(code));
                return BROKEN;
        }
}

/* Berkeley DB's words for a page that it cannot believe. */
static bool names_damage(struct str text)
{
        return str_find(text, STR("checksum error")) != STR_NOWHERE ||
               str_find(text, STR("illegal page type")) != STR_NOWHERE ||
               str_find(text, STR("checksum failure")) != STR_NOWHERE;
}

static void on_error(const DB_ENV *handle, const char *prefix, const char *text)
{
        struct env *env = handle->app_private;
        (void)prefix;
        if (str_find(str_of(text), STR("No space left")) != STR_NOWHERE)
                atomic_store(&env->no_room, true);
        /* disk.c says once that the disk is full; Berkeley DB would say it for each page */
        if (atomic_load(&env->no_room) || atomic_load(&env->failed)) {
                log_detail("%s: Berkeley DB: %s", env->path, text);
                return;
        }
        log_error("%s: Berkeley DB: %s", env->path, text);
        if (names_damage(str_of(text)) && !atomic_load(&env->suspect)) {
                env->suspect_thread = pthread_self();
                atomic_store(&env->suspect, true);
        }
}

static void on_event(DB_ENV *handle, u_int32_t event, void *info)
{
        struct env *env = handle->app_private;
        (void)info;
        if (event == DB_EVENT_PANIC)
                atomic_store(&env->failed, true);
}

/* Berkeley DB takes a page of zeros for a new one, and inside a tree searches it without end. While
 * it serves it never reads one: a page that is not written yet lies in the cache. (Recovery does.)
 * Berkeley DB has one such function for a process and hands it nothing of ours. */
static atomic_uint envs_serving;

static ssize_t pread_guarded(int fd, void *page, size_t size, off_t at)
{
        ssize_t got = pread(fd, page, size, at);
        if (got == PAGE_SIZE && page_blank(page) && atomic_load(&envs_serving) > 0)
                memset(page, 0xff, sizeof(uint64_t)); /* not new: its checksum counts, and is wrong */
        return got;
}

static int handle_configure(DB_ENV *handle, const struct store_options *options)
{
        uint64_t cache = pages_cache(options->cache);
        const struct env *env = handle->app_private;
        u_int32_t log_file = (u_int32_t)env->log_file;
        u_int32_t gigabytes = (u_int32_t)(cache >> 30),
                  octets = (u_int32_t)(cache & ((1u << 30) - 1));
        int code = handle->set_cachesize(handle, gigabytes, octets, 1);
        code = code != 0 ? code : handle->set_lg_max(handle, log_file);
        code = code != 0 ? code
                         : handle->set_lg_bsize(
                                   handle, log_file / 4 < LOG_BUFFER ? log_file / 4 : LOG_BUFFER);
        code = code != 0 ? code : handle->set_lk_max_locks(handle, LOCKS_MOST);
        code = code != 0 ? code : handle->set_lk_max_objects(handle, LOCKS_MOST);
        code = code != 0 ? code : handle->set_lk_detect(handle, DB_LOCK_MINWRITE);
        code = code != 0 ? code : handle->set_tx_max(handle, TXNS_MOST);
        return code;
}

/* Makes the handle and recovers. On failure there is no handle. */
static int handle_open(struct env *env, const struct store_options *options)
{
        DB_ENV *handle;
        u_int32_t recovery = options->restoring ? DB_RECOVER_FATAL : DB_RECOVER;
        pages_begin(pages_cache(options->cache));
        int code = db_env_create(&handle, 0);
        if (code != 0)
                return code;
        handle->app_private = env;
        code = handle->set_alloc(handle, malloc, realloc, free); /* of what it hands to us */
        code = code != 0 ? code : db_env_set_func_pread(pread_guarded);
        code = code != 0 ? code : db_env_set_func_open(spare_open);
        handle->set_errcall(handle, on_error);
        code = code != 0 ? code : handle->set_event_notify(handle, on_event);
        code = code != 0 ? code : handle_configure(handle, options);
        if (code == 0)
                code = handle->open(handle, env->path,
                        DB_CREATE | DB_PRIVATE | DB_THREAD | recovery | DB_INIT_TXN | DB_INIT_LOG |
                                DB_INIT_LOCK | DB_INIT_MPOOL,
                        0600);
        if (code == 0)
                env->handle = handle;
        else
                (void)handle->close(handle, 0);
        return code;
}

static bool is_no_room(struct env *env, int code)
{
        return code == ENOSPC || code == EDQUOT || (code != 0 && atomic_load(&env->no_room));
}

static enum status env_recover(struct env *env, const struct store_options *options)
{
        int code = handle_open(env, options);
        if (is_no_room(env, code) && disk_drop_ballast(env->disk)) {
                atomic_store(&env->no_room, false);
                atomic_store(&env->failed, false);
                code = handle_open(env, options);
        }
        if (code == 0)
                return OK;
        if (is_no_room(env, code)) {
                log_error(
                        "%s: no room on the disk to recover; make room and start again", env->path);
                return FULL;
        }
        if (layout_check_pages(env->path, false) != OK)
                atomic_store(&env->suspect, true);
        log_error(
                "%s: cannot be recovered: %s. The logs are kept: restore the folder from a backup",
                env->path, db_strerror(code));
        return atomic_load(&env->suspect) || code == DB_RUNRECOVERY ? DAMAGED : BROKEN;
}

static enum status table_open(struct env *env, enum table table)
{
        DB *db;
        int code = db_create(&db, env->handle, 0);
        if (code != 0)
                return env_status(env, table, code);
        env->tables[table] = db;
        code = db->set_flags(db, DB_CHKSUM);
        code = code != 0 ? code : db->set_pagesize(db, 4096);
        if (code == 0)
                code = db->open(db, NULL, table_name(table), NULL, DB_BTREE,
                        DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600);
        if (code == EINVAL)
                code = DB_VERIFY_BAD; /* not a table file: what can be read of it is wrong */
        enum status st = env_status(env, table, code);
        return st == ABSENT || st == BUSY ? BROKEN : st;
}

static enum status tables_open(struct env *env)
{
        enum status st = OK;
        for (int table = 0; table < TABLE_COUNT && st == OK; table++)
                st = table_open(env, (enum table)table);
        return st;
}

static enum status log_state(struct env *env, struct log_place *flushed, uint32_t *megabytes)
{
        DB_LOG_STAT *stat;
        enum status st = env_status(env, TABLE_COUNT, env->handle->log_stat(env->handle, &stat, 0));
        if (st != OK)
                return st;
        *flushed = (struct log_place){stat->st_disk_file, stat->st_disk_offset};
        *megabytes = stat->st_wc_mbytes;
        free(stat);
        return OK;
}

/* Under `flushing`. A new log file's name must be on disk before what is in it counts. */
static enum status mark_flushed(struct env *env)
{
        struct log_place flushed;
        uint32_t megabytes;
        enum status st = log_state(env, &flushed, &megabytes);
        if (st != OK || !place_before(env->mark.flushed, flushed))
                return st;
        if (flushed.file != env->mark.flushed.file && fsync(env->folder) != 0)
                log_warn("%s: %s", env->path, strerror(errno));
        env->mark.flushed = flushed;
        env->mark.clean = false;
        return watermark_set(env->watermark, &env->mark, false);
}

enum status env_flush(struct env *env)
{
        enum status st = env_state(env);
        if (st != OK)
                return st;
        st = env_status(env, TABLE_COUNT, env->handle->log_flush(env->handle, NULL));
        if (st != OK)
                return st;
        atomic_store(&env->no_room, false);
        pthread_mutex_lock(&env->flushing);
        st = mark_flushed(env);
        pthread_mutex_unlock(&env->flushing);
        return st;
}

/* Under `flushing`. The mark says first, and on disk, that the files are not needed. */
static enum status logs_remove(struct env *env)
{
        char **names = NULL;
        if (env->holds > 0)
                return OK;
        enum status st = env_status(
                env, TABLE_COUNT, env->handle->log_archive(env->handle, &names, 0));
        if (st != OK || names == NULL)
                return st;
        for (char **name = names; *name != NULL; name++) {
                uint32_t number;
                if (str_u32(str_from(str_of(*name), sizeof("log.") - 1), &number) == OK &&
                        number >= env->mark.oldest)
                        env->mark.oldest = number + 1;
        }
        st = watermark_set(env->watermark, &env->mark, true);
        for (char **name = names; st == OK && *name != NULL; name++)
                if (unlinkat(env->folder, *name, 0) != 0)
                        log_warn("%s/%s: %s", env->path, *name, strerror(errno));
        free(names);
        return st;
}

enum status env_checkpoint(struct env *env, bool force)
{
        struct log_place flushed;
        uint32_t megabytes = 0;
        enum status st = env_state(env);
        if (st == OK)
                st = log_state(env, &flushed, &megabytes);
        if (st != OK)
                return st;
        pthread_mutex_lock(&env->flushing);
        uint64_t now = clock_ms();
        bool due = force || megabytes >= env->checkpoint_megabytes ||
                   now - env->checkpointed >= env->checkpoint_ms;
        if (due)
                env->checkpointed = now;
        pthread_mutex_unlock(&env->flushing);
        if (!due)
                return OK;
        int code = env->handle->txn_checkpoint(env->handle, 0, 0, force ? DB_FORCE : 0);
        st = env_status(env, TABLE_COUNT, code);
        if (st != OK)
                return st;
        pthread_mutex_lock(&env->flushing);
        st = mark_flushed(env);
        if (st == OK)
                st = logs_remove(env);
        pthread_mutex_unlock(&env->flushing);
        return st;
}

enum status env_hold(struct env *env, uint32_t *oldest)
{
        enum status st = env_checkpoint(env, true);
        pthread_mutex_lock(&env->flushing);
        if (st == OK) {
                env->holds++;
                *oldest = env->mark.oldest;
        }
        pthread_mutex_unlock(&env->flushing);
        return st;
}

void env_release(struct env *env)
{
        pthread_mutex_lock(&env->flushing);
        env->holds--;
        pthread_mutex_unlock(&env->flushing);
}

enum status env_flushed(struct env *env, struct log_place *out)
{
        enum status st = env_flush(env);
        pthread_mutex_lock(&env->flushing);
        *out = env->mark.flushed;
        pthread_mutex_unlock(&env->flushing);
        return st;
}

const char *env_path(struct env *env)
{
        return env->path;
}

void env_spares(struct env *env)
{
        if (env_failed(env) || !disk_has(env->disk, (SPARES_MOST + 1) * env->log_file)) {
                spares_drop(env->path);
                return;
        }
        pthread_mutex_lock(&env->flushing);
        struct log_place flushed = env->mark.flushed;
        pthread_mutex_unlock(&env->flushing);
        unsigned used = env->looked.file != 0 ? flushed.file - env->looked.file : 0;
        env->looked = flushed;
        if (used >= env->spares && (used > 0 || flushed.offset > env->log_file / 2))
                env->spares = used < SPARES_MOST ? used + 1 : SPARES_MOST;
        (void)spares_make(env->path, env->spares, (size_t)env->log_file);
}

static enum status env_lock(struct env *env)
{
        if (mkdir(env->path, 0700) != 0 && errno != EEXIST) {
                log_error("%s: %s", env->path, strerror(errno));
                return BROKEN;
        }
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        env->folder = open(env->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        env->lock = env->folder < 0
                            ? -1
                            : openat(env->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (env->lock < 0) {
                log_error("%s: %s", env->path, strerror(errno));
                return errno == ENOSPC || errno == EDQUOT ? FULL : BROKEN;
        }
        /* Bound to this open file, so that a second store in one process is refused as well. */
        if (fcntl(env->lock, F_OFD_SETLK, &whole) == 0)
                return OK;
        if (errno == EAGAIN || errno == EACCES)
                return BUSY;
        log_error("%s/lock: %s", env->path, strerror(errno));
        return BROKEN;
}

/* Recovery must have come at least as far as what was flushed. */
static enum status env_reach(struct env *env)
{
        struct log_place flushed;
        uint32_t megabytes;
        enum status st = log_state(env, &flushed, &megabytes);
        if (st != OK || !place_before(flushed, env->mark.flushed))
                return st;
        log_error("%s: recovery ended at log file %u, offset %u, before what was flushed (%u, %u): "
                  "restore the folder "
                  "from a backup",
                env->path, flushed.file, flushed.offset, env->mark.flushed.file,
                env->mark.flushed.offset);
        return DAMAGED;
}

/* Every table has its first pages on disk before the list says that it is there. */
static enum status env_make(struct env *env)
{
        enum status st = env_checkpoint(env, true);
        if (st == OK)
                st = env_flush(env);
        return st == OK ? layout_done(env->path) : st;
}

/* After a crash blank pages are well until recovery has been there; then none is. */
static enum status env_verify(struct env *env)
{
        enum status st = env_checkpoint(env, true);
        return st == OK ? layout_check_pages(env->path, true) : st;
}

static enum status env_start(struct env *env, const struct store_options *options)
{
        enum status st = env_lock(env);
        if (st != OK)
                return st;
        struct layout layout;
        disk_before_recovery(env->disk);
        st = layout_check(env->path, options->read_only_check, &layout);
        env->watermark = layout.watermark;
        env->mark = layout.mark;
        if (env->mark.oldest == 0)
                env->mark.oldest = layout.newborn ? 1 : layout.log.first;
        if (st == OK)
                st = env_recover(env, options);
        if (st == OK)
                st = env_reach(env);
        if (st == OK)
                st = tables_open(env);
        if (st == OK)
                st = layout.newborn || !layout.listed ? env_make(env) : env_flush(env);
        if (st == OK && options->read_only_check && !layout.mark.clean)
                st = env_verify(env);
        env->serves = st == OK;
        if (env->serves)
                atomic_fetch_add(&envs_serving, 1);
        return st;
}

/* What changed since the last checkpoint must fit into the room that is kept free, and leave enough
 * pages of the cache to read with when none can be written. */
static unsigned checkpoint_megabytes(uint64_t reserve, uint64_t cache)
{
        uint64_t room = (reserve < cache ? reserve : cache) / 4 / MEGABYTE;
        return room < 1 ? 1 : room > CHECKPOINT_MEGABYTES ? CHECKPOINT_MEGABYTES : (unsigned)room;
}

enum status env_open(const struct store_options *options, struct env **out)
{
        struct env *env = mem_new(sizeof(*env));
        uint64_t reserve = options->reserve != 0 ? options->reserve : RESERVE_DEFAULT;
        uint64_t ballast = options->ballast != 0 ? options->ballast : BALLAST_DEFAULT;
        env->path = mem_text(options->path);
        env->folder = env->lock = -1;
        env->checkpointed = clock_ms();
        env->checkpoint_ms = 1000 * (options->checkpoint_seconds != 0 ? options->checkpoint_seconds
                                                                      : CHECKPOINT_SECONDS);
        env->log_file = options->log_file != 0 ? options->log_file : LOG_FILE_DEFAULT;
        env->checkpoint_megabytes = checkpoint_megabytes(
                reserve, pages_cache(options->cache));
        env->disk = disk_new(options->path, reserve, ballast);
        env->known = known_new();
        pthread_mutex_init(&env->flushing, NULL);
        enum status st = env_start(env, options);
        if (st != OK) {
                atomic_store(&env->failed, true); /* it is not marked as closed cleanly */
                env_close(env);
                env = NULL;
        } else {
                disk_load_ballast(env->disk);
        }
        *out = env;
        return st;
}

/* Berkeley DB wrote on while it closed: the mark says where the log ends now. */
static void mark_clean(struct env *env)
{
        struct log_report report;
        if (log_verify(env->path, &env->mark, &report) != OK || report.torn)
                return;
        env->mark.flushed = report.end;
        env->mark.clean = true;
        (void)!watermark_set(env->watermark, &env->mark, true);
}

/* Everything on disk, so that closing has nothing left to write but the log's last records. */
static bool env_settle(struct env *env)
{
        if (env->handle == NULL || env_failed(env))
                return false;
        enum status st = env_checkpoint(env, true);
        if (st == FULL && disk_drop_ballast(env->disk))
                st = env_checkpoint(env, true);
        if (st == OK)
                return true;
        log_error("%s: the last checkpoint failed; the next start recovers", env->path);
        return false;
}

/* Berkeley DB closes a private environment by writing all changed pages, even when their log
 * records could not be flushed (seen on a full disk: it cannot be recovered then). So a failed
 * environment is never closed: what it holds is left to the end of the process. */
static bool handle_close(struct env *env)
{
        if (!env_settle(env))
                return false;
        int code = 0;
        for (int table = 0; table < TABLE_COUNT; table++)
                if (env->tables[table] != NULL)
                        code |= env->tables[table]->close(env->tables[table], 0);
        return (env->handle->close(env->handle, 0) | code) == 0;
}

void env_close(struct env *env)
{
        if (env->serves)
                atomic_fetch_sub(&envs_serving, 1);
        if (handle_close(env))
                mark_clean(env);
        watermark_close(env->watermark);
        disk_free(env->disk);
        known_free(env->known);
        if (env->lock >= 0)
                close(env->lock);
        if (env->folder >= 0)
                close(env->folder);
        pthread_mutex_destroy(&env->flushing);
        free(env->path);
        free(env);
}
