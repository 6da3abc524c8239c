/* page_html.c - the digest as HTML. Styles stand inline, because mail programs drop style sheets;
 * the one sheet in the head only says what dark mode changes, where it is understood. */
#include "base/text.h"
#include "mail/render.h"
#include "team/page.h"

#define FONT "Arial,Helvetica,sans-serif"
#define LINK "<a style=\"color:#0b57d0\" href=\"mailto:"

static void add_head(const struct page *p, struct buf *out, struct arena *arena)
{
        buf_add_text(out,
                "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width\">"
                "<meta name=\"color-scheme\" content=\"light dark\"><title>");
        html_escape(page_subject(p, arena), out);
        buf_add_text(out,
                "</title>\n<style>@media (prefers-color-scheme:dark){"
                "body{background:#16181b!important;color:#e8eaed!important}"
                ".dim{color:#9aa0a6!important}.head{color:#bdc1c6!important}.now{color:#f28b82!important}"
                ".item{border-color:#3c4043!important}a{color:#8ab4f8!important}}"
                "</style></head>\n"
                "<body style=\"margin:0;padding:12px;background:#ffffff;color:#202124\">"
                "<div style=\"display:none\">");
        html_escape(page_headline(p, arena), out);
        buf_add_text(out,
                "</div>\n<table role=\"presentation\" width=\"100%\" align=\"center\" cellpadding=\"0\" "
                "cellspacing=\"0\" border=\"0\" style=\"max-width:600px\">"
                "<tr><td style=\"font:bold 20px " FONT ";padding:10px 0 2px 0\">");
        html_escape(page_greeting(p, arena), out);
        buf_addf(out, "</td></tr>\n<tr><td class=\"dim\" style=\"font:13px " FONT ";color:#5f6368\">"
                "%s %d %s, %02d:%02d in ", day_names[p->now.weekday], p->now.day,
                month_names[p->now.month - 1], p->now.hour, p->now.minute);
        html_escape(p->place, out);
        buf_add_text(out, "</td></tr>\n<tr><td style=\"font:15px/21px " FONT ";padding:6px 0 0 0\">");
        html_escape(page_headline(p, arena), out);
        buf_add_text(out, "</td></tr>\n");
}

static struct str title_of(const struct page_item *item)
{
        enum { TITLE_COLUMNS = 160 };
        return text_cut(item->title, TITLE_COLUMNS);
}

/* RFC 6068: what a mail program needs to put the answer into its thread. Without a body the person
 * writes it; with one, sending is all that is left to do. */
static void add_link(struct buf *out, const struct page_item *item, const char *word, const char *body)
{
        struct buf subject = {0};
        buf_add_text(&subject, "Re: ");
        buf_add(&subject, title_of(item));
        buf_add_text(out, LINK);
        html_escape(item->reply_to, out);
        buf_add_text(out, "?subject=");
        url_escape(buf_str(&subject), out);
        if (item->in_reply_to.len) {
                buf_add_text(out, "&amp;In-Reply-To=");
                url_escape(item->in_reply_to, out);
        }
        if (body) {
                buf_add_text(out, "&amp;body=");
                url_escape(str_of(body), out);
        }
        buf_addf(out, "\">%s</a>", word);
        buf_release(&subject);
}

static void add_links(struct buf *out, const struct page_item *item)
{
        static const char gap[] = " &nbsp;&nbsp; ";
        buf_add_text(out, "<div style=\"font:14px/24px " FONT "\">");
        if (item->task) {
                add_link(out, item, "Done", "done");
                buf_add_text(out, gap);
                add_link(out, item, "Tomorrow", "due tomorrow");
                buf_add_text(out, gap);
        }
        add_link(out, item, "Reply", NULL);
        if (item->section == SECTION_NEW) {
                buf_add_text(out, gap);
                add_link(out, item, "Mute", "mute");
        }
        buf_add_text(out, "</div>");
}

/* Markdown of one line, without the paragraph around it. */
static void add_line(struct buf *out, struct str line)
{
        struct buf html = {0};
        render_markdown(line, &html);
        struct str s = str_trim(buf_str(&html));
        bool paragraph = str_starts(s, STR("<p>")) && str_ends(s, STR("</p>")) &&
                str_find(str_from(s, 3), STR("<p>")) == STR_NOWHERE;
        if (paragraph)
                buf_add(out, str_sub(s, 3, s.len - 7));
        else
                html_escape(line, out);
        buf_release(&html);
}

static void add_item(struct buf *out, const struct page_item *item, size_t n)
{
        buf_addf(out,
                "<tr><td class=\"item\" style=\"padding:10px 0;border-top:1px solid #dadce0\">"
                "<div class=\"%s\" style=\"font:bold 12px " FONT ";color:%s\">[%zu] ",
                item->urgent ? "now" : "head", item->urgent ? "#b3261e" : "#3c4043", n);
        html_escape(item->tag, out);
        buf_add_text(out, "</div>\n<div style=\"font:bold 16px/21px " FONT ";padding:2px 0;overflow-wrap:anywhere\">");
        html_escape(title_of(item), out);
        buf_add_text(out, "</div>\n");
        if (item->topic.len) {
                buf_add_text(out, "<div class=\"dim\" style=\"font:13px " FONT ";color:#5f6368\">");
                html_escape(item->topic, out);
                buf_add_text(out, "</div>\n");
        }
        if (item->line.len) {
                buf_add_text(out, "<div style=\"font:15px/21px " FONT ";padding:4px 0;overflow-wrap:anywhere\">");
                html_escape(item->by, out);
                buf_add_text(out, ": &ldquo;");
                add_line(out, item->line);
                buf_add_text(out, "&rdquo;</div>\n");
        }
        if (item->changes.len) {
                buf_add_text(out, "<div style=\"font:15px/21px " FONT ";padding:4px 0\">");
                html_escape(item->changes, out);
                buf_add_text(out, "</div>\n");
        }
        add_links(out, item);
        buf_add_text(out, "</td></tr>\n");
}

static void add_foot(const struct page *p, struct buf *out, struct arena *arena)
{
        struct str rest = page_rest(p, arena);
        buf_add_text(out,
                "<tr><td class=\"dim item\" style=\"font:12px/18px " FONT
                ";color:#5f6368;padding:14px 0;border-top:1px solid #dadce0\">");
        if (p->item_count) {
                html_escape(page_how(p, arena), out);
                buf_add_text(out, "<br>");
        }
        if (rest.len) {
                html_escape(rest, out);
                buf_add_text(out, "<br>");
        }
        struct str less = page_less(p, arena);
        if (less.len) {
                html_escape(less, out);
                buf_add_text(out, "<br>");
        }
        if (p->next.year) {
                buf_add_text(out, "Next: ");
                html_escape(page_next(p, arena), out);
                buf_add_char(out, '.');
        }
        buf_add_text(out, "</td></tr></table></body></html>\n");
}

static void add_heading(struct buf *out, const char *text)
{
        buf_addf(out,
                "<tr><td class=\"head\" style=\"padding:22px 0 6px 0;font:bold 13px " FONT
                ";letter-spacing:1px;color:#3c4043\">%s</td></tr>\n", text);
}

/* Mail programs cut a page over 100 KB: what is beyond this stands in the text form only. */
void page_html(const struct page *p, struct buf *out)
{
        enum { SIZE_MOST = 72 * 1024 };
        struct arena *arena = arena_new();
        size_t start = out->len, i;
        add_head(p, out, arena);
        for (i = 0; i < p->item_count && out->len - start < SIZE_MOST; i++) {
                if (i == 0 || p->items[i].section != p->items[i - 1].section)
                        add_heading(out, page_headings[p->items[i].section]);
                add_item(out, &p->items[i], i + 1);
        }
        if (i < p->item_count)
                buf_addf(out, "<tr><td style=\"font:15px/21px " FONT ";padding:10px 0\">%zu more stand in the "
                        "plain text of this mail.</td></tr>\n", p->item_count - i);
        if (p->whole.len) {
                buf_add_text(out, "<tr><td style=\"font:15px/21px " FONT ";padding:4px 0 14px 0\">");
                render_markdown(p->whole, out);
                buf_add_text(out, "</td></tr>\n");
        }
        add_foot(p, out, arena);
        arena_free(arena);
}
