/* scenes.c - what a client does, one function a scene, from login to its last command. */
#include "load.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

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
                const char *flags = plan->people && i % 3 ? "(\\Seen) " : "";
                double start = now();
                link_say(link, "ap APPEND \"%s\" %s{%zu+}\r\n", plan->target, flags, len); /* LITERAL+, RFC 7888 */
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

/* One command again and again, in a selected folder. */
static void scene_ask(struct client *client)
{
        const struct plan *plan = client->plan;
        struct link *link = &client->link;
        imap_login(link, plan);
        link_say(link, "se SELECT \"%s\"\r\n", plan->target);
        link_tagged(link, "se", NULL);
        client_ready(client);
        while (client_more(client)) {
                if (plan->after) {
                        link_say(link, "x4fter %s\r\n", plan->after);
                        link_answer(link, "x4fter");
                }
                double start = now();
                link_say(link, "x4sk %s\r\n", plan->command);
                client->units += link_answer(link, "x4sk");
                client_took(client, now() - start);
        }
}

/* What a delivery agent does, without its fsync: files of a Maildir, two in three read. */
static void scene_maildir(struct client *client)
{
        const struct plan *plan = client->plan;
        char *text = message_room(client), path[1024];
        client_ready(client);
        for (long i = 0; client_more(client); i++) {
                size_t len = message_make(text, client, i, false);
                int n = snprintf(path, sizeof path, "%s/cur/%010ld.M%06dP1.load,S=%zu:2,%s", plan->target, 1000000000 + i,
                                 client->number, len, i % 3 ? "S" : "");
                FILE *file = n > 0 && (size_t)n < sizeof path ? fopen(path, "w") : NULL;
                if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
                        die("maildir", path);
                client_took(client, 0);
        }
        free(text);
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

static long which_article(const struct client *client, uint64_t *dice, long low, long high)
{
        if (!client->plan->random)
                return low + client->done % (high - low + 1);
        *dice = *dice * 6364136223846793005u + 1442695040888963407u;
        return low + (long)((*dice >> 33) % (uint64_t)(high - low + 1));
}

/* `depth` of them are asked for together; each is timed from when it was asked for, or from the one before it. */
static void scene_article(struct client *client)
{
        const struct plan *plan = client->plan;
        struct link *link = &client->link;
        uint64_t dice = (uint64_t)client->number + 1;
        long low, high;
        nntp_login(link, plan);
        nntp_group(client, &low, &high);
        client_ready(client);
        while (client_more(client)) {
                char asked[64 * 32];
                size_t len = 0;
                int depth = plan->depth < 64 ? plan->depth : 64;
                for (int k = 0; k < depth; k++)
                        len += (size_t)snprintf(asked + len, sizeof asked - len, "ARTICLE %ld\r\n",
                                                which_article(client, &dice, low + k, high));
                double start = now();
                link_put(link, asked, len);
                for (int k = 0; k < depth; k++) {
                        if (plan->quickack)
                                link_quickack(link);
                        link_expect(link, "220");
                        link_block(link);
                        double end = now();
                        client_took(client, end - start);
                        start = end;
                }
        }
}

scene_run *scene_find(const char *name)
{
        static const struct {
                const char *name;
                scene_run *run;
        } scenes[] = {
                {"smtp", scene_smtp}, {"lmtp", scene_lmtp}, {"append", scene_append},   {"fetch", scene_fetch},
                {"post", scene_post}, {"over", scene_over}, {"article", scene_article}, {"ask", scene_ask},
                {"maildir", scene_maildir},
        };
        for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
                if (strcmp(scenes[i].name, name) == 0)
                        return scenes[i].run;
        return NULL;
}

static void many_files(void)
{
        struct rlimit files;
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
}

static void idle_begin(struct link *link, const struct plan *plan)
{
        imap_login(link, plan);
        link_say(link, "se SELECT \"%s\"\r\n", plan->target);
        link_tagged(link, "se", NULL);
        link_say(link, "id IDLE\r\n");
        for (const char *line = link_line(link); line[0] != '+'; line = link_line(link))
                if (line[0] != '*')
                        die("IDLE", line);
        free(link->room); /* the socket stays open */
        link->room = NULL;
        link->cap = link->start = link->end = 0;
}

/* Holds `clients` connections in IDLE until its standard input ends; "ready" says that all are. */
int scene_idle(const struct plan *plan)
{
        many_files();
        for (int i = 0; i < plan->clients; i++)
                idle_begin(&(struct link){0}, plan);
        puts("ready");
        fflush(stdout);
        while (getchar() != EOF)
                continue;
        return 0;
}

/* What they were told while nobody listened. */
static void drain(int all, const struct link *links)
{
        char room[4096];
        struct epoll_event events[256];
        for (int n; (n = epoll_wait(all, events, 256, 0)) > 0;)
                for (int i = 0; i < n; i++)
                        if (recv(links[events[i].data.u32].fd, room, sizeof room, 0) <= 0)
                                die("EXISTS", "a connection was closed");
}

/* Until each of them has been told. */
static void hear(int all, const struct link *links, int *heard, int clients)
{
        char room[4096];
        struct epoll_event events[256];
        for (int left = clients; left > 0;) {
                int n = epoll_wait(all, events, 256, 120000);
                if (n <= 0)
                        die("EXISTS", "not all were told within two minutes");
                for (int i = 0; i < n; i++) {
                        uint32_t k = events[i].data.u32;
                        ssize_t len = recv(links[k].fd, room, sizeof room - 1, 0);
                        if (len <= 0)
                                die("EXISTS", "a connection was closed");
                        room[len] = '\0';
                        bool told = strstr(room, " EXISTS") != NULL;
                        left -= told && !heard[k];
                        heard[k] |= told;
                }
        }
        memset(heard, 0, (size_t)clients * sizeof *heard);
}

/* `clients` in IDLE; a message is appended by one more: the time from its last octet until the last one knows. */
int scene_exists(const struct plan *plan)
{
        struct client writer = {.plan = plan};
        struct link *links = calloc((size_t)plan->clients, sizeof *links);
        int *heard = calloc((size_t)plan->clients, sizeof *heard), all = epoll_create1(EPOLL_CLOEXEC);
        char *text = message_room(&writer);
        if (!links || !heard || all < 0)
                die("memory", "none left");
        many_files();
        for (int i = 0; i < plan->clients; i++) {
                struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
                idle_begin(&links[i], plan);
                epoll_ctl(all, EPOLL_CTL_ADD, links[i].fd, &event);
        }
        imap_login(&writer.link, plan);
        printf("[");
        for (long i = 0; i < plan->count; i++) {
                struct timespec rest = {.tv_sec = 1};
                nanosleep(&rest, NULL);
                drain(all, links);
                size_t len = message_make(text, &writer, i, false);
                memcpy(text + len, "\r\n", 2);
                link_say(&writer.link, "ap APPEND \"%s\" {%zu+}\r\n", plan->target, len);
                double start = now();
                link_put(&writer.link, text, len + 2);
                link_tagged(&writer.link, "ap", NULL);
                double filed = now();
                hear(all, links, heard, plan->clients);
                printf("%s{\"filed\": %.6f, \"told\": %.6f}", i ? ", " : "", filed - start, now() - start);
        }
        puts("]");
        return 0;
}
