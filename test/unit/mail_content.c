#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/content.h"

static void expect(const char *name, struct buf *got, const char *want)
{
        if (!str_eq(buf_str(got), str_of(want))) {
                print_error("%s:\n[%.*s]\nnot\n[%s]\n", name, STR_ARG(buf_str(got)), want);
                fail();
        }
        buf_release(got);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
#define ALTERNATIVE "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"

static void texts(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message, *want;
        } cases[] = {
                {"plain", "\r\none\r\ntwo", "one\ntwo\n"},
                {"charset", "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nJ\xf6rg\r\n", "Jörg\n"},
                {"no charset", "\r\nJ\xf6rg\r\n", "Jörg\n"},
                {"bad charset", "Content-Type: text/plain; charset=nonsense\r\n\r\nJ\xf6rg\r\n", "Jörg\n"},
                {"wrong charset", "Content-Type: text/plain; charset=us-ascii\r\n\r\nJ\xc3\xb6rg\r\n",
                        "Jörg\n"},
                {"quoted-printable",
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n\r\nJ=C3=B6=\r\nrg\r\n",
                        "Jörg\n"},
                {"base64", "Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8NCg==\r\n", "hello\n"},
                {"flowed",
                        "Content-Type: text/plain; format=flowed\r\n\r\none \r\ntwo\r\n three\r\n"
                        "> q1 \r\n> q2\r\n>> q3 \r\nfour \r\n-- \r\nsig\r\n",
                        "one two\nthree\n> q1 q2\n>> q3 \nfour \n-- \nsig\n"},
                {"flowed, DelSp",
                        "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nwo \r\nrd \r\n\r\nx\r\n",
                        "word\nx\n"},
                {"html", "Content-Type: text/html\r\n\r\n<p>one<p>two", "one\n\ntwo\n"},
                {"html of its own charset",
                        "Content-Type: text/html\r\n\r\n<meta charset=\"koi8-r\"><p>\xf0", "П\n"},
                {"html that lies about its charset",
                        "Content-Type: text/html; charset=utf-8\r\n\r\n"
                        "<meta http-equiv=Content-Type content='text/html; charset=koi8-r'><p>\xc3\xb6",
                        "ö\n"},
                {"plain is preferred",
                        ALTERNATIVE "\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--\r\n",
                        "one\n"},
                {"html first",
                        ALTERNATIVE "Content-Type: text/html\r\n\r\n<p>two\r\n--b\r\n\r\none\r\n--b--\r\n",
                        "one\n"},
                {"empty plain", ALTERNATIVE "\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--\r\n",
                        "two\n"},
                {"parts are joined", MIXED "\r\none\r\n--b\r\nContent-Type: image/gif\r\n\r\nGIF\r\n--b\r\n\r\n"
                        "two\r\n--b--\r\n",
                        "one\n\ntwo\n"},
                {"attachments are left out",
                        MIXED "\r\none\r\n--b\r\nContent-Disposition: attachment\r\n\r\ntwo\r\n--b\r\n"
                              "Content-Type: text/plain; name=x.txt\r\n\r\nthree\r\n--b\r\n"
                              "Content-Type: message/rfc822\r\n\r\n\r\nfour\r\n--b--\r\n",
                        "one\n"},
                {"a digest's messages",
                        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\none\r\n"
                        "--b\r\n\r\nA: b\r\n\r\ntwo\r\n--b--\r\n",
                        "one\n\ntwo\n"},
                {"no text", "Content-Type: image/gif\r\n\r\nGIF", ""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                content_text(arena, mime_parse(arena, str_of(cases[i].message)), 1000, &got);
                expect(cases[i].name, &got, cases[i].want);
        }
        arena_free(arena);
}

/* What is looked for may be in a forwarded message, in its header, or in an attached text. */
static void all_text(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message, *want;
        } cases[] = {
                {"attached texts and messages",
                        MIXED "\r\none\r\n--b\r\nContent-Disposition: attachment\r\n\r\ntwo\r\n--b\r\n"
                              "Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?=C3=A4pfel?=\r\nX: a\r\n b\r\n\r\nfour\r\n--b\r\n"
                              "Content-Type: image/gif; name=x.gif\r\n\r\nGIF\r\n--b--\r\n",
                        "one\n\ntwo\n\nSubject: \xc3\xa4pfel\nX: a b\nfour\n\nx.gif\n"},
                {"every alternative",
                        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nRead the other form.\r\n--b\r\n"
                              "Content-Type: text/html\r\n\r\n<p>News</p>\r\n--b--\r\n",
                        "Read the other form.\n\nNews\n"},
                {"attached patches", MIXED "\r\none\r\n--b\r\n"
                              "Content-Type: text/x-diff; name=\"=?utf-8?q?=C3=A4.diff?=\"\r\n\r\n+two\r\n--b--\r\n",
                        "one\n\n\xc3\xa4.diff\n+two\n"},
                {"a message in a message in a message",
                        "Content-Type: message/rfc822\r\n\r\nSubject: one\r\nContent-Type: message/rfc822\r\n\r\n"
                        "Subject: two\r\n\r\nthree\r\n",
                        "Subject: one\nContent-Type: message/rfc822\nSubject: two\nthree\n"},
                {"a message of a header only", "Content-Type: message/rfc822\r\n\r\nSubject: one\r\n", "Subject: one\n"},
                {"no text", "Content-Type: image/gif\r\n\r\nGIF", ""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                content_search(arena, mime_parse(arena, str_of(cases[i].message)), 1000, &got);
                expect(cases[i].name, &got, cases[i].want);
        }
        arena_free(arena);
}

static void texts_are_bounded(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf message = {0}, got = {0};
        buf_add_text(&message, "\r\n");
        for (unsigned i = 0; i < 10000; i++)
                buf_add_text(&message, "ö");
        content_text(arena, mime_parse(arena, buf_str(&message)), 7, &got);
        expect("cut at a character", &got, "ööö");
        buf_release(&message);
        arena_free(arena);
}

static void html(void **state)
{
        (void)state;
        static const struct {
                const char *name, *html, *want;
        } cases[] = {
                {"words", "a <b>b</b>\n\t c", "a b c\n"},
                {"div and br", "<div>a</div><div>b<br>c</div>", "a\nb\nc\n"},
                {"two br", "a<br><br>b", "a\n\nb\n"},
                {"paragraphs", "<p>a</p>\n<p>b</p>", "a\n\nb\n"},
                {"lines that are paragraphs", "<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal>b</p>", "a\nb\n"},
                {"an empty one between", "<p class=MsoNormal>a</p>\n<p class=MsoNormal><o:p>&nbsp;</o:p></p>\n"
                        "<p class=MsoNormal>b</p>", "a\n\nb\n"},
                {"paragraphs without distance", "<p style='margin: 0'>a</p><p style='margin:0'>b</p><p>c</p>",
                        "a\nb\n\nc\n"},
                {"a line of a no-break blank", "<div>a</div><div>&nbsp;</div><div>b</div>", "a\n\nb\n"},
                {"a no-break blank in front", "<div>a</div><div>&nbsp;b</div>", "a\nb\n"},
                {"list", "<ul><li>a</li><li>b</ul>c", "- a\n- b\n\nc\n"},
                {"table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc\n"},
                {"quote", "a<blockquote>b<br>c</blockquote>d", "a\n\n> b\n> c\nd\n"},
                {"pre", "<pre>a  b\n c</pre>", "a  b\n c\n"},
                {"code", "see <code>a</code>, <b>b</b>", "see `a`, b\n"},
                {"code within pre", "<pre><code>a\nb</code></pre>c", "a\nb\n\nc\n"},
                {"code within words", "<p>a<code> b </code>c</p><p><code>d</code></p>", "a` b` c\n\n`d`\n"},
                {"entities", "&lt;a&gt; &amp; &ouml;&nbsp;&nbsp;b&#8230;", "<a> & ö b…\n"},
                {"script and style", "<style>x{}</style><script>a<b</script>c", "c\n"},
                {"head", "<html><head><title>t</title></head><body>a</body></html>", "a\n"},
                {"not displayed", "<div style=\"color:red; DISPLAY : none\"><p>x</p></div>a", "a\n"},
                {"unclosed", "<div><p>a<b>b", "ab\n"},
                {"misnested", "<b>a<i>b</b>c</i>", "abc\n"},
                {"comment", "a<!-- b -->c", "ac\n"},
                {"no html", "a < b & c", "a < b & c\n"},
                {"nothing", "", ""},
                {"only marks", "<p></p><br>", ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                html_text(str_of(cases[i].html), &got);
                expect(cases[i].name, &got, cases[i].want);
        }
        struct buf got = {0};
        html_text(STR("a\0b"), &got);
        expect("NUL", &got, "a b\n");
}

static void own_texts(void **state)
{
        (void)state;
        static const struct {
                const char *name, *text, *want;
        } cases[] = {
                {"all own", "one\n\n\ntwo\n", "one\n\ntwo\n"},
                {"quoted below", "yes\n\nOn Mon, 23 Nov 2026 at 10:00, Bo <bo@x> wrote:\n> one\n> two\n",
                        "yes\n"},
                {"wrapped attribution", "yes\n\nOn Mon, 23 Nov 2026 at 10:00,\nBo <bo@x> wrote:\n\n> one\n",
                        "yes\n"},
                {"own line above an attribution", "yes\nBo <bo@x> writes:\n> one\n", "yes\n"},
                {"own line above a dated attribution",
                        "yes\nOn Mon, 23 Nov 2026 at 10:00, Bo\n<bo@x> wrote:\n> one\n", "yes\n"},
                {"own line above an attribution that begins as a date might",
                        "On the whole yes\nBut no\nBo wrote:\n> one\n", "On the whole yes\nBut no\n"},
                {"wrapped attribution without a date",
                        "yes\n\nBo Larsen of the very long and noble house of Larsen\n<bo@x> writes:\n> one\n",
                        "yes\n"},
                {"attribution of a copy that nothing marks",
                        "yes\n\nOn Sunday, 22 November 2026 at 09:12, Bo <bo@x> wrote:\n\none\n", "yes\n"},
                {"the same, German",
                        "ja\n\nAm Sonntag, 22. November 2026, 09:12 MEZ hat Bo <bo@x> Folgendes geschrieben:\n\n"
                        "eins\n", "ja\n"},
                {"the same, verb first",
                        "ja\n\nAm 22.11.26 um 09:12 schrieb Bo <bo@x>:\n\neins\n", "ja\n"},
                {"the same, French", "oui\n\nLe dim. 22 nov. 2026 à 09:12, Bo <bo@x> a écrit\u00a0:\n\nun\n",
                        "oui\n"},
                {"own words that end so", "This is what Bo wrote:\n\none\n", "This is what Bo wrote:\n\none\n"},
                {"Outlook's block, Polish",
                        "tak\n\nOd: Bo <bo@x>\nWysłano: niedziela, 22 listopada 2026\nDo: Ana\nTemat: x\n\nraz\n",
                        "tak\n"},
                {"Outlook's block, Chinese",
                        "是\n\n发件人： Bo <bo@x>\n发送时间： 2026年11月22日 9:12\n收件人： Ana\n主题： x\n\n一\n",
                        "是\n"},
                {"Outlook's block, French",
                        "oui\n\nDe\u00a0: Bo <bo@x>\nEnvoyé\u00a0: dimanche\nÀ\u00a0: Ana\nObjet\u00a0: x\n\nun\n",
                        "oui\n"},
                {"a block in bold", "yes\n\n*From:* Bo\n*Sent:* Sunday\n*To:* Ana\n\none\n", "yes\n"},
                {"a device in the last line", "yes\nSent from my iPhone\n\n> one\n", "yes\n"},
                {"own words that begin so", "Sent from my desk\nto yours\n", "Sent from my desk\nto yours\n"},
                {"cited by name", ">>>>> \"Bo\" == Bo Larsen <bo@x> writes:\n\n    Bo> one\n    Bo> two\n\nyes\n",
                        "yes\n"},
                {"not cited", "    Bo> one\n", "    Bo> one\n"},
                {"answers between", "> one\nyes\n> two\nno\n", "yes\n\nno\n"},
                {"German", "ja\n\nAm 23.11.26 um 10:00 schrieb Bo:\n> eins\n", "ja\n"},
                {"own line before a quote", "See what Bo says:\n> one\nfine\n", "See what Bo says:\n\nfine\n"},
                {"signature", "yes\n-- \nAna\n+351\n", "yes\n"},
                {"stripped signature", "yes\n--\nAna\n", "yes\n"},
                {"signature in a quote", "> a\n> -- \n> b\nyes\n", "yes\n"},
                {"Outlook", "yes\n\n-----Original Message-----\nFrom: Bo\nSent: Monday\nTo: Ana\n\none\n",
                        "yes\n"},
                {"Outlook, German", "ja\n\n-----Ursprüngliche Nachricht-----\nVon: Bo\n\neins\n", "ja\n"},
                {"Outlook's rule", "yes\n\n________________________________\nFrom: Bo <b@x>\n"
                        "Sent: Monday\nTo: Ana\nSubject: s\n\none\n", "yes\n"},
                {"Outlook's block", "yes\n\nFrom: Bo <b@x>\nSent: Monday\nTo: Ana\nSubject: s\n\none\n",
                        "yes\n"},
                {"bold block", "yes\n\n*From:* Bo\n*Date:* Monday\n*Subject:* s\n\none\n", "yes\n"},
                {"From alone is own", "Report\n\nFrom: a customer\nmore\n", "Report\n\nFrom: a customer\nmore\n"},
                {"forwarded", "look\n\n---------- Forwarded message ---------\nFrom: Bo\n\none\n", "look\n"},
                {"attribution above an unmarked copy",
                        "yes\n\nOn Mon, 23 Nov 2026 at 10:00, Bo <bo@x> wrote:\n\none\n", "yes\n"},
                {"own sentence that looks like one", "On Monday Bo wrote:\nnothing\n",
                        "On Monday Bo wrote:\nnothing\n"},
                {"device", "yes\n\nSent from my iPhone\n", "yes\n"},
                {"device above a quote", "yes\n\nSent from my iPhone\n\n> one\n", "yes\n"},
                {"a list's footer", "yes\n_______________________\nradio mailing list\nhttp://x/\n",
                        "yes\n"},
                {"own rule", "yes\n_______________________\nno\n",
                        "yes\n_______________________\nno\n"},
                {"mbox mark", ">From here on\nyes\n", ">From here on\nyes\n"},
                {"nothing own", "> one\n> two\n", "> one\n> two\n"},
                {"empty", "", ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                content_own(str_of(cases[i].text), &got);
                expect(cases[i].name, &got, cases[i].want);
        }
}

/* What another wrote is nothing that the author said. */
static void said_texts(void **state)
{
        (void)state;
        struct buf got = {0};
        assert_false(content_said(STR("> /done\n"), &got));
        assert_false(content_said(STR("-----Original Message-----\n/done\n"), &got));
        assert_false(content_said(STR("-- \n/done\n"), &got));
        assert_false(content_said(STR("On Mon, 23 Nov 2026 at 10:00, Bo <bo@x> wrote:\n\n/done\n"), &got));
        assert_int_equal(got.len, 0);
        assert_true(content_said(STR("/done\n> x\n"), &got));
        expect("own", &got, "/done\n");
}

static void one_line(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want;
                size_t columns;
        } cases[] = {
                {"Reproduced. The field wraps.\nPatch tomorrow.\n",
                        "Reproduced. The field wraps. Patch tomorrow.", 60},
                {"Hi all,\n\nthe build is green.\n", "the build is green.", 40},
                {"Dear Ana\n\nfine.\n", "fine.", 40},
                {"Hello\n", "Hello", 40},
                {"Hidden faults are found.\n", "Hidden faults are found.", 40},
                {"All tests pass now.\n", "All tests pass now.", 40},
                {"> old\n\nnew\n", "new", 40},
                {"One sentence that goes up to here. Another that does not fit any more.\n",
                        "One sentence that goes up to here.", 40},
                {"No. But then this is a very long sentence without any end in sight\n",
                        "No. But then this is a very long...", 40},
                {"Abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n",
                        "Abcdefghijklmnopqrstuvwxyzabcdefghijk...", 40},
                {"日本語日本語日本語日本語日本語日本語日本語日本語\n",
                        "日本語日本語日本語日本語日本語日本語...", 40},
                {"\n\n", "", 40},
                {"", "", 40},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                content_line(str_of(cases[i].text), cases[i].columns, &got);
                expect(cases[i].text, &got, cases[i].want);
        }
        struct buf got = {0};
        content_line(STR("hello"), 2, &got);
        expect("two columns", &got, "..");
        content_line(STR("hello"), 0, &got);
        expect("no columns", &got, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts), cmocka_unit_test(all_text), cmocka_unit_test(texts_are_bounded), cmocka_unit_test(html),
                cmocka_unit_test(own_texts), cmocka_unit_test(said_texts), cmocka_unit_test(one_line),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
