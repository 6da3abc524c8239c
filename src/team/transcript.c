#include "team/transcript.h"
#include "base/text.h"
#include "mail/header.h"
#include "store/marks.h"
#include "team/notice.h"

static bool says(const struct outcome *o)
{
        return !o->done && o->why.len;
}

static bool has_failed(const struct transcript *t)
{
        bool failed = t->more;
        for (size_t i = 0; i < t->count; i++)
                failed = failed || says(&t->outcomes[i]);
        return failed;
}

static void add_line(const struct outcome *o, struct buf *out)
{
        struct str indent = STR("    ");
        text_wrap(o->directive->line, 72, STR("  "), indent, out);
        if (says(o))
                text_wrap(o->why, 72, indent, indent, out);
}

static void add_group(const struct transcript *t, bool done, struct buf *out)
{
        bool any = false;
        for (size_t i = 0; i < t->count; i++) {
                const struct outcome *o = &t->outcomes[i];
                if (done ? !o->done : !says(o))
                        continue;
                if (!any)
                        buf_add_text(out, done ? "\nDone:\n\n" : "\nNot done:\n\n");
                any = true;
                add_line(o, out);
        }
}

static bool has_done(const struct transcript *t)
{
        bool done = false;
        for (size_t i = 0; i < t->count; i++)
                done = done || t->outcomes[i].done;
        return done;
}

static void transcript_text(const struct transcript *t, struct str domain, struct buf *out)
{
        struct buf first = {0};
        if (!has_failed(t))
                return;
        buf_add_text(&first, "Your message ");
        if (t->task)
                buf_addf(&first, "about T-%u ", t->task);
        buf_add_text(&first, has_done(t) ? "is filed. Not all that it asks for could be done."
                                         : "is filed. What it asks for could not be done.");
        text_wrap(buf_str(&first), 72, STR_NONE, STR_NONE, out);
        buf_release(&first);
        add_group(t, false, out);
        add_group(t, true, out);
        if (t->more)
                buf_addf(out, "\nOnly the first %d directives of a message are read.\n",
                        DIRECTIVES_MAX);
        /* the whole of it again would be posted twice, and what opened a task would open another */
        buf_add_text(out, t->task ? "\nTo put it right, answer this mail with just the lines that were meant.\n"
                                    "Your text is in your Drafts folder as well.\n"
                                  : "\nYour text is in your Drafts folder: correct it there and send it\n"
                                    "again.\n");
        buf_addf(out, "All that can be written: an empty mail to\n  help@%.*s\nis answered with the list.\n",
                STR_ARG(domain));
}

/* The author's words, once: the same mail sent again is there already. */
static enum status keep_draft(struct site *site, const struct transcript *t, struct arena *arena)
{
        struct derived derived;
        struct filing_entry entry = {.person = t->person->id, .flags = FLAG_DRAFT | FLAG_SEEN};
        struct filing filing = {.bytes = t->mail->bytes,
                .derived = &derived,
                .entries = &entry,
                .entry_count = 1,
                .once = true};
        derive(arena, t->mail->bytes, &derived);
        derived.message_id = t->mail->message_id;
        enum status st = mailbox_find_use(site->store, t->person->id, USE_DRAFTS, &entry.mailbox);
        return st == OK ? message_file(site->store, &filing) : st;
}

CHECKED enum status transcript_send(struct site *site, const struct transcript *t)
{
        struct arena *arena = arena_new();
        struct buf text = {0};
        struct str domain = site_config(site)->domain;
        enum status st = OK;
        transcript_text(t, domain, &text);
        if (text.len) {
                struct str header = str_sub(t->mail->bytes, 0, header_length(t->mail->bytes));
                struct str subject = header_text(arena, header, "Subject");
                struct notice n = {.subject = arena_printf(arena, "%s: %.*s",
                                           has_done(t) ? "Not all was done" : "Not done",
                                           STR_ARG(subject)),
                        .text = buf_str(&text),
                        .in_reply_to = t->mail->message_id,
                        .from = STR("help")};
                if (t->task)
                        n.reply_to = arena_printf(arena, "T-%u@%.*s", t->task, STR_ARG(domain));
                st = notice_person(site, t->person->id, &n);
                if (st == OK)
                        st = keep_draft(site, t, arena);
        }
        buf_release(&text);
        arena_free(arena);
        return st;
}
