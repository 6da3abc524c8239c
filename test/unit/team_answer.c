/* Replies to a digest as mail programs make them: every word goes to the item that it is about, or
 * comes out as what fits nowhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/content.h"
#include "team/answer.h"

static const char digest_text[] =
        "Good morning Mara. Tuesday 24 November, 07:30 in Lisbon.\n"
        "1 task is due today. 4 new messages in 2 threads.\n"
        "\n"
        "YOUR TASKS\n"
        "----------\n"
        "[1] T-131 Release notes 1.4                          due today   doing\n"
        "[2] T-140 Trim login page                 due Thu 26 Nov, waits for Bo\n"
        "\n"
        "NEW IN WHAT YOU FOLLOW\n"
        "----------------------\n"
        "[3] app.export - Zip over 4 GB fails              3 new: Ken, Li, Ravi\n"
        "    Li: \"Reproduced. The 32-bit size field wraps. Patch tomorrow.\"\n"
        "[4] ops.hosting - Disk alarm at 80 %                        1 new: Ana\n"
        "    Ana: \"Log rotation was off since the 12th. On again.\"\n"
        "\n"
        "--\n"
        "To answer, reply and begin a line with the number: [3] seen here, too.\n"
        "Left out because you have read them already: 14 messages.\n"
        "Next: Wed 25 Nov 07:30 Lisbon (UTC+0).\n";

static const char digest_html[] =
        "<table><tr><td>Good morning Mara</td></tr>"
        "<tr><td>Tue 24 Nov, 07:30 in Lisbon</td></tr><tr><td>YOUR TASKS</td></tr>"
        "<tr><td><div>[1] due today</div><div>T-131 Release notes 1.4</div><div>app.release</div>"
        "<div><a href=\"mailto:r+x@team.example\">Done</a> &nbsp; <a href=\"mailto:r\">Reply</a></div></td></tr>"
        "<tr><td><div>[2] due Thu 26 Nov</div><div>T-140 Trim login page</div><div>app.web</div></td></tr>"
        "<tr><td>NEW IN WHAT YOU FOLLOW</td></tr>"
        "<tr><td><div>[3] 3 new: Ken, Li, Ravi</div><div>Zip over 4 GB fails</div><div>app.export</div>"
        "<div>Li: &ldquo;Reproduced. The 32-bit size field wraps. Patch tomorrow.&rdquo;</div></td></tr>"
        "<tr><td><div>[4] 1 new: Ana</div><div>Disk alarm at 80 %</div><div>ops.hosting</div>"
        "<div>Ana: &ldquo;Log rotation was off since the 12th. On again.&rdquo;</div></td></tr>"
        "<tr><td>Reply and begin a line with the number: [3] seen here, too.</td></tr></table>";

#define PLAIN "Content-Type: text/plain; charset=utf-8\n\n"
#define FLOWED "Content-Type: text/plain; charset=utf-8; format=flowed\n\n"
#define HTML "Content-Type: text/html; charset=utf-8\n\n"
#define GMAIL "On Tue, Nov 24, 2026 at 7:30 AM Baton <digest@team.example> wrote:\n"

struct reply_case {
        const char *name;
        const char *mail; /* {Q}: the digest quoted; {C}: copied without marks; {H}: its HTML; {W}: quoted, then
                           * wrapped at 50 columns, the marks lost; {R}: wrapped anew with marks */
        const char *parts; /* "1:text|3:text", line ends as "/" */
        const char *rest;
        size_t item_address, item_message;
};

static const struct reply_case cases[] = {
        /* numbers */
        {"Gmail web, on top", PLAIN "[3] Seen here, too.\n\n" GMAIL "\n{Q}", "3:Seen here, too./", "", 0, 0},
        {"Gmail web, two of them", PLAIN "[3] Seen here.\n[4] Thanks!\n\n" GMAIL "\n{Q}", "3:Seen here./|4:Thanks!/", "", 0, 0},
        {"Gmail on iOS, several lines",
                PLAIN "[3] Seen here, too.\nWill look at noon.\n\nAnd at the log.\n\n[1] done\n\n" GMAIL "{Q}",
                "1:done/|3:Seen here, too./Will look at noon.//And at the log./", "", 0, 0},
        {"Apple Mail", FLOWED "Hi,\n\n[4] Good.\n\nMara\n\n> On 24 Nov 2026, at 07:30, Baton <digest@team.example> wrote:\n> \n{Q}",
                "4:Good.//Mara/", "", 0, 0},
        {"Apple Mail on a phone", PLAIN "[2] take\n\nSent from my iPhone\n\n> On 24 Nov 2026, at 07:30, Baton <digest@team.example> wrote:\n> \n{Q}",
                "2:take/", "", 0, 0},
        {"Outlook, block without marks",
                PLAIN "[1] done\n[3] I cannot.\n\n________________________________\nFrom: Baton <digest@team.example>\n"
                      "Sent: Tuesday, November 24, 2026 7:30 AM\nTo: Mara <mara@team.example>\nSubject: Tue 24 Nov\n\n{C}",
                "1:done/|3:I cannot./", "", 0, 0},
        {"Outlook, old rule", PLAIN "[3] no\n\n-----Original Message-----\nFrom: Baton\nSent: x\nTo: y\nSubject: z\n\n{C}", "3:no/", "", 0, 0},
        {"Outlook in German", PLAIN "[3] nein\n\nVon: Baton <digest@team.example>\nGesendet: Dienstag, 24. November 2026 07:30\n"
                "An: Mara\nBetreff: Tue 24 Nov\n\n{C}", "3:nein/", "", 0, 0},
        {"Outlook in Turkish", PLAIN "[3] hay\u0131r\n\nKimden: Baton <digest@team.example>\nG\u00f6nderilme: 24 Kas\u0131m 2026 Sal\u0131 07:30\n"
                "Kime: Mara\nKonu: Tue 24 Nov\n\n{C}", "3:hay\u0131r/", "", 0, 0},
        {"Outlook for the phone", PLAIN "[4] ok\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n"
                "From: Baton <digest@team.example>\nSent: Tuesday, November 24, 2026 7:30:00 AM\nTo: Mara\nSubject: Tue\n\n{C}",
                "4:ok/", "", 0, 0},
        {"Outlook, HTML alone", HTML "<html><body><div class=\"MsoNormal\">[3] Yes, please.</div><div>&nbsp;</div>"
                "<div style=\"border:none;border-top:solid\"><p class=\"MsoNormal\"><b>From:</b> Baton &lt;digest@team.example&gt;<br><b>Sent:</b> Tuesday<br>"
                "<b>To:</b> Mara<br><b>Subject:</b> Tue 24 Nov</p></div>{H}</body></html>", "3:Yes, please./", "", 0, 0},
        {"Gmail, HTML alone", HTML "<div dir=\"ltr\">[3] Yes.<div>[4] No.</div></div><br><div class=\"gmail_quote\"><div class=\"gmail_attr\">"
                "On Tue, Nov 24, 2026 at 7:30 AM Baton &lt;digest@team.example&gt; wrote:<br></div><blockquote>{H}</blockquote></div>",
                "3:Yes./|4:No./", "", 0, 0},
        {"Yahoo, a copy without marks", PLAIN "[3] fine with me\n\n    On Tuesday, November 24, 2026 at 07:30:00 AM GMT, Baton <digest@team.example> wrote:  \n \n{C}",
                "3:fine with me/", "", 0, 0},
        {"Gmail in German, a copy without marks", PLAIN "[3] passt\n\nAm Di., 24. Nov. 2026 um 07:30 Uhr schrieb Baton <\ndigest@team.example>:\n\n{C}",
                "3:passt/", "", 0, 0},
        {"a copy without marks and without a word above it", PLAIN "[3] passt\n\n{C}", "3:passt/", "", 0, 0},
        {"K-9", PLAIN "[1] done\r\n\r\n-------- Original Message --------\nFrom: Baton <digest@team.example>\nSent: 24 November 2026 07:30:00\n"
                "To: mara@team.example\nSubject: Tue 24 Nov\n\n{C}", "1:done/", "", 0, 0},
        {"Proton", PLAIN "[4] Great.\n\nSent with Proton Mail secure email.\n\nOn Tuesday, November 24th, 2026 at 7:30 AM, Baton <digest@team.example> wrote:\n\n{Q}",
                "4:Great./", "", 0, 0},
        {"below the whole quote, by number", PLAIN "{Q}\n[3] At the bottom.\n", "3:At the bottom./", "", 0, 0},
        {"one answer for two", PLAIN "[1][2] done\n", "1:done/|2:done/", "", 0, 0},
        {"one answer for two, apart", PLAIN "[3] [4]: both seen\n", "3:both seen/|4:both seen/", "", 0, 0},
        {"said twice to one", PLAIN "[3] one\n[4] two\n[3] three\n", "3:one//three/|4:two/", "", 0, 0},
        {"the number alone in its line", PLAIN "[3]\nSeen.\n", "3:Seen./", "", 0, 0},
        {"no blank behind it", PLAIN "[3]Seen.\n", "3:Seen./", "", 0, 0},
        {"indented, with a no-break space", PLAIN "  [3]\xc2\xa0Seen.\n", "3:Seen./", "", 0, 0},
        {"flowed text", FLOWED "[3] This is a line that is long \nand goes on.\n", "3:This is a line that is long and goes on./", "", 0, 0},
        {"flowed, DelSp", "Content-Type: text/plain; format=flowed; delsp=yes\n\n[3] This goes o \nn.\n", "3:This goes on./", "", 0, 0},
        {"a signature", PLAIN "[3] Seen.\n-- \nMara\n[4] is no answer here\n", "3:Seen./", "", 0, 0},
        {"quoted-printable", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n[3] Gr=C3=BC=C3=9Fe\n",
                "3:Gr\xc3\xbc\xc3\x9f" "e/", "", 0, 0},
        {"multipart/alternative", "Content-Type: multipart/alternative; boundary=b\n\n--b\n" PLAIN "[3] plain\n--b\n" HTML "<p>[3] html</p>\n--b--\n", "3:plain/", "", 0, 0},
        /* between quoted items */
        {"Thunderbird, between the lines",
                PLAIN "On 24/11/2026 07:30, Baton wrote:\n> YOUR TASKS\n> ----------\n> [1] T-131 Release notes 1.4     due today   doing\n\nOut at noon.\n\n"
                      "> [3] app.export - Zip over 4 GB fails     3 new: Ken, Li, Ravi\n>     Li: \"Reproduced.\"\n\nSeen here, too.\nTwice.\n\nMara\n",
                "1:Out at noon./|3:Seen here, too./Twice.//Mara/", "", 0, 0},
        {"mutt, all kept, answered in the middle",
                PLAIN "On Tue, Nov 24, 2026 at 07:30:00AM +0000, Baton wrote:\n> [1] T-131 Release notes 1.4\n> [2] T-140 Trim login page\nBo is ill.\n> \n"
                      "> NEW IN WHAT YOU FOLLOW\n> ----------------------\n> [3] app.export - Zip\n>     Li: \"Reproduced.\"\nSeen.\n> [4] ops.hosting - Disk\n>     Ana: \"On again.\"\n",
                "2:Bo is ill./|3:Seen./", "", 0, 0},
        {"slrn", PLAIN "Baton <digest@team.example> wrote:\n> [4] ops.hosting - Disk alarm at 80 %        1 new: Ana\n>     Ana: \"On again.\"\nGood.\n", "4:Good./", "", 0, 0},
        {"Gnus", PLAIN "Baton <digest@team.example> writes:\n\n> [3] app.export - Zip over 4 GB fails\n\nSame here.\n", "3:Same here./", "", 0, 0},
        {"wrapped quotes that lost their mark", PLAIN "{W}\n[3] Seen.\n", "3:Seen./", "", 0, 0},
        {"wrapped by a program, answered between",
                PLAIN "> [3] app.export - Zip over 4 GB fails              3 new: Ken,\nLi, Ravi\n>     Li: \"Reproduced. The 32-bit size field wraps. Patch\ntomorrow.\"\nSeen.\n"
                      "> [4] ops.hosting - Disk alarm at 80 %                        1\nnew: Ana\nGood.\n",
                "3:Seen./|4:Good./", "", 0, 0},
        {"wrapped anew, item 4 in the middle of a line",
                PLAIN "> [3] app.export - Zip over 4 GB fails 3 new: Ken, Li, Ravi Li:\n> \"Reproduced.\" [4] ops.hosting - Disk alarm at 80 % 1 new: Ana\n\nGood.\n", "", "Good./", 0, 0},
        {"HTML quotes, between", HTML "<blockquote><div>[3] 3 new: Ken, Li, Ravi</div><div>Zip over 4 GB fails</div></blockquote><p>Seen.</p>"
                "<blockquote><div>[4] 1 new: Ana</div></blockquote><p>Good.</p>", "3:Seen./|4:Good./", "", 0, 0},
        {"a number wins over the quote above it", PLAIN "> [3] app.export - Zip\n[4] Good.\n", "4:Good./", "", 0, 0},
        {"quote of one line of an item, by number before", PLAIN "[3] Yes.\n> Patch tomorrow.\nToday, even.\n", "3:Yes.//Today, even./", "", 0, 0},
        {"an answer of somebody's, quoted", PLAIN "> > [3] app.export - Zip\n> Seen.\nI have not.\n", "", "I have not./", 0, 0},
        {"below a heading", PLAIN "> [2] T-140 Trim login page\n> \n> NEW IN WHAT YOU FOLLOW\nToo much of it.\n", "", "Too much of it./", 0, 0},
        {"below all of it", PLAIN "{Q}\nThanks for all of this.\n", "", "Thanks for all of this./", 0, 0},
        {"below all items, without the foot", PLAIN "> [3] app.export - Zip\n> [4] ops.hosting - Disk\n\nAll good.\n", "", "All good./", 0, 0},
        /* never guessed */
        {"on top, without a number", PLAIN "I agree.\n\n" GMAIL "\n{Q}", "", "I agree./", 0, 0},
        {"on top, and then a number", PLAIN "I am away today.\n\n[3] Seen.\n\n" GMAIL "\n{Q}", "3:Seen./", "I am away today./", 0, 0},
        {"a greeting and thanks are nothing", PLAIN "Hello,\n\n[3] Seen.\n\n" GMAIL "\n{Q}\n\nThanks,\nMara\n", "3:Seen./", "", 0, 0},
        {"a number that there is not", PLAIN "[9] What?\n[3] Seen.\n", "3:Seen./", "[9] What?/", 0, 0},
        {"a number that there is not, beside one that is", PLAIN "[3][9] What?\n", "", "[3][9] What?/", 0, 0},
        {"footnotes", PLAIN "[3] It is known, see [1].\n\n[1] https://bugs.example/9\n", "", "[3] It is known, see [1].//[1] https://bugs.example/9/", 0, 0},
        {"a link", PLAIN "[3] Seen.\n[4](https://x.example) is a link\n", "3:Seen./[4](https://x.example) is a link/", "", 0, 0},
        {"another item is named", PLAIN "[3] As in [4].\n[4] Fixed.\n", "3:As in [4]./|4:Fixed./", "", 0, 0},
        {"nothing of one's own", PLAIN GMAIL "\n{Q}", "", "", 0, 0},
        {"only thanks", PLAIN "Thanks!\n", "", "Thanks!/", 0, 0},
        {"the number in the middle of a line", PLAIN "To [3]: seen.\n", "", "To [3]: seen./", 0, 0},
        {"the subject of an item as one's own line", PLAIN "[3] Zip\n", "3:Zip/", "", 0, 0},
        /* addresses and real messages */
        {"the item's own address", PLAIN "Done, at last.\n", "2:Done, at last./", "", 2, 0},
        {"the item's own address, with its number", PLAIN "[2] done\n", "2:done/", "", 2, 0},
        {"the item's own address, and footnotes", PLAIN "See [1].\n\n[1] https://x.example\n", "2:See [1].//[1] https://x.example/", "", 2, 0},
        {"the item's own address, quoted", PLAIN "Yes.\n\n" GMAIL "\n{Q}", "4:Yes./", "", 4, 0},
        {"Gnus on the mime form", PLAIN "Li <li@team.example> writes:\n\n> Reproduced.\n\nHere, too.\n", "3:Here, too./", "", 0, 3},
        {"a number wins over In-Reply-To", PLAIN "[4] Good.\n", "4:Good./", "", 0, 3},
};

static void wrap(struct str text, size_t width, bool keep_marks, struct buf *out)
{
        struct str line;
        while (str_line(&text, &line)) {
                bool quoted = str_starts(line, STR(">"));
                while (line.len > width) {
                        size_t at = str_rchr(str_sub(line, 0, width), ' ');
                        if (at == STR_NOWHERE || at < 4)
                                break;
                        buf_addf(out, "%.*s\n", (int)at, line.at);
                        line = str_trim(str_from(line, at));
                        if (quoted && keep_marks)
                                buf_add_text(out, "> ");
                }
                buf_addf(out, "%.*s\n", STR_ARG(line));
        }
}

static void add_digest(char how, struct buf *out)
{
        struct str rest = str_of(digest_text), line;
        struct buf quoted = {0};
        while (str_line(&rest, &line))
                buf_addf(&quoted, line.len ? "> %.*s\n" : ">\n", STR_ARG(line));
        if (how == 'H')
                buf_add_text(out, digest_html);
        else if (how == 'C')
                buf_add_text(out, digest_text);
        else if (how == 'Q')
                buf_add(out, buf_str(&quoted));
        else
                wrap(buf_str(&quoted), 50, how == 'R', out);
        buf_release(&quoted);
}

/* The mail, in CRLF form. */
static void make_mail(const char *text, struct buf *out)
{
        struct buf lf = {0};
        struct str rest, line;
        buf_add_text(&lf, "From: mara@team.example\nMIME-Version: 1.0\n");
        for (; *text; text++) {
                if (*text == '{' && text[1] && text[2] == '}') {
                        add_digest(text[1], &lf);
                        text += 2;
                } else {
                        buf_add_char(&lf, *text);
                }
        }
        rest = buf_str(&lf);
        while (str_line(&rest, &line))
                buf_addf(out, "%.*s\r\n", STR_ARG(line));
        buf_release(&lf);
}

static void print(const struct answer *a, struct buf *parts, struct buf *rest)
{
        for (size_t i = 0; i < a->count; i++)
                buf_addf(parts, "%s%zu:%.*s", i ? "|" : "", a->parts[i].item, STR_ARG(a->parts[i].text));
        buf_add(rest, a->rest);
        for (size_t i = 0; i < parts->len; i++)
                if (parts->at[i] == '\n')
                        parts->at[i] = '/';
        for (size_t i = 0; i < rest->len; i++)
                if (rest->at[i] == '\n')
                        rest->at[i] = '/';
}

static unsigned check(const struct reply_case *c, struct str shown)
{
        struct arena *arena = arena_new();
        struct buf mail = {0}, text = {0}, parts = {0}, rest = {0};
        struct answer answer;
        struct answer_to to = {.items = 4, .item_address = c->item_address, .item_message = c->item_message,
                .shown = shown, .name = STR("Mara Silva")};
        /* slashes of links, too: compare with both replaced */
        struct buf want = {0};
        make_mail(c->mail, &mail);
        content_text(arena, mime_parse(arena, buf_str(&mail)), 65536, &text);
        answer_read(buf_str(&text), &to, arena, &answer);
        print(&answer, &parts, &rest);
        buf_add_text(&want, c->parts);
        bool good = str_eq(buf_str(&parts), buf_str(&want)) && str_eq(buf_str(&rest), str_of(c->rest));
        if (!good)
                print_error("%s: got {%.*s} rest {%.*s}\n     want {%s} rest {%s}\n", c->name, STR_ARG(buf_str(&parts)),
                        STR_ARG(buf_str(&rest)), c->parts, c->rest);
        buf_release(&mail);
        buf_release(&text);
        buf_release(&parts);
        buf_release(&rest);
        buf_release(&want);
        arena_free(arena);
        return !good;
}

static void replies(void **state)
{
        struct buf shown = {0};
        unsigned wrong = 0;
        (void)state;
        buf_add_text(&shown, digest_text);
        html_text(str_of(digest_html), &shown);
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                wrong += check(&cases[i], buf_str(&shown));
        buf_release(&shown);
        assert_int_equal(wrong, 0);
}

/* One message only: what is written on top is about it. */
static void one_item(void **state)
{
        struct arena *arena = arena_new();
        struct answer a;
        struct answer_to to = {.items = 1};
        (void)state;
        answer_read(STR("I agree.\n\n> [1] doc - Lunch\n> At noon?\n"), &to, arena, &a);
        assert_int_equal(a.count, 1);
        assert_int_equal(a.parts[0].item, 1);
        assert_true(str_eq(a.parts[0].text, STR("I agree.\n")));
        assert_int_equal(a.rest.len, 0);
        to.items = 0; /* a digest without items has nothing to answer */
        answer_read(STR("[1] yes\n"), &to, arena, &a);
        assert_int_equal(a.count, 0);
        assert_true(str_eq(a.rest, STR("[1] yes\n")));
        arena_free(arena);
}

/* Whatever comes: no part of an item that there is not, and every own octet somewhere or courtesy. */
static void hostile(void **state)
{
        static const char *const texts[] = {"", "[", "[]", "[[[[[[[[3]", "[3", "[99999999999999999999]", "[0] x", "[-1] x",
                "> [", ">\n>\n>", "[3]", "[3][3][3][3][3][3][3][3][3][3][3][3][3] x", "\n\n\n", "> [3]\n[", "[3] \xff\xfe"};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
                for (size_t items = 0; items < 5; items++) {
                        struct arena *arena = arena_new();
                        struct answer a;
                        struct answer_to to = {.items = items, .item_address = i % 7, .item_message = i % 9,
                                .shown = str_of(digest_text)};
                        answer_read(str_of(texts[i]), &to, arena, &a);
                        for (size_t j = 0; j < a.count; j++) {
                                assert_in_range(a.parts[j].item, 1, items);
                                assert_true(a.parts[j].text.len > 0);
                        }
                        arena_free(arena);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(replies),
                cmocka_unit_test(one_item),
                cmocka_unit_test(hostile),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
