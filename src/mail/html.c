#include "mail/html.h"
#include "base/text.h"
#include <libxml/HTMLparser.h>
#include <pthread.h>

enum { QUOTE_MAX = 10, CHUNK = 16 * 1024 };

/* What an element does to the lines. */
enum effect { NONE, BREAK, PARAGRAPH, ITEM, CELL, RULE, QUOTE, PRE, CODE, HIDDEN };

struct html {
        struct buf *out;
        size_t start;    /* of this text in out */
        unsigned hidden; /* elements open since the one that is not displayed */
        unsigned quote, pre;
        unsigned breaks; /* line ends owed before the next word */
        bool gap;        /* a blank is owed */
        bool filler;     /* the line holds a no-break blank and nothing else: an empty line */
        bool tight;      /* the open paragraph stands without distance (Outlook's lines) */
        bool marked;     /* the line has its "- " only */
};

static enum effect effect_of(const char *name)
{
        static const struct {
                const char *name;
                enum effect effect;
        } effects[] = { /* clang-format off */
                {"br", BREAK}, {"div", BREAK}, {"tr", BREAK}, {"dt", BREAK}, {"dd", BREAK},
                {"center", BREAK}, {"address", BREAK}, {"main", BREAK}, {"caption", BREAK},
                {"thead", BREAK}, {"tbody", BREAK}, {"p", PARAGRAPH}, {"table", PARAGRAPH},
                {"ul", PARAGRAPH}, {"ol", PARAGRAPH}, {"dl", PARAGRAPH}, {"h1", PARAGRAPH},
                {"h2", PARAGRAPH}, {"h3", PARAGRAPH}, {"h4", PARAGRAPH}, {"h5", PARAGRAPH},
                {"h6", PARAGRAPH}, {"form", PARAGRAPH}, {"section", PARAGRAPH},
                {"article", PARAGRAPH}, {"header", PARAGRAPH}, {"footer", PARAGRAPH},
                {"figure", PARAGRAPH}, {"li", ITEM}, {"td", CELL}, {"th", CELL}, {"hr", RULE},
                {"blockquote", QUOTE}, {"pre", PRE}, {"code", CODE}, {"script", HIDDEN},
                {"style", HIDDEN}, {"head", HIDDEN}, {"title", HIDDEN}, {"template", HIDDEN}, {"select", HIDDEN},
                {"textarea", HIDDEN}, {"object", HIDDEN}, {"noframes", HIDDEN},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(effects); i++)
                if (strcmp(name, effects[i].name) == 0)
                        return effects[i].effect;
        return NONE;
}

static void owe_breaks(struct html *h, unsigned n)
{
        if (h->filler)
                h->breaks = h->breaks < 2 ? h->breaks + 1 : 2;
        h->filler = false;
        if (h->breaks < n)
                h->breaks = n;
        h->gap = false;
        h->marked = false;
}

/* Writes the line ends and the blank that are owed. */
static void settle(struct html *h)
{
        bool first = h->out->len == h->start;
        if (first || h->breaks) {
                for (unsigned i = 0; !first && i < h->breaks; i++)
                        buf_add_char(h->out, '\n');
                for (unsigned i = 0; i < h->quote && i < QUOTE_MAX; i++)
                        buf_add_text(h->out, "> ");
        } else if (h->gap && !h->marked) {
                buf_add_char(h->out, ' ');
        }
        h->breaks = 0;
        h->gap = h->marked = h->filler = false;
}

static void add_preformatted(struct html *h, struct str s)
{
        struct str line;
        bool ended = str_ends(s, STR("\n"));
        while (str_cut(&s, '\n', &line)) {
                settle(h);
                buf_add(h->out, line);
                if (s.len || ended)
                        h->breaks++;
        }
}

/* Length of the white space that begins s; U+00A0 too, which mailers use for indenting. */
static size_t blank_length(struct str s)
{
        if (strchr(" \t\r\n\f", s.at[0]))
                return 1;
        return str_starts(s, STR("\xc2\xa0")) ? 2 : 0;
}

static void add_flowing(struct html *h, struct str s)
{
        while (s.len) {
                size_t n = blank_length(s);
                if (n) {
                        h->filler = h->filler || (n > 1 && h->breaks > 0);
                        h->gap = true;
                        s = str_from(s, n);
                        continue;
                }
                while (n < s.len && blank_length(str_from(s, n)) == 0)
                        n++;
                settle(h);
                buf_add(h->out, str_sub(s, 0, n));
                s = str_from(s, n);
        }
}

static void on_text(void *context, const xmlChar *text, int len)
{
        struct html *h = context;
        struct str s = str_make((const char *)text, (size_t)len);
        if (h->hidden || len <= 0)
                return;
        if (h->pre)
                add_preformatted(h, s);
        else
                add_flowing(h, s);
}

/* Mailers put a preview line in front that no reader shows. */
static bool is_undisplayed(const xmlChar **attributes)
{
        for (; attributes && attributes[0]; attributes += 2) {
                if (strcmp((const char *)attributes[0], "style") != 0 || !attributes[1])
                        continue;
                struct str style = str_of((const char *)attributes[1]);
                size_t at = str_find_same(style, STR("display"));
                struct str value = at == STR_NOWHERE ? STR_NONE : str_trim(str_from(style, at + 7));
                if (str_starts(value, STR(":")) &&
                        str_starts_same(str_trim(str_from(value, 1)), STR("none")))
                        return true;
        }
        return false;
}

/* Outlook and its like write every line as a paragraph and take the distance away by style. */
static bool is_tight(const xmlChar **attributes)
{
        for (; attributes && attributes[0]; attributes += 2) {
                struct str name = str_of((const char *)attributes[0]);
                struct str value = str_of((const char *)attributes[1]);
                if (str_eq(name, STR("class")) && str_starts(value, STR("Mso")))
                        return true;
                size_t at = str_find_same(value, STR("margin:"));
                struct str margin = at == STR_NOWHERE ? STR_NONE : str_from(value, at + 7);
                if (str_eq(name, STR("style")) && str_starts(str_trim(margin), STR("0")))
                        return true;
        }
        return false;
}

static void begin_item(struct html *h)
{
        owe_breaks(h, 1);
        settle(h);
        buf_add_text(h->out, "- ");
        h->marked = true;
}

/* As Markdown writes it, so that it is told from what is said (verbatim.h). Preformatted text stays
 * as it is: some mailers make it of all that they send. */
static void begin_code(struct html *h)
{
        if (h->pre)
                return;
        settle(h);
        buf_add_char(h->out, '`');
}

static void end_code(struct html *h)
{
        if (!h->pre && h->out->len > h->start)
                buf_add_char(h->out, '`');
}

static void on_start(void *context, const xmlChar *name, const xmlChar **attributes)
{
        struct html *h = context;
        enum effect effect = effect_of((const char *)name);
        if (h->hidden || effect == HIDDEN || is_undisplayed(attributes)) {
                h->hidden++;
                return;
        }
        switch (effect) {
        case BREAK:
                if (strcmp((const char *)name, "br") == 0 && h->out->len > h->start)
                        owe_breaks(h, h->breaks < 2 ? h->breaks + 1 : 2);
                else
                        owe_breaks(h, 1);
                break;
        case PARAGRAPH:
                h->tight = strcmp((const char *)name, "p") == 0 && is_tight(attributes);
                owe_breaks(h, h->tight ? 1 : 2);
                break;
        case RULE:
                owe_breaks(h, 2);
                break;
        case ITEM:
                begin_item(h);
                break;
        case QUOTE:
                owe_breaks(h, 1);
                h->quote++;
                break;
        case PRE:
                owe_breaks(h, 2);
                h->pre++;
                break;
        case CODE:
                begin_code(h);
                break;
        default:
                break;
        }
}

static void on_end(void *context, const xmlChar *name)
{
        struct html *h = context;
        if (h->hidden) {
                h->hidden--;
                return;
        }
        switch (effect_of((const char *)name)) {
        case BREAK:
                if (strcmp((const char *)name, "br") != 0)
                        owe_breaks(h, h->breaks ? h->breaks : 1);
                break;
        case ITEM:
                owe_breaks(h, h->breaks ? h->breaks : 1);
                break;
        case PARAGRAPH:
                owe_breaks(h, h->tight ? 1 : 2);
                h->tight = false;
                break;
        case CELL:
                h->gap = true;
                break;
        case QUOTE:
                owe_breaks(h, 1);
                h->quote -= h->quote > 0;
                break;
        case PRE:
                owe_breaks(h, 2);
                h->pre -= h->pre > 0;
                break;
        case CODE:
                end_code(h);
                break;
        default:
                break;
        }
}

static void on_error(void *context, const char *format, ...) PRINTF(2, 3);
static void on_error(void *context, const char *format, ...)
{
        (void)context;
        (void)format;
}

/* NUL would end libxml2's input. */
static void feed(htmlParserCtxtPtr parser, struct str s)
{
        char chunk[CHUNK];
        while (s.len) {
                size_t n = s.len < CHUNK ? s.len : CHUNK;
                for (size_t i = 0; i < n; i++)
                        chunk[i] = s.at[i] == '\0' ? ' ' : s.at[i];
                htmlParseChunk(parser, chunk, (int)n, 0);
                s = str_from(s, n);
        }
        htmlParseChunk(parser, NULL, 0, 1);
}

void html_text(struct str html, struct buf *out)
{
        struct html h = {.out = out, .start = out->len};
        xmlSAXHandler handler = {
                .startElement = on_start,
                .endElement = on_end,
                .characters = on_text,
                .ignorableWhitespace = on_text,
                .error = on_error,
                .warning = on_error,
        };
        static pthread_once_t once = PTHREAD_ONCE_INIT; /* libxml2's own start is a data race */
        pthread_once(&once, xmlInitParser);
        htmlParserCtxtPtr parser =
                htmlCreatePushParserCtxt(&handler, &h, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
        if (!parser)
                fail_now("no HTML parser");
        /* The text is UTF-8 by now, whatever its meta element says. */
        htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                           HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
        feed(parser, html);
        if (parser->myDoc)
                xmlFreeDoc(parser->myDoc);
        htmlFreeParserCtxt(parser);
        if (out->len > h.start)
                buf_add_char(out, '\n');
}
