#include "relay/relay.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/settle.h"
#include "team/list_send.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
        SENDERS_MOST = 64,
        DUE_BATCH = 2 * SENDERS_MOST, /* more than can be taken */
        STACK_OCTETS = 4 << 20,       /* reports parse mail */
        LINGER_SECONDS = 2,           /* a connection without mail */
        NAP_SECONDS = 30,
        PAUSE_SECONDS = 5,    /* after the next hop could not be reached */
        MAILS_MOST = 100,     /* on one connection */
        RECIPIENTS_MOST = 50, /* at once; every server takes 100 (RFC 5321 4.5.3.1.8) */
        GRACE_SECONDS = 5,
        PASSWORD_MOST = 1024,
};

struct sender {
        struct relay *relay;
        pthread_t thread;
        uint64_t taken; /* under the lock: what it sends; 0: nothing */
        struct client *client;
        const struct config *config; /* as the connection was made; old ones stay in memory */
        unsigned mails;
};
struct relay {
        struct site *site;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool stop;
        int stop_now;         /* an eventfd: readable ends every wait of a sender */
        uint64_t quiet_until; /* under the lock; clock_ms: the next hop cannot be reached */
        unsigned running;     /* under the lock */
        struct sender senders[SENDERS_MOST];
        unsigned count;
};

/* ---- connections ---- */

static struct str read_password(const struct config *c, struct arena *arena)
{
        char text[PASSWORD_MOST];
        struct str password = STR_NONE, line;
        int fd = open(c->relay_password_file.at, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
        if (n < 0)
                log_error("relay: %s: %s", c->relay_password_file.at, strerror(errno));
        if (fd >= 0)
                close(fd);
        struct str rest = str_make(text, n > 0 ? (size_t)n : 0);
        if (str_line(&rest, &line))
                password = arena_copy(arena, line);
        return password;
}

static enum status connect_to(struct sender *s, struct arena *arena, struct buf *why)
{
        static const enum client_tls tls[] = {[RELAY_TLS_MAY] = CLIENT_TLS_MAY,
                [RELAY_TLS_MUST] = CLIENT_TLS_MUST,
                [RELAY_TLS_NEVER] = CLIENT_TLS_NEVER};
        const struct config *c = site_config(s->relay->site);
        struct client_options o = {.host = c->relay_host,
                .port = c->relay_port,
                .stop = s->relay->stop_now,
                .helo = c->host,
                .tls = tls[c->relay_tls],
                .roots = c->relay_roots.len ? c->relay_roots.at : NULL,
                .user = c->relay_user,
                .seconds = c->reply_wait};
        if (o.user.len)
                o.password = read_password(c, arena);
        s->mails = 0;
        s->config = c;
        return client_open(&o, &s->client, why);
}

static void hang_up(struct sender *s)
{
        client_close(s->client);
        s->client = NULL;
}

/* ---- one mail ---- */

static void put_off(struct client_mail *mail, const struct buf *why)
{
        for (size_t i = 0; i < mail->to_count; i++) {
                mail->to[i].verdict = LATER;
                buf_set(&mail->to[i].reply, buf_str(why));
        }
}

/* Also keeps senders from turning in circles where the store cannot be read or written. */
static void pause_all(struct relay *relay, unsigned seconds)
{
        pthread_mutex_lock(&relay->lock);
        relay->quiet_until = clock_ms() + seconds * 1000ull;
        pthread_mutex_unlock(&relay->lock);
}

static void next_hop_is_away(struct relay *relay, const struct buf *why)
{
        const struct config *c = site_config(relay->site);
        log_warn("relay: %.*s, port %u: %.*s", STR_ARG(c->relay_host), c->relay_port,
                STR_ARG(buf_str(why)));
        pause_all(relay, c->retry_first < PAUSE_SECONDS ? c->retry_first : PAUSE_SECONDS);
}

/* On the connection that is open; a stale one costs a second attempt, not the mail's turn. */
static void send_mail(struct sender *s, struct client_mail *mail, struct arena *arena)
{
        struct buf why = {0};
        bool sent = false;
        if (s->client && (!client_usable(s->client) || s->mails >= MAILS_MOST ||
                                 s->config != site_config(s->relay->site)))
                hang_up(s);
        for (bool fresh = false; !sent && !fresh;) {
                fresh = !s->client;
                buf_clear(&why);
                if (fresh && connect_to(s, arena, &why) != OK) {
                        put_off(mail, &why);
                        next_hop_is_away(s->relay, &why);
                        break;
                }
                s->mails++;
                sent = client_send(s->client, mail);
                if (!client_usable(s->client))
                        hang_up(s);
        }
        buf_release(&why);
}

/* Those that have not been asked yet come first, so that nobody waits behind others' trouble. All
 * have one reverse path: a mail has no more (RFC 5321 3.3). */
static size_t who_waits(const struct queue_row *row, struct client_recipient *to, size_t *places)
{
        size_t count = 0;
        struct str sender = STR_NONE;
        for (unsigned asked = 0; asked < 2; asked++) {
                for (size_t i = 0; i < row->recipient_count && count < RECIPIENTS_MOST; i++) {
                        const struct queue_recipient *r = &row->recipients[i];
                        if (r->state != QUEUE_WAITING || (r->reply.len > 0) != asked)
                                continue;
                        if (count && !str_eq(sender, queue_sender(row, r)))
                                continue;
                        sender = queue_sender(row, r);
                        to[count].address = r->address;
                        to[count].notify = r->notify;
                        to[count].original = r->original;
                        places[count++] = i;
                }
        }
        return count;
}

static enum status read_size(
        struct site *site, const struct queue_row *row, struct arena *arena, uint64_t *size)
{
        struct stored stored;
        enum status st = messages_read(site->store, &row->message, 1, READ_SIZES, arena, &stored);
        if (st == OK && !stored.id)
                st = DAMAGED;
        *size = st == OK ? stored.size + row->fields.len : 0;
        return st;
}

static enum status send_row(struct sender *s, struct queue_row *row, struct arena *arena)
{
        struct site *site = s->relay->site;
        struct client_recipient *to = arena_alloc(arena, RECIPIENTS_MOST * sizeof *to);
        size_t *places = arena_alloc(arena, RECIPIENTS_MOST * sizeof *places);
        size_t count = who_waits(row, to, places);
        struct client_mail mail = {
                .sender = count ? queue_sender(row, &row->recipients[places[0]]) : STR_NONE,
                .envelope_id = row->envelope_id,
                .returned = row->returned,
                .to = to,
                .to_count = count,
                .fields = row->fields,
                .store = site->store,
                .message = row->message,
                .eight_bit = row->eight_bit};
        struct attempt attempt = {.row = row,
                .to = to,
                .places = places,
                .to_count = mail.to_count,
                .next_hop = arena_copy(arena, site_config(site)->relay_host)};
        struct buf why = {0};
        enum status st = read_size(site, row, arena, &mail.size);
        if (st == OK) {
                send_mail(s, &mail, arena);
        } else {
                buf_addf(&why, "its octets cannot be read: %s", status_name(st));
                put_off(&mail, &why);
        }
        attempt.passed_on = mail.passed_on;
        st = settle(site, &attempt, &s->relay->stop);
        for (size_t i = 0; i < mail.to_count; i++)
                buf_release(&to[i].reply);
        buf_release(&why);
        return st;
}

static void serve(struct sender *s, uint64_t id)
{
        struct arena *arena = arena_new();
        struct queue_row row;
        enum status st = queue_get(s->relay->site->store, id, arena, &row);
        if (st == OK && !row.hold)
                st = row.list ? list_expand(s->relay->site, &row, arena)
                              : send_row(s, &row, arena);
        if (st != OK && st != ABSENT) {
                log_error("relay: %llu: %s", (unsigned long long)id, status_name(st));
                pause_all(s->relay, PAUSE_SECONDS);
        }
        arena_free(arena);
}

/* ---- who takes what ---- */

static bool is_taken(const struct relay *relay, uint64_t id)
{
        for (unsigned i = 0; i < relay->count; i++)
                if (relay->senders[i].taken == id)
                        return true;
        return false;
}

/* Under the lock. 0: nothing is due, or the next hop is not there. */
static uint64_t find_due(struct relay *relay)
{
        uint64_t ids[DUE_BATCH];
        size_t count = DUE_BATCH;
        if (!site_config(relay->site)->relay_host.len || clock_ms() < relay->quiet_until)
                return 0;
        if (queue_due(relay->site->store, clock_now(), ids, &count) != OK)
                return 0;
        for (size_t i = 0; i < count; i++)
                if (!is_taken(relay, ids[i]))
                        return ids[i];
        return 0;
}

/* Under the lock: seconds until it is worth looking again. What is due and not taken now waits for
 * the next hop, or is another sender's. */
static time_t next_look(struct relay *relay)
{
        time_t at, now = clock_now();
        if (queue_next(relay->site->store, &at) != OK || at > now + NAP_SECONDS)
                return NAP_SECONDS;
        return at > now ? at - now : 1;
}

static bool wait_for_work(struct relay *relay, time_t seconds)
{
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += seconds;
        return pthread_cond_timedwait(&relay->wake, &relay->lock, &until) == 0;
}

/* 0: it is time to end. */
static uint64_t take(struct sender *s)
{
        struct relay *relay = s->relay;
        uint64_t id = 0;
        pthread_mutex_lock(&relay->lock);
        s->taken = 0;
        while (!relay->stop && (id = find_due(relay)) == 0) {
                time_t wait = next_look(relay);
                if (wait_for_work(
                            relay, s->client && wait > LINGER_SECONDS ? LINGER_SECONDS : wait))
                        continue;
                if (s->client && !relay->stop && !find_due(relay)) {
                        pthread_mutex_unlock(&relay->lock);
                        hang_up(s);
                        pthread_mutex_lock(&relay->lock);
                }
        }
        s->taken = relay->stop ? 0 : id;
        id = s->taken;
        pthread_mutex_unlock(&relay->lock);
        return id;
}

static void *sender_run(void *arg)
{
        struct sender *s = arg;
        struct relay *relay = s->relay;
        uint64_t id;
        while (!store_failed(relay->site->store) && (id = take(s)) != 0)
                serve(s, id);
        hang_up(s);
        pthread_mutex_lock(&relay->lock);
        relay->running--;
        pthread_cond_broadcast(&relay->wake);
        pthread_mutex_unlock(&relay->lock);
        return NULL;
}

/* ---- beginning and end ---- */

static void relay_wake(void *arg)
{
        struct relay *relay = arg;
        pthread_mutex_lock(&relay->lock);
        pthread_cond_broadcast(&relay->wake);
        pthread_mutex_unlock(&relay->lock);
}

static void start_senders(struct relay *relay, unsigned count)
{
        pthread_attr_t how;
        pthread_attr_init(&how);
        pthread_attr_setstacksize(&how, STACK_OCTETS);
        pthread_mutex_lock(&relay->lock);
        while (relay->count < count) {
                struct sender *s = &relay->senders[relay->count];
                s->relay = relay;
                if (pthread_create(&s->thread, &how, sender_run, s) != 0)
                        break;
                relay->count++;
                relay->running++;
        }
        pthread_mutex_unlock(&relay->lock);
        pthread_attr_destroy(&how);
}

enum status relay_start(struct site *site, struct relay **out)
{
        struct relay *relay = mem_new(sizeof *relay);
        pthread_condattr_t clock;
        relay->site = site;
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&relay->wake, &clock);
        pthread_condattr_destroy(&clock);
        pthread_mutex_init(&relay->lock, NULL);
        relay->stop_now = eventfd(0, EFD_CLOEXEC);
        if (relay->stop_now >= 0)
                start_senders(relay, site_config(site)->relay_senders);
        *out = relay;
        if (!relay->count) {
                log_error("relay: no thread: %s", strerror(errno));
                relay_stop(relay);
                *out = NULL;
                return BROKEN;
        }
        site->relay = relay;
        __atomic_store_n(&site->queued, relay_wake, __ATOMIC_RELEASE);
        return OK;
}

/* A mail whose last reply is awaited would be sent twice if it were cut off. */
static void wait_for_end(struct relay *relay)
{
        uint64_t until = clock_ms() + GRACE_SECONDS * 1000ull;
        pthread_mutex_lock(&relay->lock);
        __atomic_store_n(&relay->stop, true, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&relay->wake);
        while (relay->running && clock_ms() < until)
                (void)wait_for_work(relay, 1);
        pthread_mutex_unlock(&relay->lock);
}

void relay_stop(struct relay *relay)
{
        uint64_t one = 1;
        if (!relay)
                return;
        __atomic_store_n(&relay->site->queued, NULL, __ATOMIC_RELEASE);
        wait_for_end(relay);
        if (relay->stop_now >= 0 && write(relay->stop_now, &one, sizeof one) != sizeof one)
                log_error("relay: cannot be told to stop: %s", strerror(errno));
        for (unsigned i = 0; i < relay->count; i++)
                pthread_join(relay->senders[i].thread, NULL);
        if (relay->stop_now >= 0)
                close(relay->stop_now);
        pthread_mutex_destroy(&relay->lock);
        pthread_cond_destroy(&relay->wake);
        free(relay);
}
