/* scenes.c - what a client does, one function a scene, from login to its last command. */
#include "load.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *message_room(const struct client *client)
{
        char *room = malloc(client->plan->size + 2048);
        if (!room)
                die("memory", "none left");
        return room;
}

static bool smtp_hello(struct link *link, const char *word)
{
        bool pipelining = false;
        link_expect(link, "220");
        link_say(link, "%s load.example\r\n", word);
        for (;;) {
                const char *line = link_line(link);
                if (strncmp(line, "250", 3) != 0)
                        die(word, line);
                pipelining = pipelining || strcasecmp(line + 4, "PIPELINING") == 0;
                if (line[3] == ' ')
                        return pipelining;
        }
}

static void smtp_auth(struct link *link, const struct plan *plan)
{
        unsigned char plain[256], coded[400];
        int n = snprintf((char *)plain, sizeof plain, "%c%s%c%s", 0, plan->user, 0, plan->password);
        EVP_EncodeBlock(coded, plain, n);
        link_say(link, "AUTH PLAIN %s\r\n", (char *)coded);
        link_expect(link, "235");
}

/* Each message is acknowledged before the next; within one, commands go together where PIPELINING is offered. */
static void smtp_scene(struct client *client, const char *hello)
{
        const struct plan *plan = client->plan;
        struct link *link = &client->link;
        char *text = message_room(client);
        link_open(link, plan->port);
        bool pipelining = smtp_hello(link, hello);
        if (plan->user)
                smtp_auth(link, plan);
        client_ready(client);
        for (long i = 0; client_more(client); i++) {
                size_t len = message_make(text, client, i, false);
                memcpy(text + len, ".\r\n", 3);
                double start = now();
                if (pipelining) {
                        link_say(link, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", plan->sender, plan->target);
                        link_expect(link, "250");
                } else {
                        link_say(link, "MAIL FROM:<%s>\r\n", plan->sender);
                        link_expect(link, "250");
                        link_say(link, "RCPT TO:<%s>\r\n", plan->target);
                }
                link_expect(link, "250");
                if (!pipelining)
                        link_say(link, "DATA\r\n");
                link_expect(link, "354");
                link_put(link, text, len + 3);
                link_expect(link, "250");
                client_took(client, now() - start);
        }
        free(text);
}

static void scene_smtp(struct client *client)
{
        smtp_scene(client, "EHLO");
}

static void scene_lmtp(struct client *client)
{
        smtp_scene(client, "LHLO");
}

static void imap_login(struct link *link, const struct plan *plan)
{
        link_open(link, plan->port);
        link_line(link);
        link_say(link, "in LOGIN \"%s\" \"%s\"\r\n", plan->user, plan->password);
        link_tagged(link, "in", NULL);
}

static void scene_append(struct client *client)
{
        const struct plan *plan = client->plan;
        struct link *link = &client->link;
        char *text = message_room(client);
        imap_login(link, plan);
        client_ready(client);
        for (long i = 0; client_more(client); i++) {
                size_t len = message_make(text, client, i, false);
                memcpy(text + len, "\r\n", 2);
                double start = now();
                link_say(link, "ap APPEND \"%s\" {%zu+}\r\n", plan->target, len); /* LITERAL+, RFC 7888 */
                link_put(link, text, len + 2);
                link_tagged(link, "ap", NULL);
                client_took(client, now() - start);
        }
        free(text);
}

static void scene_fetch(struct client *client)
{
        const struct plan *plan = client->plan;
        struct link *link = &client->link;
        imap_login(link, plan);
        link_say(link, "se SELECT \"%s\"\r\n", plan->target);
        link_tagged(link, "se", NULL);
        client_ready(client);
        while (client_more(client)) {
                double start = now();
                link_say(link, "fe FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n");
                client->units += link_tagged(link, "fe", " FETCH (");
                client_took(client, now() - start);
        }
}

static void nntp_login(struct link *link, const struct plan *plan)
{
        link_open(link, plan->port);
        link_expect(link, "20");
        link_say(link, "MODE READER\r\n");
        link_expect(link, "20");
        if (!plan->user)
                return;
        link_say(link, "AUTHINFO USER %s\r\n", plan->user);
        link_expect(link, "381");
        link_say(link, "AUTHINFO PASS %s\r\n", plan->password);
        link_expect(link, "281");
}

static void nntp_group(struct client *client, long *low, long *high)
{
        link_say(&client->link, "GROUP %s\r\n", client->plan->target);
        if (sscanf(link_expect(&client->link, "211"), "211 %*d %ld %ld", low, high) != 2)
                die("GROUP", "no numbers");
}

static void scene_post(struct client *client)
{
        struct link *link = &client->link;
        char *text = message_room(client);
        nntp_login(link, client->plan);
        client_ready(client);
        for (long i = 0; client_more(client); i++) {
                size_t len = message_make(text, client, i, true);
                memcpy(text + len, ".\r\n", 3);
                double start = now();
                link_say(link, "POST\r\n");
                link_expect(link, "340");
                link_put(link, text, len + 3);
                link_expect(link, "240");
                client_took(client, now() - start);
        }
        free(text);
}

static void scene_over(struct client *client)
{
        long low, high;
        nntp_login(&client->link, client->plan);
        nntp_group(client, &low, &high);
        client_ready(client);
        while (client_more(client)) {
                double start = now();
                link_say(&client->link, "OVER %ld-%ld\r\n", low, high);
                link_expect(&client->link, "224");
                client->units += link_block(&client->link);
                client_took(client, now() - start);
        }
}

static void scene_article(struct client *client)
{
        long low, high;
        nntp_login(&client->link, client->plan);
        nntp_group(client, &low, &high);
        client_ready(client);
        for (long i = low; client_more(client); i = i < high ? i + 1 : low) {
                double start = now();
                link_say(&client->link, "ARTICLE %ld\r\n", i);
                link_expect(&client->link, "220");
                link_block(&client->link);
                client_took(client, now() - start);
        }
}

scene_run *scene_find(const char *name)
{
        static const struct {
                const char *name;
                scene_run *run;
        } scenes[] = {
                {"smtp", scene_smtp},   {"lmtp", scene_lmtp}, {"append", scene_append},   {"fetch", scene_fetch},
                {"post", scene_post},   {"over", scene_over}, {"article", scene_article},
        };
        for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
                if (strcmp(scenes[i].name, name) == 0)
                        return scenes[i].run;
        return NULL;
}

/* Holds `clients` connections in IDLE until its standard input ends; "ready" says that all are. */
int scene_idle(const struct plan *plan)
{
        struct rlimit files;
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        for (int i = 0; i < plan->clients; i++) {
                struct link link = {0};
                imap_login(&link, plan);
                link_say(&link, "se SELECT \"%s\"\r\n", plan->target);
                link_tagged(&link, "se", NULL);
                link_say(&link, "id IDLE\r\n");
                for (const char *line = link_line(&link); line[0] != '+'; line = link_line(&link))
                        if (line[0] != '*')
                                die("IDLE", line);
                free(link.room); /* the socket stays open: the process holds it */
        }
        puts("ready");
        fflush(stdout);
        while (getchar() != EOF)
                continue;
        return 0;
}
