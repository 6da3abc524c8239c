#include "mail/quote.h"
#include "base/text.h"

enum {
        ATTRIBUTION_LINES = 4,
        ATTRIBUTION_MAX = 400, /* octets */
        WRAPPED = 50,          /* octets that a line has at least which was wrapped */
        BLOCK_LINES = 6,       /* in which Outlook's From, Sent, To and Subject stand */
        SIGNATURE_LINES = 12,
        FOOTER_LINES = 3,
        GREETING_MAX = 40,
        SHORT_GREETING = 20, /* needs no mark at its end */
        LINE_READ = 2000,    /* octets of the own text that the one line is made of */
};

struct lines {
        struct str *v;
        bool *dropped;
        size_t count;
        size_t end; /* here begins what goes whole: a copy, a signature */
};

static bool is_blank_line(struct str s)
{
        return str_trim(s).len == 0;
}

/* ">From " is what an mbox made of "From ". */
static bool is_quoted(struct str line)
{
        struct str s = str_trim(line);
        return str_starts(s, STR(">")) && !str_starts(line, STR(">From "));
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool has_digit(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (is_digit(s.at[i]))
                        return true;
        return false;
}

static bool has_time(struct str s)
{
        for (size_t i = 1; i + 1 < s.len; i++)
                if (s.at[i] == ':' && is_digit(s.at[i - 1]) && is_digit(s.at[i + 1]))
                        return true;
        return false;
}

/* ---- the signs ---- */

/* "-----Original Message-----" in the languages of Outlook and its like. */
static bool is_copy_rule(struct str line)
{
        static const char *const words[] = {"original message", "original appointment",
                "ursprüngliche nachricht", "urspruengliche nachricht", "ursprüngl. nachricht",
                "message d'origine", "message original", "mensaje original", "mensagem original",
                "messaggio originale", "oorspronkelijk bericht", "originalmeddelande",
                "forwarded message", "weitergeleitete nachricht", "message transféré",
                "mensaje reenviado", "begin forwarded message", "reply message"};
        struct str s = str_trim(line);
        size_t dashes = 0;
        while (s.len && s.at[0] == '-') {
                s = str_from(s, 1);
                dashes++;
        }
        s = str_trim(s);
        if (dashes < 2 && !str_same(s, STR("Begin forwarded message:")))
                return false;
        for (size_t i = 0; i < COUNT_OF(words); i++)
                if (str_starts_same(s, str_of(words[i])))
                        return true;
        return false;
}

/* Blanks before it are French, "*" ends a bold word, the wide one is Chinese. */
static bool begins_with_colon(struct str s)
{
        static const char *const colons[] = {":", " :", "\u00a0:", "*:", "："};
        for (size_t i = 0; i < COUNT_OF(colons); i++)
                if (str_starts(s, str_of(colons[i])))
                        return true;
        return false;
}

/* "From:", "*Sent:*", "Von: " at the start of a line. */
static bool begins_with_label(struct str line, const char *const *labels)
{
        struct str s = str_trim(line);
        if (str_starts(s, STR("*")))
                s = str_from(s, 1);
        for (; *labels; labels++) {
                struct str label = str_of(*labels);
                if (str_starts_same(s, label) && begins_with_colon(str_from(s, label.len)))
                        return true;
        }
        return false;
}

/* Outlook's block: a From line with a date line and a To or Subject line close below. One such line
 * alone is the author's ("From: a customer ..."). */
static bool is_copy_block(const struct lines *l, size_t at)
{
        static const char *const from[] = {"From", "Von", "De", "Da", "Van", "Från", "Fra", "Od",
                "Lähettäjä", "Gönderen", "Kimden", "Feladó", "От", "Від", "差出人", "发件人",
                "寄件者", "보낸 사람", NULL};
        static const char *const sent[] = {"Sent", "Date", "Gesendet", "Datum", "Envoyé", "Enviado",
                "Enviada", "Fecha", "Data", "Inviato", "Verzonden", "Skickat", "Sendt", "Dato",
                "Wysłano", "Odesláno", "Odoslané", "Lähetetty", "Gönderildi", "Gönderme Tarihi",
                "Gönderilme",
                "Tarih", "Elküldve", "Отправлено", "Дата", "Надіслано", "送信日時", "发送时间",
                "日期", "寄件日期", "보낸 날짜", NULL};
        static const char *const rest[] = {"To", "An", "À", "Para", "A", "Aan", "Till", "Til", "Do",
                "Komu", "Vastaanottaja", "Kime", "Címzett", "Кому", "宛先", "收件人", "收件者",
                "받는 사람", "Subject", "Betreff", "Objet", "Asunto", "Assunto", "Oggetto",
                "Onderwerp", "Ämne", "Emne", "Temat", "Předmět", "Aihe", "Konu", "Tárgy", "Тема",
                "件名", "主题", "主旨", "제목", NULL};
        bool dated = false, more = false;
        if (!begins_with_label(l->v[at], from) ||
                (at && !is_blank_line(l->v[at - 1]) && !str_starts(l->v[at - 1], STR("___"))))
                return false;
        for (size_t i = at + 1; i < l->count && i < at + BLOCK_LINES; i++) {
                dated = dated || begins_with_label(l->v[i], sent);
                more = more || begins_with_label(l->v[i], rest);
        }
        return dated && more;
}

static bool is_underscores(struct str line)
{
        struct str s = str_trim(line);
        size_t n = 0;
        while (n < s.len && s.at[n] == '_')
                n++;
        return n >= 10 && n == s.len;
}

/* What Mailman and its like put under a message: a rule and the list's name, at the end. */
static bool is_list_footer(const struct lines *l, size_t at)
{
        if (!is_underscores(l->v[at]) || l->count - at > SIGNATURE_LINES)
                return false;
        for (size_t i = at + 1; i < l->count && i <= at + FOOTER_LINES; i++)
                if (str_find_same(l->v[i], STR("mailing list")) != STR_NOWHERE)
                        return true;
        return false;
}

/* RFC 3676 4.3. Programs that strip trailing blanks make "--" of it: then only near the end. */
static bool is_signature(const struct lines *l, size_t at)
{
        if (str_eq(l->v[at], STR("-- ")))
                return true;
        return str_eq(l->v[at], STR("--")) && l->count - at <= SIGNATURE_LINES;
}

/* "... Ana wrote:", or, where the verb stands before the name, "... schrieb Ana <ana@x>:". */
static bool says_who_wrote(struct str all)
{
        static const char *const ends[] = {
                "wrote:", "writes:", "said:", "schrieb:", "geschrieben:", "schreef:", "écrit:",
                "écrit :", "écrit\u00a0:", "escribió:", "escreveu:", "ha scritto:", "skrev:",
                "følgende:", "napisał:", "napisał(a):", "napsal:", "napsal(a):", "kirjoitti:",
                "írta:", "yazdı:", "написал:", "написал(а):", "пишет:", "写道:", "写道：", "작성:"};
        static const char *const verbs[] = {" schrieb ", " skrev ", " schreef "};
        for (size_t i = 0; i < COUNT_OF(ends); i++)
                if (str_ends(all, str_of(ends[i])))
                        return true;
        for (size_t i = 0; i < COUNT_OF(verbs); i++)
                if (str_ends(all, STR(":")) && str_find(all, str_of(verbs[i])) != STR_NOWHERE)
                        return true;
        return false;
}

static bool begins_attribution(struct str line)
{
        static const char *const starts[] = {
                "On ", "Am ", "Le ", "El ", "Em ", "Il ", "Op ", "Den ", "W dniu ", "Dne ", "在 "};
        for (size_t i = 0; i < COUNT_OF(starts); i++)
                if (str_starts(str_trim(line), str_of(starts[i])))
                        return true;
        return false;
}

/* How many lines an attribution that ends at `last` has: up to its "On Sun, 22 ...", else those
 * that are long enough to have been wrapped. What stands above it is the author's. */
static size_t attribution_height(const struct lines *l, size_t last)
{
        size_t most = 1, n = 1;
        while (most < ATTRIBUTION_LINES && most <= last && !is_blank_line(l->v[last - most]) &&
                !is_quoted(l->v[last - most]) && !l->dropped[last - most])
                most++;
        if (begins_attribution(l->v[last]))
                return 1;
        for (; n < most; n++)
                if (begins_attribution(l->v[last - n]) && has_digit(l->v[last - n]))
                        return n + 1;
        for (n = 1; n < most && l->v[last - n].len >= WRAPPED; n++)
                ;
        return n;
}

/* "On Tue, Ana wrote:", in up to four lines that end at `last`. 0 when it is none. `alone`: no
 * quoted line follows, so it must show more of itself. */
static size_t attribution_lines(const struct lines *l, size_t last, bool alone)
{
        struct str end = str_trim(l->v[last]);
        if (!str_ends(end, STR(":")) && !str_ends(end, STR("：")))
                return 0;
        size_t n = attribution_height(l, last);
        struct str first = str_trim(l->v[last - n + 1]);
        struct str all = str_make(first.at, (size_t)(end.at + end.len - first.at));
        bool known = says_who_wrote(all);
        bool marked = str_chr(all, '@') != STR_NOWHERE || has_time(all);
        if (all.len > ATTRIBUTION_MAX)
                return 0;
        if (alone)
                return known && begins_attribution(first) && has_digit(all) && marked ? n : 0;
        if (known)
                return n;
        return marked && has_digit(all) ? n : 0;
}

/* ---- taking away ---- */

static void drop_from(struct lines *l, size_t at)
{
        l->end = at;
        for (size_t i = at; i < l->count; i++)
                l->dropped[i] = true;
}

static void drop_attribution(struct lines *l, size_t quoted_at)
{
        size_t last = quoted_at;
        while (last && is_blank_line(l->v[last - 1]))
                last--;
        if (last == 0 || l->dropped[last - 1])
                return;
        size_t n = attribution_lines(l, last - 1, false);
        for (size_t i = 0; i < n; i++)
                l->dropped[last - 1 - i] = true;
}

/* A copy that is not marked line by line takes the rest with it. */
static void drop_copies(struct lines *l)
{
        size_t quoted_after = l->count; /* below this line nothing is quoted */
        while (quoted_after && !is_quoted(l->v[quoted_after - 1]))
                quoted_after--;
        for (size_t i = 0; i < l->count; i++) {
                if (l->dropped[i] || is_blank_line(l->v[i]))
                        continue;
                if (is_signature(l, i) || is_copy_rule(l->v[i]) || is_copy_block(l, i) ||
                        is_list_footer(l, i)) {
                        bool rule = i && is_underscores(l->v[i - 1]);
                        drop_from(l, rule ? i - 1 : i);
                        return;
                }
                size_t n = i >= quoted_after ? attribution_lines(l, i, true) : 0;
                if (n) {
                        drop_from(l, i + 1 - n);
                        return;
                }
        }
}

/* Supercite's and Gnus' lines: "    Bo> text", below ">>>>> "Bo" == Bo Larsen writes:". */
static bool is_cited(struct str line)
{
        enum { NAME_MAX_LENGTH = 20 };
        struct str s = str_trim(line);
        size_t n = str_chr(s, '>');
        if (n == STR_NOWHERE || n == 0 || n > NAME_MAX_LENGTH)
                return false;
        return str_chr(str_sub(s, 0, n), ' ') == STR_NOWHERE;
}

static void drop_quotes(struct lines *l)
{
        bool cited = false;
        for (size_t i = 0; i < l->count; i++) {
                l->dropped[i] = is_quoted(l->v[i]) || (cited && is_cited(l->v[i]));
                cited = cited || (str_starts(l->v[i], STR(">>>>> \"")) &&
                                         str_find(l->v[i], STR("\" == ")) != STR_NOWHERE);
        }
        for (size_t i = 0; i < l->count; i++)
                if (l->dropped[i] && is_quoted(l->v[i]) && (i == 0 || !is_quoted(l->v[i - 1])))
                        drop_attribution(l, i);
}

static bool is_gap(const struct lines *l, size_t at)
{
        return at >= l->count || l->dropped[at] || is_blank_line(l->v[at]);
}

static bool is_device(struct str line)
{
        static const char *const marks[] = {"Sent from my ", "Sent from Mail for ",
                "Sent from Outlook ", "Sent from Yahoo Mail", "Sent from AOL",
                "Sent from Proton Mail", "Sent with Proton Mail", "Sent with [Proton Mail]",
                "Sent from [Proton Mail]", "Get Outlook for ", "Von meinem ",
                "Gesendet von meinem ", "Gesendet mit der ", "Envoyé de mon ", "Enviado desde mi ",
                "Enviado do meu ", "Inviato da iPhone", "Inviato da Yahoo", "Verzonden vanaf mijn ",
                "Skickat från min ", "Wysłano z iPhone"};
        for (size_t i = 0; i < COUNT_OF(marks); i++)
                if (str_starts(line, str_of(marks[i])))
                        return true;
        return false;
}

/* "Sent from my phone", in a paragraph of its own or as the last line, is not the author's. */
static void drop_devices(struct lines *l)
{
        bool last = true; /* nothing of the author's stands below */
        for (size_t i = l->count; i--;) {
                if (l->dropped[i] || is_blank_line(l->v[i]))
                        continue;
                bool apart = is_gap(l, i + 1) && (i == 0 || is_gap(l, i - 1));
                l->dropped[i] = (apart || last) && is_device(l->v[i]);
                last = last && l->dropped[i];
        }
}

static struct lines cut_lines(struct str text)
{
        struct lines l = {0};
        size_t most = 1;
        for (size_t i = 0; i < text.len; i++)
                most += text.at[i] == '\n';
        l.v = mem_new(most * sizeof *l.v);
        l.dropped = mem_new(most * sizeof *l.dropped);
        while (str_line(&text, &l.v[l.count]))
                l.count++;
        l.end = l.count;
        return l;
}

/* What is left, without blank lines at its ends and with at most one between others. */
static void add_left(const struct lines *l, struct buf *out)
{
        size_t start = out->len;
        bool gap = false;
        for (size_t i = 0; i < l->count; i++) {
                if (l->dropped[i] || is_blank_line(l->v[i])) {
                        gap = true;
                        continue;
                }
                if (gap && out->len > start)
                        buf_add_char(out, '\n');
                gap = false;
                buf_add(out, l->v[i]);
                buf_add_char(out, '\n');
        }
}

bool content_said(struct str text, struct buf *out)
{
        size_t start = out->len;
        struct lines l = cut_lines(text);
        drop_quotes(&l);
        drop_copies(&l);
        drop_devices(&l);
        add_left(&l, out);
        free(l.v);
        free(l.dropped);
        return out->len > start;
}

void content_own(struct str text, struct buf *out)
{
        if (!content_said(text, out))
                buf_add(out, text);
}

size_t content_lines(struct str text, struct arena *arena, struct said_line **out)
{
        struct lines l = cut_lines(text);
        struct said_line *lines = arena_alloc(arena, (l.count + 1) * sizeof *lines);
        drop_quotes(&l);
        drop_copies(&l);
        drop_devices(&l);
        for (size_t i = 0; i < l.count; i++) {
                enum said said = SAID_OWN;
                if (is_blank_line(l.v[i]))
                        said = SAID_BLANK;
                else if (l.dropped[i])
                        said = i < l.end && is_quoted(l.v[i]) ? SAID_QUOTED : SAID_AWAY;
                lines[i] = (struct said_line){said, l.v[i]};
        }
        *out = lines;
        size_t count = l.count;
        free(l.v);
        free(l.dropped);
        return count;
}

/* ---- the one line ---- */

/* "Hi all,", "Dear Ana", "Good morning everybody!" on a line of its own. */
bool content_greets(struct str line)
{
        static const char *const words[] = {"hi", "hello", "hey", "dear", "hallo", "good morning",
                "good afternoon", "good evening", "greetings", "moin", "bonjour", "hola", "ciao",
                "liebe", "lieber", "guten tag", "olá", "all", "team", "folks"};
        struct str s = str_trim(line);
        if (s.len == 0 || s.len > GREETING_MAX || str_chr(s, '?') != STR_NOWHERE)
                return false;
        char last = s.at[s.len - 1];
        for (size_t i = 0; i < COUNT_OF(words); i++) {
                struct str word = str_of(words[i]);
                if (!str_starts_same(s, word))
                        continue;
                struct str rest = str_from(s, word.len);
                if (rest.len == 0)
                        return true;
                if (strchr(" ,!.", rest.at[0]) && rest.at[0])
                        return s.len < SHORT_GREETING || (strchr(",!.", last) && last);
        }
        return false;
}

static struct str after_greeting(struct str text)
{
        struct str rest = text, line;
        while (str_line(&rest, &line)) {
                if (!is_blank_line(line) && !content_greets(line))
                        return text;
                text = rest;
        }
        return text;
}

/* The longest run of whole sentences in s; 0 when the first one is longer. */
static size_t sentences_length(struct str s)
{
        for (size_t n = s.len; n > 1; n--)
                if (strchr(".!?", s.at[n - 1]) && (n == s.len || s.at[n] == ' '))
                        return n;
        return 0;
}

static void add_clipped(struct str s, size_t columns, struct buf *out)
{
        struct str cut = text_cut(s, columns);
        if (cut.len == s.len) {
                buf_add(out, s);
                return;
        }
        size_t whole = sentences_length(str_make(cut.at, cut.len));
        if (whole && s.at[whole] == ' ' && text_columns(str_sub(s, 0, whole)) >= columns / 2) {
                buf_add(out, str_sub(s, 0, whole));
                return;
        }
        cut = text_cut(s, columns < 3 ? 0 : columns - 3);
        size_t blank = str_rchr(cut, ' ');
        if (blank != STR_NOWHERE && blank > cut.len / 2)
                cut.len = blank;
        buf_add(out, str_trim(cut));
        buf_add(out, str_sub(STR("..."), 0, columns));
}

void content_line(struct str text, size_t columns, struct buf *out)
{
        struct buf own = {0}, flat = {0};
        content_own(text, &own);
        struct str s = after_greeting(buf_str(&own));
        if (is_blank_line(s))
                s = buf_str(&own); /* a greeting is all there is */
        text_flatten(text_cut(str_sub(s, 0, LINE_READ), LINE_READ), &flat);
        add_clipped(str_trim(buf_str(&flat)), columns, out);
        buf_release(&own);
        buf_release(&flat);
}
