#include "imap/inside.h"

/* RFC 2177. A session in IDLE sleeps; the store wakes it when its mailbox changed, the crew when it
 * has said nothing for so long that a NAT might forget the connection. */
enum { STILL_HERE_SECONDS = 120 };

static void wake(void *wire)
{
        wire_wake(wire);
}

enum status imap_idle(struct session *s, const struct args *a)
{
        (void)a;
        struct selected *m = s->selected;
        if (m && !m->watch)
                m->watch = watch_begin(
                        s->site->store, m->mailbox, s->person, wake, wire_hold(s->wire));
        s->idle_tag = str_text(s->tag);
        imap_line(s, "+ Waiting for news; say DONE");
        s->still_here = clock_ms();
        wire_wake_after(s->wire, STILL_HERE_SECONDS);
        return OK; /* what came before the watch began is told behind this */
}

static void end_watch(struct session *s)
{
        struct selected *m = s->selected;
        if (!m || !m->watch)
                return;
        watch_end(s->site->store, m->watch);
        m->watch = NULL;
        wire_drop(s->wire);
}

void imap_idle_line(struct session *s, struct str line)
{
        bool done = str_same(str_trim(line), STR("DONE"));
        wire_wake_after(s->wire, 0);
        end_watch(s);
        if (s->selected)
                imap_update(s, true);
        if (wire_gone(s->wire))
                return;
        imap_line(s, "%s %s", s->idle_tag,
                done ? "OK IDLE done" : "BAD [CLIENTBUG] IDLE ends with DONE");
        s->bad += !done;
        free(s->idle_tag);
        s->idle_tag = NULL;
}

void imap_idle_wake(struct session *s)
{
        if (s->selected)
                imap_update(s, true);
        if (wire_gone(s->wire))
                return;
        if (clock_ms() - s->still_here >= (STILL_HERE_SECONDS - 1) * 1000ULL) {
                imap_line(s, "* OK Still here");
                s->still_here = clock_ms();
        }
        wire_wake_after(s->wire, STILL_HERE_SECONDS);
}
