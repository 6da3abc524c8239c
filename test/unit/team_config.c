#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "team/config.h"
#include "team/near.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[] = "/tmp/config-XXXXXX";

static int make_home(void **state)
{
        (void)state;
        return mkdtemp(home) ? 0 : -1;
}

static int remove_home(void **state)
{
        char path[64];
        (void)state;
        snprintf(path, sizeof path, "%s/baton.conf", home);
        unlink(path);
        return rmdir(home);
}

static void write_file(struct str text)
{
        char path[64];
        snprintf(path, sizeof path, "%s/baton.conf", home);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fwrite(text.at, 1, text.len, file);
        fclose(file);
}

static enum status read_text(const char *text, struct config **out, char **why)
{
        write_file(str_of(text));
        return config_read(home, out, why);
}

static void values(void **state)
{
        (void)state;
        struct config *c;
        char *why, path[64];
        const char *text =
                "# comment\n[site]\n  domain = Team.Example   # ours\nlog=details\r\ncertificate = "
                "/etc/x.pem\n"
                "separator = =\ndistrib-pats = 10:*:local  90:eng.*,!eng.ops:x-y.z\n[login]\ncleartext-login = Never\ndeliver-users = mail, 1001 "
                "postfix\n"
                "[limits]\nmessage-size = 2M\nidle-imap = 1h\nworkers = 8\n[store]\ncache = 1G\n"
                "[listen imaps]\nport = 1993\naddress = *\n[listen mine]\nprotocol = LMTP\naddress "
                "= run/lmtp\n";
        assert_int_equal(read_text(text, &c, &why), OK);
        assert_null(why);
        assert_true(str_eq(c->domain, STR("team.example")));
        assert_true(str_eq(c->host, STR("team.example")));
        assert_true(str_eq(c->log_level, STR("details")));
        assert_true(str_eq(c->certificate, STR("/etc/x.pem")));
        assert_true(str_eq(c->home, str_of(home)));
        snprintf(path, sizeof path, "%s/tls/key.pem", home);
        assert_string_equal(c->key.at, path);
        assert_int_equal(c->separator, '=');
        assert_int_equal(c->cleartext_login, CLEARTEXT_NEVER);
        assert_int_equal(c->distrib_pat_count, 2);
        assert_true(str_eq(c->distrib_pats[1], STR("90:eng.*,!eng.ops:x-y.z")));
        assert_int_equal(c->deliver_user_count, 3);
        assert_true(str_eq(c->deliver_users[1], STR("1001")));
        assert_int_equal(c->message_size, 2 << 20);
        assert_int_equal(c->idle_imap, 3600);
        assert_int_equal(c->workers, 8);
        assert_true(c->cache == (uint64_t)1 << 30);
        assert_int_equal(c->recipients, 100);
        assert_int_equal(c->listen_count, 2);
        assert_true(str_eq(c->listen[0].protocol, STR("imap")));
        assert_true(c->listen[0].tls);
        assert_int_equal(c->listen[0].port, 1993);
        assert_true(str_eq(c->listen[0].address, STR("::")));
        snprintf(path, sizeof path, "%s/run/lmtp", home);
        assert_string_equal(c->listen[1].address.at, path);
        assert_true(str_eq(c->listen[1].protocol, STR("lmtp")));
        config_free(c);
}

/* One server by default has few senders; each domain's own have more. */
static void ways_out(void **state)
{
        (void)state;
        static const struct {
                const char *text, *host;
                bool mx;
                uint16_t port;
                unsigned senders;
        } ways[] = {
                {"", "", false, 0, 4},
                {"[relay]\nrelay = a.example:587\n", "a.example", false, 587, 4},
                {"[relay]\nrelay = mx:25\n", "mx", false, 25, 4},
                {"[relay]\nrelay = MX\nresolver = 127.0.0.1:5353,::1,[::1]:53\n", "", true, 0, 16},
                {"[relay]\nrelay-senders = 2\nrelay = mx\n", "", true, 0, 2},
        };
        for (size_t i = 0; i < COUNT_OF(ways); i++) {
                char text[200], *why;
                struct config *c;
                snprintf(text, sizeof text, "[site]\ndomain = a.b\n%s", ways[i].text);
                write_file(str_of(text));
                assert_int_equal(config_read(home, &c, &why), OK);
                assert_int_equal(config_relays(c), i > 0);
                assert_int_equal(c->relay_mx, ways[i].mx);
                assert_true(str_eq(c->relay_host, str_of(ways[i].host)));
                assert_int_equal(c->relay_port, ways[i].port);
                assert_int_equal(c->mx_port, 25);
                assert_int_equal(c->relay_senders, ways[i].senders);
                config_free(c);
        }
}

/* clang-format off */
static const struct {
        const char *text, *why; /* a part of the reason */
} bad[] = {
        { "",                                            "[site] needs 'domain" },
        { "domain = x.y\n",                              ":1: before the first key" },
        { "[site]\ndomain = x.y\nfoo = 1\n",             ":3: there is no key 'foo' in [site]" },
        { "[site]\ndomian = x.y\n",                      ":2: there is no key 'domian' in [site]; was domain meant?" },
        { "[site]\ncache = 1G\n",                        ":2: cache belongs into [store]" },
        { "[site]\ndomain = x.y\ndomain = x.z\n",        ":3: domain is set twice" },
        { "[site]\ndomain = x..y\n",                     ":2: 'x..y' is not a domain" },
        { "[site]\ndomain = -x.y\n",                     ":2: '-x.y' is not a domain" },
        { "[site]\ndomain = \n",                         ":2: '' is not a domain" },
        { "[site]\ndistrib-pats = local\n",             ":2: distrib-pats needs weight:wildmat:distribution, like 10:eng.*:local, not 'local'" },
        { "[site]\ndistrib-pats = 1:*:a x:*:b\n",       "not 'x:*:b'" },
        { "[site]\ndistrib-pats = 1:*:a:b\n",           "not '1:*:a:b'" },
        { "[site]\ndistrib-pats = 1::a\n",              "not '1::a'" },
        { "[site]\ndistrib-pats = 1:*:\n",              "not '1:*:'" },
        { "[site\n",                                     ":1: a section's name ends" },
        { "[sites]\n",                                   ":1: there is no section [sites]" },
        { "[site x]\n",                                  ":1: there is no section [site x]" },
        { "[site]\ndomain\n",                            ":2: a line is 'key = value'" },
        { "[limits]\nmessage-size = 5X\n",               ":2: message-size needs a size" },
        { "[limits]\nmessage-size = 5\n",                ":2: message-size must lie between" },
        { "[limits]\nmessage-size = 99999999999999999999G\n", ":2: message-size needs a size" },
        { "[limits]\nworkers = 0\n",                     ":2: workers needs a number from 2" },
        { "[limits]\nworkers = -1\n",                    ":2: workers needs a number" },
        { "[limits]\nidle-imap = 1y\n",                  ":2: idle-imap needs a time" },
        { "[relay]\nrelay = a.example:0\n",             ":2: relay needs host:port" },
        { "[relay]\nrelay = :25\n",                     ":2: relay needs host:port" },
        { "[relay]\nrelay = ::1\n",                     ":2: relay needs host:port" },
        { "[relay]\nrelay = [::1]25\n",                 ":2: relay needs host:port" },
        { "[relay]\nmx-port = 0\n",                     ":2: port needs a number" },
        { "[relay]\nresolver = ns.example\n",           ":2: resolver needs an address" },
        { "[relay]\nresolver = 127.0.0.1:0\n",          ":2: resolver needs an address" },
        { "[relay]\nresolver = 127.0.0.1,\n",           ":2: resolver needs an address" },
        { "[relay]\nresolver = [::1:53\n",              ":2: resolver needs an address" },
        { "[site]\ndomain = a.b\n[relay]\nrelay = mx\nrelay-user = x\nrelay-password-file = y\n", "relay-user is a login at one server" },
        { "[relay]\nrelay-tls = yes\n",                 ":2: relay-tls needs may, must or never" },
        { "[relay]\ngive-up = soon\n",                  ":2: give-up needs a time" },
        { "[site]\ndomain = a.b\n[relay]\nrelay-user = x\n", "relay-user and relay-password-file belong" },
        { "[login]\ncleartext-login = maybe\n",          ":2: cleartext-login needs" },
        { "[listen]\n",                                  ":1: a listener needs a name" },
        { "[listen x]\nport = 1\n",                      ":1: [listen x] needs a protocol" },
        { "\n[listen x]\nprotocol = imap\n[site]\n",     ":2: [listen x] needs a port" },
        { "[listen imap]\n[listen IMAP]\n",              ":2: [listen IMAP] is there twice" },
        { "[listen imap]\nport = 65536\n",               ":2: port needs" },
        { "[listen imap]\ntls = on\n",                   ":2: tls needs yes or no" },
        { "[listen imap]\nprotocol = pop3\n",            ":2: protocol needs" },
};
/* clang-format on */

static void faults(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                struct config *c;
                char *why;
                if (read_text(bad[i].text, &c, &why) != INVALID)
                        fail_msg("accepted: %s", bad[i].text);
                if (!why || !strstr(why, bad[i].why) || strncmp(why, home, strlen(home)) != 0)
                        fail_msg("%s: \"%s\", not \"%s\"", bad[i].text, why, bad[i].why);
                assert_null(c);
                free(why);
        }
}

static void odd_files(void **state)
{
        (void)state;
        struct config *c;
        char *why;
        assert_int_equal(config_read("/nowhere/at/all", &c, &why), ABSENT);
        assert_non_null(strstr(why, "init"));
        free(why);
        write_file(STR("\xEF\xBB\xBF[site]\ndomain = x.y"));
        assert_int_equal(config_read(home, &c, &why), OK);
        config_free(c);
        write_file(STR("[site]\ndomain = x.y\n\0"));
        assert_int_equal(config_read(home, &c, &why), INVALID);
        assert_non_null(strstr(why, ":3: the file is not text"));
        free(why);
}

/* What init writes can be read, and says what was asked for. */
static void written_by_init(void **state)
{
        (void)state;
        static const unsigned bases[] = {0, 10000, 64542};
        for (size_t i = 0; i < COUNT_OF(bases); i++) {
                struct buf text = {0};
                struct config *c;
                char *why;
                config_default(STR("team.example"), bases[i], &text);
                write_file(buf_str(&text));
                assert_int_equal(config_read(home, &c, &why), OK);
                assert_int_equal(c->listen_count, 8);
                for (size_t k = 0; k < 8; k++) {
                        bool local = bases[i] || str_eq(c->listen[k].name, STR("lmtp"));
                        assert_true(
                                str_eq(c->listen[k].address, local ? STR("127.0.0.1") : STR("::")));
                        assert_true(c->listen[k].port > bases[i]);
                }
                assert_int_equal(c->listen[5].port, bases[i] + 993);
                assert_true(c->listen[5].tls);
                assert_false(c->listen[4].tls);
                config_free(c);
                buf_release(&text);
        }
}

static void nearness(void **state)
{
        (void)state;
        assert_int_equal(near_distance(STR("user"), STR("user")), 0);
        assert_int_equal(near_distance(STR("usr"), STR("user")), 1);
        assert_int_equal(near_distance(STR("suer"), STR("user")), 1);
        assert_int_equal(near_distance(STR(""), STR("user")), 4);
        assert_int_equal(near_distance(STR("kitten"), STR("sitting")), 3);
        assert_true(near_enough(STR("subs"), STR("subscribe")));
        assert_true(near_enough(STR("improt"), STR("import")));
        assert_false(near_enough(STR("x"), STR("init")));
        assert_false(near_enough(STR("frob"), STR("user")));
        assert_false(near_enough(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), STR("user")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values),
                cmocka_unit_test(ways_out),
                cmocka_unit_test(faults),
                cmocka_unit_test(odd_files),
                cmocka_unit_test(written_by_init),
                cmocka_unit_test(nearness),
        };
        return cmocka_run_group_tests(tests, make_home, remove_home);
}
