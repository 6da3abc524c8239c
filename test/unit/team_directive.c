#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "team/directive.h"
#include <stdio.h>

/* Every text is read at noon of Sunday, 22 November 2026, in Lisbon. */
enum { NOON = 1795348800 };

static const struct zone *lisbon(void)
{
        const struct zone *z = NULL;
        assert_int_equal(zone_find(STR("Europe/Lisbon"), &z), OK);
        return z;
}

/* ---- what came out, in one line ---- */

static void show_items(const struct directive *d, struct buf *out)
{
        if (d->clear)
                buf_add_text(out, " none");
        for (size_t i = 0; i < d->item_count; i++) {
                const struct directive_item *item = &d->items[i];
                buf_addf(out, " %s%.*s", item->remove ? "-" : "", STR_ARG(item->text));
                if (item->number)
                        buf_addf(out, "T-%u", item->number);
        }
}

static void show_value(const struct directive *d, struct buf *out)
{
        static const char *const priorities[] = {"low", "normal", "high"};
        switch (d->row->takes) {
        case TAKES_NOTHING:
                break;
        case TAKES_DAY:
                buf_add_char(out, ' ');
                when_iso(d->day, out);
                break;
        case TAKES_STATUS:
                buf_addf(out, " %.*s", STR_ARG(d->status));
                break;
        case TAKES_PRIORITY:
                buf_addf(out, " %s", priorities[d->priority + 1]);
                break;
        case TAKES_TEXT:
        case TAKES_ANY_TEXT:
                buf_addf(out, "%s(%.*s)", d->clear ? " none" : " ", STR_ARG(d->argument));
                break;
        default:
                show_items(d, out);
                break;
        }
}

/* "due 2026-11-27; !Start; ?taek>take; later pass": a known word with its value, a bad argument, an
 * unknown word with the one that may have been meant, a later one. */
static void show(const struct directives *all, struct buf *out)
{
        for (size_t i = 0; i < all->count; i++) {
                const struct directive *d = &all->v[i];
                buf_add_text(out, i ? "; " : "");
                if (d->fault == FAULT_UNKNOWN)
                        buf_addf(out, "?%.*s>%s", STR_ARG(d->word), d->nearest ? d->nearest->word : "");
                else if (d->fault == FAULT_LATER)
                        buf_addf(out, "later %s", d->row->word);
                else if (d->fault == FAULT_ARGUMENT)
                        buf_addf(out, "!%s", d->row->word);
                else
                        buf_addf(out, "%s", d->row->word);
                if (d->fault == FAULT_NONE)
                        show_value(d, out);
        }
}

static void expect(const char *name, const char *what, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want)))
                fail_msg("%s: %s is\n[%.*s]\nnot\n[%s]", name, what, STR_ARG(got), want);
}

/* ---- texts ---- */

struct reading_case {
        const char *name, *body, *want, *rest; /* rest NULL: the body as it is */
};

static void add_crlf(struct str s, struct buf *out)
{
        struct str line;
        while (str_line(&s, &line)) {
                buf_add(out, line);
                buf_add_text(out, "\r\n");
        }
}

static void check(const struct reading_case *c, enum strictness strictness)
{
        struct arena *arena = arena_new();
        struct buf message = {0}, got = {0};
        struct directives all;
        struct parsed_mail parsed;
        buf_add_text(&message, "From: Ana <ana@x.example>\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n\r\n");
        add_crlf(str_of(c->body), &message);
        /* A copy of the exact size, so that a look past its end is seen. */
        char *exact = mem_copy(message.at, message.len);
        parsed_make(arena, str_make(exact, message.len), &parsed);
        directive_read(&parsed, lisbon(), NOON, strictness, &all);
        if (strictness == LENIENT && all.count > 0 && !directive_may_stand(&parsed))
                fail_msg("%s: not seen at a glance", c->name);
        show(&all, &got);
        expect(c->name, "the list", buf_str(&got), c->want);
        expect(c->name, "the rest", all.rest, c->rest ? c->rest : c->body);
        free(exact);
        buf_release(&message);
        buf_release(&got);
        arena_free(arena);
}

static void fields(void **state)
{
        (void)state;
        static const struct reading_case cases[] = { /* clang-format off */
                {"one field", "Due: fri\n\ntext\n", "Due 2026-11-27", "text\n"},
                {"nothing but fields", "Due: fri\nPriority: high\n", "Due 2026-11-27; Priority high", ""},
                {"all fields",
                        "Status: Doing\nAssign: bo\nUnassign: cem\nDue: 26 Nov\nStart: tomorrow\nLabels: auth\n"
                        "Priority: low\nTitle: Login fails\nWaits-on: T-9\nSummary: Found it\n\ntext\n",
                        "Status doing; Assign bo; Unassign cem; Due 2026-11-26; Start 2026-11-23; Labels auth; "
                        "Priority low; Title (Login fails); Waits-on T-9; Summary (Found it)", "text\n"},
                {"names in any case", "due: fri\nPRIORITY: high\nwaits-On: T-1\n\n",
                        "Due 2026-11-27; Priority high; Waits-on T-1", ""},
                {"blank lines before", "\n\n\nDue: fri\n\ntext\n", "Due 2026-11-27", "text\n"},
                {"no blank behind the colon", "Due:fri\n", "Due 2026-11-27", ""},
                {"blanks before the colon", "Due : fri\n", "Due 2026-11-27", ""},
                {"trailing blanks", "Due: fri   \t\n", "Due 2026-11-27", ""},
                {"indented", "  Due: fri\n  Priority: high\n", "Due 2026-11-27; Priority high", ""},
                {"no-break blanks", "Due:\u00a0fri\n", "Due 2026-11-27", ""},
                {"signs that cannot be seen", "\ufeffDue: \u200bfri\u200b\n", "Due 2026-11-27", ""},
                {"a second paragraph is text", "Due: fri\n\nPriority: high\n", "Due 2026-11-27",
                        "Priority: high\n"},
                {"fields after text are text", "text\n\nDue: fri\n", "", NULL},
                {"a greeting is text", "Hi all,\n\nDue: fri\n", "", NULL},
                {"one unknown name makes text", "Due: fri\nColour: red\n\ntext\n", "", NULL},
                {"one sentence makes text", "Due: fri\nis what I would say\n\n", "",
                        "Due: fri\nis what I would say\n"},
                {"a sentence first makes text", "I would say\nDue: fri\n", "", NULL},
                {"an ordinary colon", "Hello: this is a mail\n", "", NULL},
                {"a mistyped name is text", "Deu: fri\n", "", NULL},
                {"a web address", "https://x.example/due: fri\n", "", NULL},
                {"a time", "12:30 is fine\n", "", NULL},
                {"a later field", "Decide-by: fri\n\ntext\n", "later Decide-by", "text\n"},
                {"a later field beside another", "Topic: eng\nDue: fri\n\n", "later Topic; Due 2026-11-27", ""},
                {"twice: both, in order", "Due: fri\nDue: sat\n", "Due 2026-11-27; Due 2026-11-28", ""},
                {"a folded value", "Title: Login fails\n  on iOS\nDue: fri\n",
                        "Title (Login fails on iOS); Due 2026-11-27", ""},
                {"a title that was wrapped",
                        "Title: The login fails on every phone that was bought in the year\nbefore last\n\ntext\n",
                        "Title (The login fails on every phone that was bought in the year before last)", "text\n"},
                {"a title that was not wrapped", "Title: Login\nfails\n", "", NULL},
                {"a day is not wrapped",
                        "Due: in the week in which everybody comes back from the holidays in\nspring\n", "", NULL},
                {"fields and verbs together", "Due: fri\n/take\n\ntext\n", "Due 2026-11-27; take", "text\n"},
                {"a mistyped verb spoils no field", "Due: fri\n/taek\n\ntext\n", "Due 2026-11-27; ?taek>take",
                        "/taek\n\ntext\n"},
                {"a checklist stays", "Due: fri\n\n[ ] one\n[x] two\n- [ ] three\n", "Due 2026-11-27",
                        "[ ] one\n[x] two\n- [ ] three\n"},
                {"a rule of a table is text", "Due: fri\n--------\n", "", NULL},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                check(&cases[i], LENIENT);
}

static void values(void **state)
{
        (void)state;
        static const struct reading_case cases[] = { /* clang-format off */
                {"a column of two words", "Status: In  Review\n", "Status in-review", ""},
                {"a column in another script", "Status: ГОТОВО\n", "Status готово", ""},
                {"an empty status", "Status:\n", "!Status", ""},
                {"people by name", "Assign: bo, Ana and @cem\n", "Assign bo ana cem", ""},
                {"people with blanks", "Assign: bo ana\n", "Assign bo ana", ""},
                {"the author", "Assign: me\n", "Assign me", ""},
                {"a name with its signs", "Assign: Cem Ayd\u0131n\n", "Assign cem ayd\u0131n", ""},
                {"an address", "Assign: Bo@X.example\n", "Assign bo@x.example", ""},
                {"a name and an address", "Assign: Cem Ak <cem@x.example>, bo\n", "Assign cem@x.example bo", ""},
                {"an address made a link", "Assign: bo@x.example<mailto:bo@x.example>\n",
                        "Assign bo@x.example", ""},
                {"nobody", "Assign: none\n", "Assign none", ""},
                {"nobody to unassign is a name", "Unassign: none\n", "Unassign none", ""},
                {"no person", "Assign:\n", "!Assign", ""},
                {"no name", "Assign: bo!\n", "!Assign", ""},
                {"the same person twice", "Assign: bo, Bo\n", "Assign bo", ""},
                {"over 20 people", "Assign: a b c d e f g h i j k l m n o p q r s t u\n", "!Assign", ""},
                {"labels", "Labels: +auth -ios web\n", "Labels auth -ios web", ""},
                {"labels with commas", "Labels: Auth,-iOS, #web\n", "Labels auth -ios web", ""},
                {"a dash that a phone made", "Labels: –ios\n", "Labels -ios", ""},
                {"the last word on a label", "Labels: +ios -ios\n", "Labels -ios", ""},
                {"a label in another script", "Labels: Größe\n", "Labels grösse", ""},
                {"no labels", "Labels: none\n", "Labels none", ""},
                {"an empty label", "Labels: +\n", "!Labels", ""},
                {"a label that breaks a list", "Labels: a=b\n", "!Labels", ""},
                {"a label of 41 letters", "Labels: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx\n", "!Labels", ""},
                {"a label of 40 letters", "Labels: aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\n",
                        "Labels aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd", ""},
                {"tasks", "Waits-on: T-9, t-12 and T3\n", "Waits-on T-9 T-12 T-3", ""},
                {"a task no more", "Waits-on: -T-9\n", "Waits-on -T-9", ""},
                {"no tasks", "Waits-on: none\n", "Waits-on none", ""},
                {"task 0", "Waits-on: T-0\n", "!Waits-on", ""},
                {"a number too large", "Waits-on: T-4294967296\n", "!Waits-on", ""},
                {"no number", "Waits-on: bo\n", "!Waits-on", ""},
                {"priority", "Priority: HIGH\n", "Priority high", ""},
                {"no priority", "Priority: none\n", "Priority normal", ""},
                {"an unknown priority", "Priority: 1\n", "!Priority", ""},
                {"no day", "Due: none\n", "Due none", ""},
                {"an unknown day", "Due: soon\n", "!Due", ""},
                {"an empty day", "Due:\n\ntext\n", "!Due", "text\n"},
                {"an empty title", "Title:\n", "!Title", ""},
                {"a title that looks like a field", "Title: Due: fri\n", "Title (Due: fri)", ""},
                {"a title with many blanks", "Title: a   b\tc\n", "Title (a b c)", ""},
                {"no summary", "Summary: none\n", "Summary none(none)", ""},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                check(&cases[i], LENIENT);
}

static void verbs(void **state)
{
        (void)state;
        static const struct reading_case cases[] = { /* clang-format off */
                {"take", "/take\n", "take", ""},
                {"all verbs",
                        "/take\n/start\n/done\n/drop\n/reopen\n/due fri\n/label +x -y\n/wait T-9\n/undo\n/mute\n"
                        "/follow\n/task\n",
                        "take; start; done; drop; reopen; due 2026-11-27; label x -y; wait T-9; undo; mute; follow; "
                        "task ()", ""},
                {"in any case, as phones write", "/Take\n", "take", ""},
                {"a full stop", "/done.\n", "done", ""},
                {"in the middle", "One.\n/done\nTwo.\n", "done", "One.\nTwo.\n"},
                {"in a paragraph of its own", "One.\n\n/done\n\nTwo.\n", "done", "One.\n\nTwo.\n"},
                {"at the end", "Thanks!\n\n/done\n", "done", "Thanks!\n"},
                {"white space before", "   /done\n\t/take\n", "done; take", ""},
                {"not inside a line", "then write /done\n", "", NULL},
                {"a title", "/task Login fails\n\ntext\n", "task (Login fails)", "text\n"},
                {"words behind one that takes none", "/done thanks\n", "!done", ""},
                {"a day that is none", "/due soonish\n", "!due", ""},
                {"no day", "/due\n", "!due", ""},
                {"none", "/due none\n", "due none", ""},
                {"a minus", "/label -y\n", "label -y", ""},
                {"later ones", "/pass ana\n/ask bo\n/answered\n/yes\n/no because\n/abstain\n/urgent it burns\n",
                        "later pass; later ask; later answered; later yes; later no; later abstain; later urgent",
                        ""},
                {"a near miss", "/taek\n", "?taek>take", NULL},
                {"another near miss", "/reopn\n", "?reopn>reopen", NULL},
                {"cut short", "/fol\n", "?fol>follow", NULL},
                {"a field as a verb", "/title Login\n", "?title>Title", NULL},
                {"and another", "/assign ana\n", "?assign>Assign", NULL},
                {"letters mixed up, of two near words", "/taks\n", "?taks>task", NULL},
                {"a status as a verb", "/status doing\n", "?status>Status", NULL},
                {"a near miss in a sentence", "/taken from the manual page of it\n", "", NULL},
                {"a path", "/usr/bin/foo\n", "", NULL},
                {"a folder", "/etc\n", "", NULL},
                {"a folder near a verb", "/dev\n", "", NULL},
                {"a path near a verb", "/take/it\n", "", NULL},
                {"a file", "/done.txt\n", "", NULL},
                {"a number", "/2 of them\n", "", NULL},
                {"shrug", "/shrug\n", "", NULL},
                {"a comment", "// take\n", "", NULL},
                {"a slash", "/\n", "", NULL},
                {"a blank behind the slash", "/ take\n", "", NULL},
                {"fenced", "```\n/done\nDue: fri\n```\n", "", NULL},
                {"fenced by tildes", "~~~ sh\n/done\n~~~\n/take\n", "take", "~~~ sh\n/done\n~~~\n"},
                {"a fence that nothing closes", "```\n/done\n", "done", "```\n"},
                {"a list", "- /done\n", "", NULL},
                {"quoted", "> /done\n\n/take\n", "take", ""},
                {"quoted alone", "> /done\n", "", ""},
                {"fields of a quoted text", "> Due: fri\n\ntext\n", "", "text\n"},
                {"own fields below a quote", "> What is it?\n\nDue: fri\n\ntext\n", "Due 2026-11-27", "text\n"},
                {"below the signature", "text\n-- \n/done\n", "", "text\n"},
                {"twice", "/take\n/take\n", "take; take", ""},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                check(&cases[i], LENIENT);
}

static void strict(void **state)
{
        (void)state;
        static const struct reading_case cases[] = { /* clang-format off */
                {"known fields", "Due: fri\n\ntext\n", "Due 2026-11-27", "text\n"},
                {"an unknown field", "Due: fri\nColour: red\n\ntext\n", "Due 2026-11-27; ?Colour>",
                        "Colour: red\n\ntext\n"},
                {"a mistyped field", "Deu: fri\nPriority: high\n", "?Deu>Due; Priority high", "Deu: fri\n"},
                {"a mistyped field alone", "Asign: bo\n\ntext\n", "?Asign>Assign", NULL},
                {"a verb as a field", "Label: auth\n", "?Label>Labels", NULL},
                {"text that follows at once", "Due: fri\nThe login fails.\n", "Due 2026-11-27",
                        "The login fails.\n"},
                {"a field after text is text", "Due: fri\nThe login fails.\nPriority: high\n", "Due 2026-11-27",
                        "The login fails.\nPriority: high\n"},
                {"an ordinary colon", "Note: this is a mail\n", "", NULL},
                {"text first", "The login fails.\nDue: fri\n", "", NULL},
                {"an unknown verb", "/shrug\n", "?shrug>", NULL},
                {"a near miss", "/taek\n", "?taek>take", NULL},
                {"a path", "/usr/bin/foo\n/etc\n", "", NULL},
                {"a sentence", "/root is where the user of that name lives\n", "", NULL},
                {"a sentence of an unknown word", "/foo is where the user of that name lives\n", "", NULL},
                {"an unknown field goes on", "Due: fri\nColour: red\n  and blue\n\ntext\n",
                        "Due 2026-11-27; ?Colour>", "Colour: red\n  and blue\n\ntext\n"},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                check(&cases[i], STRICT);
}

/* ---- bounds ---- */

static void read_text(struct str text, struct arena *arena, struct directives *out)
{
        directive_read_text(text, lisbon(), NOON, LENIENT, arena, out);
}

static void bounds(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf text = {0};
        struct directives all;
        for (unsigned i = 0; i < DIRECTIVES_MAX; i++)
                buf_add_text(&text, "/take\n");
        read_text(buf_str(&text), arena, &all);
        assert_int_equal(all.count, DIRECTIVES_MAX);
        assert_false(all.more);
        buf_add_text(&text, "/take\n");
        read_text(buf_str(&text), arena, &all);
        assert_int_equal(all.count, DIRECTIVES_MAX);
        assert_true(all.more);

        buf_clear(&text);
        buf_add_text(&text, "Summary: ");
        while (text.len < DIRECTIVE_LINE_MAX)
                buf_add_char(&text, 'x');
        read_text(buf_str(&text), arena, &all);
        assert_int_equal(all.count, 1);
        assert_int_equal(all.v[0].fault, FAULT_NONE);
        assert_int_equal(all.v[0].argument.len, DIRECTIVE_LINE_MAX - strlen("Summary: "));
        text.len--;
        buf_add_text(&text, "ö"); /* not cut in the middle */
        read_text(buf_str(&text), arena, &all);
        assert_int_equal(all.v[0].fault, FAULT_ARGUMENT);
        assert_int_equal(all.v[0].line.len, DIRECTIVE_LINE_MAX - 1);
        assert_true(text_is_utf8(all.v[0].line) && text_is_utf8(all.v[0].argument));

        buf_clear(&text);
        while (text.len < DIRECTIVE_TEXT_MAX)
                buf_add_text(&text, "text\n");
        buf_add_text(&text, "/take\n");
        read_text(buf_str(&text), arena, &all);
        assert_int_equal(all.count, 0);
        assert_true(all.rest.len <= DIRECTIVE_TEXT_MAX + 1);
        read_text(STR_NONE, arena, &all);
        assert_int_equal(all.count + all.rest.len, 0);
        buf_release(&text);
        arena_free(arena);
}

/* The glance is worth nothing when it always says yes. */
static void ordinary_mail_at_a_glance(void **state)
{
        (void)state;
        static const char *const ordinary[] = {
                "From: a@x.example\r\nSubject: x\r\n\r\nHello,\r\nsee http://x.example/take and: this\r\n",
                "Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\nOn Sun, Bo wrote:\r\n> /done\r\n",
                "Content-Type: text/plain;\r\n charset=\"iso-8859-1\"\r\n\r\n12:30 suits me: /usr is full\r\n",
                "Subject: no body at all\r\n",
                "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n"
                "Content-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n",
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\nHello =E4=\r\n/take\r\n--b\r\n"
                "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n/ake\r\n--b--\r\n",
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(ordinary); i++) {
                struct parsed_mail parsed;
                parsed_make(arena, str_of(ordinary[i]), &parsed);
                if (directive_may_stand(&parsed))
                        fail_msg("%s", ordinary[i]);
        }
        arena_free(arena);
}

static void lines_are_numbered(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct directives all;
        read_text(STR("Due:  soon \nTitle: a\n b\n\ntext\n /take\n"), arena, &all);
        assert_int_equal(all.count, 3);
        expect("line", "text", all.v[0].line, "Due: soon");
        assert_int_equal(all.v[0].line_number, 1);
        expect("folded line", "text", all.v[1].line, "Title: a b");
        assert_int_equal(all.v[1].line_number, 2);
        expect("verb", "text", all.v[2].line, "/take");
        assert_int_equal(all.v[2].line_number, 6);
        arena_free(arena);
}

/* ---- sentences ---- */

static void faults_are_said(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                {"/take\n", ""},
                {"/due soon\n", "This is not understood: a day is written as 2026-12-01, 26 Nov, fri, tomorrow, "
                                "in 3 days, or none; for example \"/due fri\"."},
                {"Due: tomorow\n",
                        "\"tomorow\" is not understood; did you mean \"Due: tomorrow\"?"},
                {"/due Tommorow\n",
                        "\"Tommorow\" is not understood; did you mean \"/due tomorrow\"?"},
                {"Start: firday, 27 Novmeber\n",
                        "\"firday, 27 Novmeber\" is not understood; did you mean \"Start: friday 27 "
                        "november\"?"},
                {"Due: next wensday\n",
                        "\"next wensday\" is not understood; did you mean \"Due: next wednesday\"?"},
                {"/due fir\n", "\"fir\" is not understood; did you mean \"/due fri\"?"},
                {"/due in tow dyas\n",
                        "\"in tow dyas\" is not understood; did you mean \"/due in two days\"?"},
                {"/due nxet fri\n", "\"nxet fri\" is not understood; did you mean \"/due next fri\"?"},
                {"/due tody\n", "\"tody\" is not understood; did you mean \"/due today\"?"},
                {"/due 31 Feb\n", "This is not understood: a day is written as 2026-12-01, 26 Nov, fri, "
                                  "tomorrow, in 3 days, or none; for example \"/due fri\"."},
                {"/due frid 13 Tuesdya\n", "This is not understood: a day is written as 2026-12-01, 26 Nov, "
                                  "fri, tomorrow, in 3 days, or none; for example \"/due fri\"."},
                {"Priority: hihg\n", "\"hihg\" is not understood; did you mean \"Priority: high\"?"},
                {"Priority: urgent\n", "This is not understood: a priority is high, normal or low; for "
                                       "example \"Priority: high\"."},
                {"/taek\n", "\"/taek\" is not known here; did you mean \"/take\"?"},
                {"/shrug\n", "\"/shrug\" is not known here."},
                {"/status doing\n", "\"/status\" is not known here; did you mean \"Status: doing\"?"},
                {"Deu: fri\n", "\"Deu:\" is not known here; did you mean \"Due: fri\"?"},
                {"Asign: cem, dee\n",
                        "\"Asign:\" is not known here; did you mean \"Assign: cem, dee\"?"},
                {"/asign cem\n", "\"/asign\" is not known here; did you mean \"Assign: cem\"?"},
                {"/assing cem\n", "\"/assing\" is not known here; did you mean \"Assign: cem\"?"},
                {"/assign cem\n", "\"/assign\" is not known here; did you mean \"Assign: cem\"?"},
                {"/taek it\n", "\"/taek\" is not known here; did you mean \"/take\"?"},
                {"/pass bo\n", "\"/pass\" is not offered here yet."},
                {"Ask: bo\n", "\"Ask:\" is not offered here yet."},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                struct directives all;
                directive_read_text(str_of(cases[i].text), lisbon(), NOON, STRICT, arena, &all);
                assert_int_equal(all.count, 1);
                directive_fault_say(&all.v[0], &got);
                expect(cases[i].text, "the sentence", buf_str(&got), cases[i].want);
                buf_release(&got);
        }
        arena_free(arena);
}

static void subjects(void **state)
{
        (void)state;
        static const struct {
                const char *subject, *title; /* NULL: opens no task */
        } cases[] = {
                {"[task] Login fails", "Login fails"}, {" [TASK]  Login ", "Login"}, {"[task]", ""},
                {"[task]Login", "Login"}, {"Re: [task] Login", NULL}, {"Fwd: [task] Login", NULL},
                {"Login [task]", NULL}, {"[tasks] Login", NULL}, {"", NULL},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str title = STR_NONE;
                bool opens = directive_subject_task(str_of(cases[i].subject), &title);
                assert_int_equal(opens, cases[i].title != NULL);
                if (opens)
                        expect(cases[i].subject, "the title", title, cases[i].title);
        }
}

/* ---- the table ---- */

/* Each row's example does what the row says, so that help and manual show nothing that fails. */
static void examples_work(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        unsigned shown = 0;
        for (size_t i = 0; i < directive_row_count; i++) {
                const struct directive_row *row = &directive_rows[i];
                struct directives all;
                if (row->later)
                        continue;
                read_text(str_of(row->example), arena, &all);
                assert_int_equal(all.count, 1);
                assert_ptr_equal(all.v[0].row, row);
                assert_int_equal(all.v[0].fault, FAULT_NONE);
                assert_true(str_ends(str_of(row->does), STR(".")));
                shown++;
        }
        assert_int_equal(shown, 22);
        arena_free(arena);
}

static void help_shows_every_row(void **state)
{
        (void)state;
        struct buf help = {0};
        directive_help(&help);
        struct str rest = buf_str(&help), line;
        while (str_line(&rest, &line))
                if (text_columns(line) > 72)
                        fail_msg("over 72 columns: %.*s", STR_ARG(line));
        for (size_t i = 0; i < directive_row_count; i++) {
                const struct directive_row *row = &directive_rows[i];
                struct buf word = {0};
                buf_addf(&word, "  %s%s", row->kind == DIRECTIVE_VERB ? "/" : "", row->word);
                bool found = str_find(buf_str(&help), buf_str(&word)) != STR_NOWHERE;
                if (found == row->later)
                        fail_msg("%s is %s", row->word, found ? "announced" : "missing");
                buf_release(&word);
        }
        buf_release(&help);
}

/* ---- whole messages, as mail programs write them ---- */

/* `path` from the top of the source tree. */
static void read_source(const char *path, struct buf *out)
{
        struct buf whole = {0};
        buf_addf(&whole, TOP "/%s", path);
        FILE *f = fopen(buf_text(&whole), "rb");
        if (!f)
                fail_msg("%s: no such file", buf_text(&whole));
        for (int c = fgetc(f); c != EOF; c = fgetc(f))
                buf_add_char(out, (char)c);
        assert_int_equal(fclose(f), 0);
        buf_release(&whole);
}

static void read_message(const char *name, struct buf *out)
{
        struct buf path = {0}, lines = {0};
        buf_addf(&path, "test/unit/directive/%s.eml", name);
        read_source(buf_text(&path), &lines);
        add_crlf(buf_str(&lines), out);
        buf_release(&path);
        buf_release(&lines);
}

/* The page's lists are those that are made of the rows; on a difference the right ones are printed,
 * to be put there. */
static void manual_is_up_to_date(void **state)
{
        (void)state;
        static const char begin[] = ".\\\" from directive_rows: begin\n";
        static const char end[] = ".\\\" from directive_rows: end\n";
        struct buf page = {0}, want = {0};
        read_source("doc/baton-directives.7", &page);
        directive_manual(&want);
        struct str all = buf_str(&page);
        size_t from = str_find(all, str_of(begin)), to = str_find(all, str_of(end));
        assert_true(from != STR_NOWHERE && to != STR_NOWHERE && from < to);
        from += strlen(begin);
        if (!str_eq(str_sub(all, from, to - from), buf_str(&want))) {
                (void)fputs(buf_text(&want), stdout); /* longer than cmocka's messages */
                fail_msg("doc/baton-directives.7 should hold these lists");
        }
        buf_release(&page);
        buf_release(&want);
}

static void clients(void **state)
{
        (void)state;
        static const struct {
                const char *file, *want, *rest;
        } cases[] = { /* clang-format off */
                {"gmail-web", "Due 2026-11-27; Assign bo; label auth -ios", "It is the token’s clock again.\n"},
                {"gmail-html-only", "Due 2026-11-27; Assign bo; take", "It is the clock again.\n"},
                {"gmail-mobile", "take", "Ist meins.\n"},
                {"outlook-desktop", "Status doing; Due 2026-11-26", "I have a fix.\n\nAna\n"},
                {"outlook-html", "Status doing; Due 2026-11-26", "I have a fix.\n\nAna\n"},
                {"outlook-original", "Labels grösse; start", "Grüße\n"},
                {"owa", "Priority high; Waits-on T-9", "I’m on it.\n"},
                {"owa-html", "Priority high; Waits-on T-9", "I’m on it.\n"},
                {"apple-iphone", "take; due 2026-11-23", ""},
                {"apple-html", "take; due 2026-11-23", ""},
                {"thunderbird", "Due 2026-11-25; Summary (The clock of these phones is wrong by an hour, so that "
                        "every token looks too old when it arrives)", "I'll write that down.\n"},
                {"thunderbird-german", "start", "Läuft.\n"},
                {"mutt", "Priority low; wait T-9; due 2026-11-27", "Only on phones?\n\nToo late.\n"},
                {"k9", "done", "It was the clock.\n"},
                {"k9-quoted", "done", ""},
                {"slrn", "Assign me; Due 2026-11-23; follow", "I have such a phone.\n"},
                {"gnus", "take", "I have such a phone.\n\nThen I'll lend you mine.\n"},
                {"yahoo", "Due 2026-11-27; Labels auth; take", "Mine does it too.\n"},
                {"yahoo-html", "Due 2026-11-27; Labels auth", "Mine does it too.\n"},
                {"evolution", "reopen; due 2026-12-01", "It is not done at all.\n"},
                {"evolution-below", "reopen", ""},
                {"proton", "Start 2026-12-01; Due 2026-12-18", "Not before the others are back.\n"},
                {"proton-html", "Start 2026-12-01; Due 2026-12-18", "Not before the others are back.\n"},
                {"samsung", "done", "Done with it.\n"},
                {"samsung-html", "done", "Done with it.\n"},
                {"delsp", "Title (Login fails on iOS); Due 2026-11-27; take",
                        "The login fails.\n/usr/bin/login says so.\n"},
                {"signed", "done", "Bo wrote on Sunday:\n"},
                {"header", "Status doing; Title (Größe of the button); ?Deu>Due; Due 2026-11-27", "text\n"},
                {"inline", "Labels customer", "See below.\n"},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct arena *arena = arena_new();
                struct buf message = {0}, got = {0};
                struct directives all;
                struct parsed_mail parsed;
                read_message(cases[i].file, &message);
                parsed_make(arena, buf_str(&message), &parsed);
                directive_read(&parsed, lisbon(), NOON, LENIENT, &all);
                if (all.count > 0 && !directive_may_stand(&parsed))
                        fail_msg("not seen at a glance");
                show(&all, &got);
                expect(cases[i].file, "the list", buf_str(&got), cases[i].want);
                expect(cases[i].file, "the rest", all.rest, cases[i].rest);
                buf_release(&message);
                buf_release(&got);
                arena_free(arena);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields),
                cmocka_unit_test(values),
                cmocka_unit_test(verbs),
                cmocka_unit_test(strict),
                cmocka_unit_test(bounds),
                cmocka_unit_test(lines_are_numbered),
                cmocka_unit_test(ordinary_mail_at_a_glance),
                cmocka_unit_test(faults_are_said),
                cmocka_unit_test(subjects),
                cmocka_unit_test(examples_work),
                cmocka_unit_test(help_shows_every_row),
                cmocka_unit_test(manual_is_up_to_date),
                cmocka_unit_test(clients),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
