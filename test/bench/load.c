/* load.c - load SCENE --port N [options]: one thread a client, one line of JSON at the end.
 * Scenes: smtp lmtp append fetch ask post over article idle exists maildir. */
#include "load.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t all_ready; /* the one thing that the clients share */

void client_ready(struct client *client)
{
        pthread_barrier_wait(&all_ready);
        client->link.octets = 0;
        client->ends = now() + client->plan->seconds;
}

bool client_more(struct client *client)
{
        if (client->plan->seconds > 0)
                return now() < client->ends;
        return client->done < client->plan->count;
}

void client_took(struct client *client, double seconds)
{
        if ((size_t)client->done == client->took_cap) {
                client->took_cap = client->took_cap ? client->took_cap * 2 : 4096;
                client->took = realloc(client->took, client->took_cap * sizeof *client->took);
                if (!client->took)
                        die("memory", "none left");
        }
        client->took[client->done++] = seconds;
}

static void *client_main(void *given)
{
        struct client *client = given;
        scene_find(client->plan->scene)(client);
        client->octets = client->link.octets;
        client->ends = now();
        if (client->link.room)
                link_close(&client->link);
        return NULL;
}

static int by_size(const void *a, const void *b)
{
        const double *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

static void report(const struct plan *plan, const struct client *clients, double start)
{
        long done = 0, units = 0, n = 0;
        uint64_t octets = 0;
        double ends = start;
        for (int i = 0; i < plan->clients; i++) {
                done += clients[i].done;
                units += clients[i].units;
                octets += clients[i].octets;
                ends = clients[i].ends > ends ? clients[i].ends : ends;
        }
        double *all = malloc(((size_t)done + 1) * sizeof *all);
        if (!all)
                die("memory", "none left");
        for (int i = 0; i < plan->clients; i++) {
                memcpy(all + n, clients[i].took, (size_t)clients[i].done * sizeof *all);
                n += clients[i].done;
        }
        qsort(all, (size_t)n, sizeof *all, by_size);
        struct rusage own;
        getrusage(RUSAGE_SELF, &own);
        printf("{\"done\": %ld, \"units\": %ld, \"octets\": %llu, \"seconds\": %.6f, \"p50\": %.6f, \"p99\": %.6f, "
               "\"own_cpu\": %.3f}\n",
               done, units, (unsigned long long)octets, ends - start, n ? all[n / 2] : 0, n ? all[n * 99 / 100] : 0,
               (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
                       (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6);
        free(all);
}

static int run(const struct plan *plan)
{
        struct client *clients = calloc((size_t)plan->clients, sizeof *clients);
        pthread_t *threads = calloc((size_t)plan->clients, sizeof *threads);
        if (!clients || !threads)
                die("memory", "none left");
        pthread_barrier_init(&all_ready, NULL, (unsigned)plan->clients + 1);
        for (int i = 0; i < plan->clients; i++) {
                clients[i].plan = plan;
                clients[i].number = i;
                if (pthread_create(&threads[i], NULL, client_main, &clients[i]) != 0)
                        die("thread", "none left");
        }
        pthread_barrier_wait(&all_ready);
        double start = now();
        for (int i = 0; i < plan->clients; i++)
                pthread_join(threads[i], NULL);
        report(plan, clients, start);
        for (int i = 0; i < plan->clients; i++)
                free(clients[i].took);
        free(clients);
        free(threads);
        return 0;
}

static int usage(void)
{
        fputs("usage: load smtp|lmtp|append|fetch|ask|post|over|article|idle|exists --port N\n"
              "            [--user U --password W] [--target FOLDER|GROUP|ADDRESS] [--sender ADDRESS | --people N] [--alone]\n"
              "            [--clients N] [--seconds S | --count N] [--size OCTETS]\n"
              "            ask: --command LINE [--after LINE]    article: [--random] [--quickack] [--depth N]\n"
              "       load maildir --target PATH [--clients N] --count N [--size OCTETS] [--people N]\n",
              stderr);
        return 2;
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                {"port", 1, NULL, 'p'},   {"user", 1, NULL, 'u'},    {"password", 1, NULL, 'w'},
                {"target", 1, NULL, 't'}, {"sender", 1, NULL, 'f'},  {"clients", 1, NULL, 'c'},
                {"count", 1, NULL, 'n'},  {"seconds", 1, NULL, 's'}, {"size", 1, NULL, 'z'},
                {"people", 1, NULL, 'e'}, {"command", 1, NULL, 'm'}, {"after", 1, NULL, 'a'},
                {"depth", 1, NULL, 'd'},  {"random", 0, NULL, 'r'},  {"quickack", 0, NULL, 'q'},
                {"alone", 0, NULL, 'o'},
                {NULL, 0, NULL, 0},
        };
        struct plan plan = {.clients = 1, .count = 1, .size = 4096, .depth = 1, .target = "INBOX",
                            .sender = "bo@team.example", .command = "NOOP"};
        for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
                switch (o) {
                case 'p': plan.port = (int)strtol(optarg, NULL, 10); break;
                case 'u': plan.user = optarg; break;
                case 'w': plan.password = optarg; break;
                case 't': plan.target = optarg; break;
                case 'f': plan.sender = optarg; break;
                case 'c': plan.clients = (int)strtol(optarg, NULL, 10); break;
                case 'n': plan.count = strtol(optarg, NULL, 10); break;
                case 's': plan.seconds = strtod(optarg, NULL); break;
                case 'z': plan.size = strtoul(optarg, NULL, 10); break;
                case 'e': plan.people = (int)strtol(optarg, NULL, 10); break;
                case 'm': plan.command = optarg; break;
                case 'a': plan.after = optarg; break;
                case 'd': plan.depth = (int)strtol(optarg, NULL, 10); break;
                case 'r': plan.random = true; break;
                case 'q': plan.quickack = true; break;
                case 'o': plan.alone = true; break;
                default: return usage();
                }
        plan.scene = optind < argc ? argv[optind] : "";
        snprintf(plan.run, sizeof plan.run, "%lx.%x", (unsigned long)time(NULL), (unsigned)getpid());
        bool served = strcmp(plan.scene, "maildir") != 0;
        if ((served && plan.port <= 0) || plan.clients < 1 || plan.size < 1024 || plan.depth < 1 || plan.people < 0)
                return usage();
        if (strcmp(plan.scene, "idle") == 0)
                return scene_idle(&plan);
        if (strcmp(plan.scene, "exists") == 0)
                return scene_exists(&plan);
        return scene_find(plan.scene) ? run(&plan) : usage();
}
