/* link.c - a blocking connection to a server on loopback, read by lines. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void die(const char *what, const char *detail)
{
        fprintf(stderr, "load: %s: %s\n", what, detail);
        exit(1);
}

double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void link_open(struct link *link, int port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        int one = 1;
        struct timeval patience = {.tv_sec = 120};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (link->fd < 0)
                die("socket", strerror(errno));
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(link->fd, (struct sockaddr *)&address, sizeof address) != 0)
                die("connect", strerror(errno));
        link->start = link->end = 0;
        link->octets = 0;
}

void link_close(struct link *link)
{
        close(link->fd);
        free(link->room);
        link->room = NULL;
        link->cap = 0;
}

void link_put(struct link *link, const char *at, size_t len)
{
        while (len > 0) {
                ssize_t n = send(link->fd, at, len, MSG_NOSIGNAL);
                if (n <= 0)
                        die("send", strerror(errno));
                at += n;
                len -= (size_t)n;
        }
}

void link_say(struct link *link, const char *format, ...)
{
        char line[1024];
        va_list rest;
        va_start(rest, format);
        int n = vsnprintf(line, sizeof line, format, rest);
        va_end(rest);
        if (n < 0 || (size_t)n >= sizeof line)
                die("a command is too long", format);
        link_put(link, line, (size_t)n);
}

static void link_fill(struct link *link)
{
        if (link->start == link->end) {
                link->start = link->end = 0;
        } else if (link->end == link->cap && link->start > 0) {
                memmove(link->room, link->room + link->start, link->end - link->start);
                link->end -= link->start;
                link->start = 0;
        }
        if (link->end == link->cap) {
                link->cap = link->cap ? link->cap * 2 : 4096;
                link->room = realloc(link->room, link->cap);
                if (!link->room)
                        die("memory", "none left");
        }
        ssize_t n = recv(link->fd, link->room + link->end, link->cap - link->end, 0);
        if (n <= 0)
                die("recv", n == 0 ? "the server closed the connection" : strerror(errno));
        link->end += (size_t)n;
        link->octets += (uint64_t)n;
        if ((size_t)n > 2048 && link->cap < 1 << 16) { /* a big answer: read it in big pieces */
                link->cap = 1 << 16;
                link->room = realloc(link->room, link->cap);
                if (!link->room)
                        die("memory", "none left");
        }
}

char *link_line(struct link *link)
{
        size_t looked = 0;
        for (;;) {
                size_t have = link->end - link->start;
                char *from = link->room + link->start;
                char *end = have > looked ? memchr(from + looked, '\n', have - looked) : NULL;
                if (end) {
                        link->start += (size_t)(end - from) + 1;
                        *(end > from && end[-1] == '\r' ? end - 1 : end) = '\0';
                        return from;
                }
                looked = have;
                link_fill(link);
        }
}

char *link_expect(struct link *link, const char *code)
{
        for (;;) {
                char *line = link_line(link);
                if (strncmp(line, code, strlen(code)) != 0)
                        die(code, line);
                if (strlen(line) < 4 || line[3] != '-')
                        return line;
        }
}

/* Counts where the octets lie: the load program must not be what is measured. */
long link_block(struct link *link)
{
        size_t len = 0; /* of the line so far */
        char first = 0;
        for (long lines = 0;;) {
                if (link->start == link->end)
                        link_fill(link);
                char *from = link->room + link->start;
                char *end = memchr(from, '\n', link->end - link->start);
                size_t n = end ? (size_t)(end - from) + 1 : link->end - link->start;
                first = len == 0 ? *from : first;
                len += n;
                link->start += n;
                if (end && first == '.' && len == 3)
                        return lines;
                if (end) {
                        lines++;
                        len = 0;
                }
        }
}

long link_tagged(struct link *link, const char *tag, const char *mark)
{
        size_t len = strlen(tag);
        for (long found = 0;;) {
                const char *line = link_line(link);
                if (line[0] == '*')
                        found += mark && strstr(line, mark) ? 1 : 0;
                else if (strncmp(line, tag, len) == 0 && line[len] == ' ') {
                        if (strncmp(line + len + 1, "OK", 2) != 0)
                                die(tag, line);
                        return found;
                }
        }
}

/* The start of each line is kept until it says what the line is; the rest is passed over where it lies. */
long link_answer(struct link *link, const char *tag)
{
        size_t want = strlen(tag) + 3;
        for (long found = 0;;) {
                while (link->end - link->start < want && !memchr(link->room + link->start, '\n', link->end - link->start))
                        link_fill(link);
                char *from = link->room + link->start, *end;
                if (memcmp(from, tag, want - 3) == 0 && from[want - 3] == ' ') {
                        if (memcmp(from + want - 2, "OK", 2) != 0)
                                die(tag, link_line(link));
                        link_line(link);
                        return found;
                }
                found += *from == '*';
                while (!(end = memchr(link->room + link->start, '\n', link->end - link->start))) {
                        link->start = link->end;
                        link_fill(link);
                }
                link->start = (size_t)(end - link->room) + 1;
        }
}

void link_quickack(struct link *link)
{
        int one = 1;
        setsockopt(link->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}
