#include "team/usual.h"
#include <unistd.h>

/* clang-format off */
static const struct listen_config usual[] = {
        /* name                        protocol                     address      port tls   */
        { {"smtp",        4},          {"smtp",        4},          {"::", 2},     25, false },
        { {"lmtp",        4},          {"lmtp",        4},          {"127.0.0.1", 9}, 24, false },
        { {"submission",  10},         {"submission",  10},         {"::", 2},    587, false },
        { {"submissions", 11},         {"submission",  10},         {"::", 2},    465, true  },
        { {"imap",        4},          {"imap",        4},          {"::", 2},    143, false },
        { {"imaps",       5},          {"imap",        4},          {"::", 2},    993, true  },
        { {"nntp",        4},          {"nntp",        4},          {"::", 2},    119, false },
        { {"nntps",       5},          {"nntp",        4},          {"::", 2},    563, true  },
};
/* clang-format on */

const struct listen_config *usual_listener(struct str name)
{
        for (size_t i = 0; i < COUNT_OF(usual); i++) {
                if (str_same(usual[i].name, name))
                        return &usual[i];
        }
        return NULL;
}

static void default_listener(struct listen_config l, unsigned port_base, struct buf *out)
{
        bool local = port_base || !str_eq(l.address, STR("::"));
        buf_addf(out, "\n[listen %.*s]\naddress = %s\nport = %u\n", STR_ARG(l.name),
                local ? "127.0.0.1" : "*", port_base + l.port);
        if (l.tls)
                buf_add_text(out, "tls = yes\n");
}

void config_default(struct str domain, unsigned port_base, struct buf *out)
{
        struct buf mine = {0};
        if (port_base) /* to try it out: the whole site is this user's */
                buf_addf(&mine, "deliver-users = %u          ", (unsigned)getuid());
        else
                buf_add_text(&mine, "# deliver-users = gateway     ");
        buf_addf(out,
                "# The settings of this Baton site. baton.conf(5) explains every key; a line that "
                "begins\n"
                "# with '#' shows a default. After a change: kill -HUP the daemon (listeners, user "
                "and\n"
                "# [store] need a restart). An unknown key or a bad value stops the start with its "
                "line.\n"
                "\n[site]\n"
                "domain = %.*s\n"
                "# host = %.*s               # the server's own name, where it differs from the "
                "domain\n"
                "# user = baton              # whom batond becomes after it has opened its ports "
                "as root\n"
                "# certificate = tls/certificate.pem\n"
                "# key = tls/key.pem\n"
                "# separator = +             # NAME+detail@ in addresses\n"
                "# log = notes               # errors, warnings, notes, details\n"
                "# distrib-pats = 10:eng.*:local   # what newsreaders put into Distribution\n"
                "\n[login]\n"
                "# cleartext-login = loopback   # passwords without TLS: loopback, never, always\n"
                "# login-failures = 20          # a minute and address, then logins from there "
                "wait\n"
                "%s  # who may say who wrote what they pipe into 'baton deliver'\n"
                "\n[limits]\n"
                "# message-size = 50M\n"
                "# recipients = 100             # of one message\n"
                "# workers = 256                # threads that serve clients\n"
                "# connections = 20000\n"
                "# connections-per-address = 1000\n"
                "# idle-smtp = 5m               # silence after which a client is put out\n"
                "# idle-imap = 30m\n"
                "# idle-nntp = 10m\n"
                "\n[relay]\n"
                "# relay = mail.provider.example:587  # who takes mail for the outside; without it none leaves\n"
                "# relay = mx                   # or each domain's own servers do, found by DNS\n"
                "# mx-port = 25\n"
                "# resolver = 127.0.0.1         # who is asked, else the system's\n"
                "# relay-user = team\n"
                "# relay-password-file = relay.password\n"
                "# relay-tls = may              # may, must (with a right certificate), never\n"
                "# relay-roots = FILE           # who may sign its certificate; else the system's\n"
                "# relay-senders = 4            # connections at once; 16 by MX\n"
                "# retry-first = 5m\n"
                "# retry-most = 4h\n"
                "# warn = 4h                    # then the sender is told that it is late\n"
                "# give-up = 5d\n"
                "# reply-wait = 5m              # else what RFC 5321 says\n"
                "\n[lists]\n"
                "# bounce-limit = 3             # lasting failures before an address is probed\n"
                "\n[store]\n"
                "# cache = 256M                 # memory for database pages\n"
                "# reserve = 256M               # free disk below which new mail is refused\n"
                "# ballast = 96M                # kept on disk, given up for recovery on a full "
                "disk\n"
                "# log-file = 16M\n",
                STR_ARG(domain), STR_ARG(domain), buf_text(&mine));
        buf_release(&mine);
        buf_add_text(out, "\n# The ports. LMTP takes mail for everybody without a login: never "
                          "open it to the world.\n");
        for (size_t i = 0; i < COUNT_OF(usual); i++)
                default_listener(usual[i], port_base, out);
}
