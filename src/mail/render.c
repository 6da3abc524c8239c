#include "mail/render.h"
#include "base/text.h"
#include <cmark.h>

enum { MARKDOWN_MAX = 64 * 1024 };

/* A reader's program would fetch it, and the sender would know. Its description stays. */
static void drop_image(cmark_node *image)
{
        cmark_node *child;
        while ((child = cmark_node_first_child(image)))
                if (!cmark_node_insert_before(image, child))
                        break;
        cmark_node_unlink(image);
        cmark_node_free(image);
}

/* "[ ] buy milk" at the start of an item: U+2610, done U+2611 (GitHub's task lists). */
static void mark_task(cmark_node *item)
{
        cmark_node *paragraph = cmark_node_first_child(item);
        cmark_node *text = paragraph ? cmark_node_first_child(paragraph) : NULL;
        if (!text || cmark_node_get_type(text) != CMARK_NODE_TEXT)
                return;
        struct str s = str_of(cmark_node_get_literal(text));
        bool open = str_starts(s, STR("[ ] ")), done = str_starts_same(s, STR("[x] "));
        if (!open && !done)
                return;
        struct buf b = {0};
        buf_add_text(&b, done ? "\xe2\x98\x91 " : "\xe2\x98\x90 ");
        buf_add(&b, str_from(s, 4));
        cmark_node_set_literal(text, buf_text(&b));
        buf_release(&b);
}

/* Nodes may be changed at their exit: the iterator has gone past them. */
static void change_tree(cmark_node *root)
{
        cmark_iter *iter = cmark_iter_new(root);
        cmark_event_type event;
        while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
                cmark_node *node = cmark_iter_get_node(iter);
                if (event != CMARK_EVENT_EXIT)
                        continue;
                if (cmark_node_get_type(node) == CMARK_NODE_IMAGE)
                        drop_image(node);
                else if (cmark_node_get_type(node) == CMARK_NODE_ITEM)
                        mark_task(node);
        }
        cmark_iter_free(iter);
}

void render_markdown(struct str text, struct buf *html)
{
        if (text.len > MARKDOWN_MAX) {
                buf_add_text(html, "<pre>");
                html_escape(text, html);
                buf_add_text(html, "</pre>\n");
                return;
        }
        cmark_node *root =
                cmark_parse_document(text.len ? text.at : "", text.len, CMARK_OPT_VALIDATE_UTF8);
        cmark_consolidate_text_nodes(root);
        change_tree(root);
        char *rendered = cmark_render_html(root, CMARK_OPT_DEFAULT);
        buf_add_text(html, rendered);
        free(rendered);
        cmark_node_free(root);
}
