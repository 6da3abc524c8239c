#include "nntp/range.h"
#include "nntp/session.h"

enum { ROOM = 65536 };

/* ---- what is asked for ---- */

/* What can be said against it, whatever the numbers. False: refused, and said. */
static bool group_and_form(struct session *s, const struct named *named, enum status read)
{
        if (!s->view)
                wire_say(s->wire, "412 No newsgroup is selected");
        else if (read != OK)
                nntp_no(s, read);
        else if (named->kind == NAMED_CURRENT && !s->current)
                wire_say(s->wire, "420 No article is selected");
        else
                return true;
        return false;
}

static bool select_range(struct session *s, bool legacy, struct selection *out)
{
        group_reach(s, out->high);
        if (s->view && numset_count_range(s->view->numbers, out->low, out->high))
                return true;
        out->low = 1;
        out->high = 0;
        if (s->view && legacy)
                return true;
        wire_say(s->wire, "423 There are no such articles in this newsgroup");
        return false;
}

bool over_select(struct session *s, struct str which, bool legacy, struct selection *out)
{
        struct named named;
        enum status st = range_named(which, false, &named);
        *out = (struct selection){.low = named.low, .high = named.high};
        if (named.kind == NAMED_CURRENT)
                out->low = out->high = s->current;
        if (named.kind != NAMED_ID)
                return group_and_form(s, &named, st) && select_range(s, legacy, out);
        out->by_id = true;
        if (!article_by_id(s, which, &out->place))
                return false;
        out->low = out->high = out->place.number;
        return true;
}

enum status over_view(struct session *s, const struct selection *what, const struct view **out)
{
        return view_open(s->site->store, what->by_id ? what->place.mailbox : s->view->mailbox, out);
}

/* ---- OVER ---- */

/* The line of an article found by Message-ID begins with 0 (RFC 3977 8.3.2). */
static void put_line_by_id(struct session *s, struct str line)
{
        size_t tab = str_chr(line, '\t');
        wire_put(s->wire, STR("0"));
        wire_put(s->wire, tab == STR_NOWHERE ? STR("\r\n") : str_from(line, tab));
}

static enum status over_by_id(struct session *s, const struct selection *what)
{
        const struct view *view;
        struct overview_range range = {what->low, what->high, ROOM};
        struct buf line = {0};
        uint32_t next;
        enum status st = over_view(s, what, &view);
        if (st != OK)
                return st == ABSENT ? BUSY : st;
        st = overview_read(s->site->store, view, &range, &line, &next);
        if (st == OK && !line.len) {
                wire_say(s->wire, "430 There is no such article here");
        } else if (st == OK) {
                wire_say(s->wire, "224 Overview follows");
                put_line_by_id(s, buf_str(&line));
                wire_dot_end(s->wire);
        }
        buf_release(&line);
        view_close(s->site->store, view);
        return st == ABSENT ? BUSY : st;
}

/* Ready records are copied into the reply as they are. */
static enum status over_range(struct session *s, const struct selection *what)
{
        struct overview_range range = {what->low, what->high, ROOM};
        uint32_t next = what->low;
        enum status st = OK;
        wire_say(s->wire, "224 Overview follows");
        while (next && range.low <= range.high && st == OK && !wire_gone(s->wire)) {
                st = overview_read(s->site->store, s->view, &range, wire_out(s->wire), &next);
                range.low = next;
                wire_room(s->wire);
        }
        if (st == OK)
                wire_dot_end(s->wire);
        else
                wire_close(s->wire);
        return OK;
}

static enum status over(struct session *s, const struct args *a, bool legacy)
{
        struct selection what;
        if (!over_select(s, a->count ? a->v[0] : STR(""), legacy, &what))
                return OK;
        return what.by_id ? over_by_id(s, &what) : over_range(s, &what);
}

enum status nntp_over(struct session *s, const struct args *a)
{
        return over(s, a, false);
}

enum status nntp_xover(struct session *s, const struct args *a)
{
        return over(s, a, true);
}
