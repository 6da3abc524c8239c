#include "relay/deliver.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "relay/parts.h"
#include "relay/route.h"
#include "relay/settle.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
        RECIPIENTS_MOST = 50, /* at once; every server takes 100 (RFC 5321 4.5.3.1.8) */
        PASSWORD_MOST = 1024,
        REFUSALS_MOST = 3,      /* lots in a row that are refused before any recipient is */
        QUIET_SECONDS = 60,     /* for a domain that cannot be reached */
        STAND_BACK_SECONDS = 3, /* where enough senders are at it */
        CONNECT_SECONDS = 30,   /* to one of several servers (RFC 5321 4.5.3.2 leaves it open) */
};

/* An attempt: where it goes, and how far it has come. */
struct going {
        const struct courier *courier;
        const struct config *config;
        struct queue_row *row;
        struct arena *arena;
        struct str domain;  /* by MX; else empty */
        struct route route; /* by MX */
        size_t next_stop;   /* of the route: those before were tried */
        struct link *link;
        struct str next_hop; /* who answered last; empty: nobody yet */
        bool *asked;         /* recipients, in this attempt */
        size_t start;        /* with whom among those that were put off it begins */
        uint64_t size;       /* of the message, with its fields */
        bool away;           /* nobody can be reached, and `why` says it */
        bool never;          /* and nobody ever will */
        bool unreachable;    /* other mail would fare the same now */
        unsigned refusals;
        struct buf why;
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

static enum status connect_to(struct going *g, const struct route_stop *stop)
{
        static const enum client_tls tls[] = {[RELAY_TLS_MAY] = CLIENT_TLS_MAY,
                [RELAY_TLS_MUST] = CLIENT_TLS_MUST,
                [RELAY_TLS_NEVER] = CLIENT_TLS_NEVER};
        const struct config *c = g->config;
        struct client_options o = {.host = stop->host,
                .address = stop->address,
                .stranger = c->relay_mx,
                .port = c->relay_mx ? c->mx_port : c->relay_port,
                .connect_seconds = g->route.count > 1 ? CONNECT_SECONDS : 0,
                .stop = g->courier->stop_now,
                .helo = c->host,
                .tls = tls[c->relay_tls],
                .roots = c->relay_roots.len ? c->relay_roots.at : NULL,
                .user = c->relay_user,
                .seconds = c->reply_wait};
        struct client *client;
        if (o.user.len)
                o.password = read_password(c, g->arena);
        buf_clear(&g->why);
        enum status st = client_open(&o, &client, &g->why);
        if (st != OK)
                return st;
        g->link = mem_new(sizeof *g->link);
        g->link->client = client;
        g->link->config = c;
        buf_set(&g->link->host, stop->host);
        return OK;
}

static void take_idle(struct going *g, struct str host)
{
        g->link = pool_take(g->courier->pool, host, g->config);
        if (g->link)
                g->next_hop = arena_copy(g->arena, host);
}

/* Of the equals that are preferred most, whoever is connected already. */
static void take_any_idle(struct going *g)
{
        const struct route *r = &g->route;
        for (size_t i = 0; i < r->count && !g->link; i++)
                if (r->stops[i].preference == r->stops[0].preference)
                        take_idle(g, r->stops[i].host);
}

/* One after the other, each once in an attempt (RFC 5321 5.1). CLOSED: none is left, or it is time
 * to stop; FORBIDDEN: it is this server. */
static enum status connect_next(struct going *g)
{
        enum status st = CLOSED;
        while (st == CLOSED && g->next_stop < g->route.count &&
                !__atomic_load_n(g->courier->stop, __ATOMIC_RELAXED)) {
                const struct route_stop *stop = &g->route.stops[g->next_stop++];
                g->next_hop = stop->host;
                st = connect_to(g, stop);
                if (st != OK)
                        log_note("relay: %.*s: %s", STR_ARG(stop->host), buf_text(&g->why));
        }
        return st;
}

/* ---- one lot ---- */

/* Those that have not been asked ever come first, so that nobody waits behind others' trouble; the
 * others from another one on each time. All have one reverse path: a mail has no more (RFC 5321
 * 3.3). */
static size_t pick_lot(struct going *g, struct client_recipient *to, size_t *places)
{
        const struct queue_row *row = g->row;
        struct str sender = STR_NONE;
        size_t count = 0, all = row->recipient_count;
        for (size_t i = 0; i < 2 * all && count < RECIPIENTS_MOST; i++) {
                size_t place = i < all ? i : (g->start + i) % all;
                const struct queue_recipient *r = &row->recipients[place];
                if (r->state != QUEUE_WAITING || g->asked[place] ||
                        (r->reply.len > 0) != (i >= all))
                        continue;
                if (count && !str_eq(sender, queue_sender(row, r)))
                        continue;
                sender = queue_sender(row, r);
                to[count] = (struct client_recipient){
                        .address = r->address, .notify = r->notify, .original = r->original};
                places[count++] = place;
        }
        return count;
}

static void set_all(struct client_mail *mail, enum verdict verdict, const struct buf *why)
{
        for (size_t i = 0; i < mail->to_count; i++) {
                mail->to[i].verdict = verdict;
                buf_set(&mail->to[i].reply, buf_str(why));
        }
}

/* Nobody can be reached: what is said of it goes to all that this attempt is about. */
static void nobody(struct going *g, struct client_mail *mail, enum status st)
{
        g->away = true;
        g->never = st == FORBIDDEN;
        g->unreachable = !g->never;
        if (g->never) {
                buf_clear(&g->why);
                buf_addf(&g->why, "554 5.4.6 Mail would come back to this server: %.*s",
                        STR_ARG(g->domain));
        } else if (!g->why.len) {
                buf_add_text(&g->why, "this server is stopping");
        }
        set_all(mail, g->never ? NEVER : LATER, &g->why);
}

/* On a connection that is open, or on a new one; where it breaks before anything was answered, on
 * the next. */
static void send_lot(struct going *g, struct client_mail *mail)
{
        bool sent = false, broke = false;
        g->next_stop = 0;
        while (!sent) {
                enum status st = g->link ? OK : connect_next(g);
                if (st != OK && broke) { /* the replies say how */
                        g->away = true;
                        return;
                }
                if (st != OK) {
                        nobody(g, mail, st);
                        return;
                }
                g->link->mails++;
                sent = client_send(g->link->client, mail);
                broke = !sent;
                if (!client_usable(g->link->client)) {
                        link_close(g->link);
                        g->link = NULL;
                }
        }
}

/* It came forward, but these were too many at once: they go next (RFC 5321 4.5.3.1.10). */
static bool ask_again(struct going *g, const struct attempt *a)
{
        bool forward = false;
        for (size_t i = 0; i < a->to_count; i++)
                forward = forward || a->to[i].verdict != LATER;
        if (!forward || clock_now() - g->row->created >= (time_t)g->config->give_up)
                return forward;
        for (size_t i = 0; i < a->to_count; i++)
                if (a->to[i].verdict == LATER && str_starts(buf_str(&a->to[i].reply), STR("452")))
                        g->asked[a->places[i]] = false;
        return forward;
}

static bool is_more(const struct going *g)
{
        for (size_t i = 0; i < g->row->recipient_count; i++)
                if (g->row->recipients[i].state == QUEUE_WAITING && !g->asked[i])
                        return true;
        return false;
}

/* The others share what became of these: they would learn nothing else. */
static void add_rest(struct going *g, struct attempt *a, size_t *places)
{
        const struct client_recipient *like = &a->to[0];
        for (size_t i = 0; i < a->to_count; i++)
                if (a->to[i].verdict == LATER)
                        like = &a->to[i];
        for (size_t i = 0; i < g->row->recipient_count; i++) {
                if (g->row->recipients[i].state != QUEUE_WAITING || g->asked[i])
                        continue;
                struct client_recipient *to = &a->to[a->to_count];
                *to = (struct client_recipient){
                        .address = g->row->recipients[i].address, .verdict = like->verdict};
                buf_set(&to->reply, buf_str(&like->reply));
                places[a->to_count++] = i;
        }
}

/* Stores what became of them, and keeps it in mind for the next lot. */
static enum status settle_lot(struct going *g, const struct attempt *a)
{
        static const enum queue_state states[] = {
                [TAKEN] = QUEUE_DONE, [LATER] = QUEUE_WAITING, [NEVER] = QUEUE_FAILED};
        enum status st = settle(g->courier->site, a, g->courier->stop);
        for (size_t i = 0; i < a->to_count; i++) {
                g->row->recipients[a->places[i]].state = states[a->to[i].verdict];
                buf_release(&a->to[i].reply);
        }
        return st;
}

/* Sends to `count` recipients. *more: there is a next lot. */
static enum status one_lot(
        struct going *g, struct client_recipient *to, size_t *places, size_t count, bool *more)
{
        struct queue_row *row = g->row;
        struct client_mail mail = {.sender = queue_sender(row, &row->recipients[places[0]]),
                .envelope_id = row->envelope_id,
                .returned = row->returned,
                .to = to,
                .to_count = count,
                .fields = row->fields,
                .store = g->courier->site->store,
                .message = row->message,
                .size = g->size,
                .eight_bit = row->eight_bit};
        struct attempt attempt = {.row = row, .to = to, .places = places, .to_count = count};
        for (size_t i = 0; i < count; i++)
                g->asked[places[i]] = true;
        if (g->away)
                set_all(&mail, g->never ? NEVER : LATER, &g->why);
        else
                send_lot(g, &mail);
        g->refusals = !ask_again(g, &attempt) && mail.whole ? g->refusals + 1 : 0;
        bool over = g->away || g->refusals >= REFUSALS_MOST;
        if (over)
                add_rest(g, &attempt, places);
        *more = attempt.more = !over && is_more(g);
        attempt.passed_on = mail.passed_on;
        attempt.next_hop = g->next_hop;
        return settle_lot(g, &attempt);
}

static enum status all_lots(struct going *g)
{
        size_t room = g->row->recipient_count, count;
        struct client_recipient *to = arena_alloc(g->arena, room * sizeof *to + 1);
        size_t *places = arena_alloc(g->arena, room * sizeof *places + 1);
        enum status st = OK;
        bool more = true;
        while (st == OK && more && (count = pick_lot(g, to, places)) > 0) {
                st = one_lot(g, to, places, count, &more);
                if (__atomic_load_n(g->courier->stop, __ATOMIC_RELAXED))
                        break; /* the rest is due at once, next time */
        }
        return st == ABSENT ? OK : st; /* it was dropped meanwhile */
}

/* ---- one row ---- */

static enum status read_size(struct going *g)
{
        struct stored stored;
        enum status st = messages_read(
                g->courier->site->store, &g->row->message, 1, READ_SIZES, g->arena, &stored);
        if (st == OK && !stored.id)
                st = DAMAGED;
        g->size = st == OK ? stored.size + g->row->fields.len : 0;
        if (st != OK) {
                buf_addf(&g->why, "its octets cannot be read: %s", status_name(st));
                g->away = true;
        }
        return OK;
}

/* Where it goes. What keeps it from going anywhere is said of all recipients. */
static void find_way(struct going *g)
{
        const struct config *c = g->config;
        enum status st = OK;
        if (c->relay_mx) {
                st = route_find(c, g->courier->stop_now, g->domain, g->arena, &g->route, &g->why);
        } else {
                g->route.stops[0] = (struct route_stop){.host = c->relay_host};
                g->route.count = 1;
        }
        g->away = st != OK;
        g->never = st == FORBIDDEN;
        g->unreachable = g->away && !g->never;
        if (st == OK)
                take_any_idle(g);
}

static enum status go(struct going *g)
{
        uint32_t random;
        random_bytes(&random, sizeof random);
        g->start = random;
        g->asked = arena_alloc(g->arena, g->row->recipient_count * sizeof *g->asked + 1);
        if (!g->away)
                find_way(g);
        enum status st = g->away ? OK : read_size(g);
        if (st == OK)
                st = all_lots(g);
        if (g->link)
                pool_give(g->courier->pool, g->link);
        g->link = NULL;
        return st;
}

/* A little later, when others may have done with this domain. */
static enum status stand_back(struct going *g)
{
        struct change *change = change_new(g->courier->site->store);
        g->row->next = clock_now() + STAND_BACK_SECONDS;
        change_queue_update(change, g->row);
        enum status st = store_commit(change);
        change_free(change);
        return st == CHANGED || st == ABSENT ? OK : st;
}

static enum status go_by_domain(struct going *g)
{
        struct domains *domains = g->courier->domains;
        enum status st = domains_enter(domains, g->domain, &g->why);
        unsigned quiet = g->config->retry_first;
        if (st == BUSY)
                return stand_back(g);
        g->away = st == CLOSED;
        bool known = g->away;
        st = go(g);
        quiet = quiet < QUIET_SECONDS ? quiet : QUIET_SECONDS;
        if (!known)
                domains_leave(domains, g->domain, g->unreachable ? quiet : 0, &g->why);
        return st;
}

static struct str first_domain(const struct queue_row *row, struct arena *arena)
{
        for (size_t i = 0; i < row->recipient_count; i++)
                if (row->recipients[i].state == QUEUE_WAITING)
                        return arena_lower(arena, route_domain(row->recipients[i].address));
        return STR_NONE;
}

enum status deliver(const struct courier *courier, struct queue_row *row, struct arena *arena)
{
        struct going g = {.courier = courier,
                .config = site_config(courier->site),
                .row = row,
                .arena = arena};
        enum status st = EXISTS;
        if (!row->recipient_count) /* a list's, which names nobody yet */
                return UNSUPPORTED;
        if (g.config->relay_mx)
                st = parts_make(courier->site, row, arena);
        if (st == OK)
                site_queued(courier->site);
        if (st != EXISTS)
                return st == CHANGED || st == ABSENT ? OK : st;
        g.domain = g.config->relay_mx ? first_domain(row, arena) : STR_NONE;
        st = g.config->relay_mx ? go_by_domain(&g) : go(&g);
        if (st == OK && g.unreachable && !g.config->relay_mx) {
                log_warn("relay: %.*s, port %u: %.*s", STR_ARG(g.config->relay_host),
                        g.config->relay_port, STR_ARG(buf_str(&g.why)));
                st = CLOSED;
        }
        buf_release(&g.why);
        return st;
}
