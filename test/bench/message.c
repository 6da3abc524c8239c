/* message.c - mail that looks like mail: words in lines, a thread of eight, three shapes of MIME.
 * The text is drawn from 4,096 made-up words, so that compression gains what it gains on prose and no more. */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct pen {
        char *at, *end;
        uint64_t dice;
};

static uint64_t roll(struct pen *pen)
{
        pen->dice ^= pen->dice << 13;
        pen->dice ^= pen->dice >> 7;
        pen->dice ^= pen->dice << 17;
        return pen->dice;
}

static size_t word(char *out, uint64_t which)
{
        static const char first[] = "bcdfghjklmnprstv", second[] = "aeiou";
        size_t n = 0;
        for (uint64_t rest = which & 4095, k = 0; k < 2 + which % 3; k++, rest /= 7) {
                out[n++] = first[(rest + k * 5) % 16];
                out[n++] = second[rest % 5];
        }
        return n;
}

static void pen_text(struct pen *pen, size_t len)
{
        char *stop = pen->at + len < pen->end ? pen->at + len : pen->end;
        size_t column = 0;
        while (pen->at + 16 < stop) {
                uint64_t n = roll(pen);
                /* the square makes some words common and most rare */
                size_t k = word(pen->at, (n & 63) * ((n >> 8) & 63));
                pen->at += k;
                column += k + 1;
                if (column > 68) {
                        memcpy(pen->at, "\r\n", 2);
                        pen->at += 2;
                        column = 0;
                } else
                        *pen->at++ = ' ';
        }
        memcpy(pen->at, "\r\n", 2);
        pen->at += 2;
}

static void pen_base64(struct pen *pen, size_t len)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char *stop = pen->at + len < pen->end ? pen->at + len : pen->end;
        while (pen->at + 78 < stop) {
                for (int i = 0; i < 76; i++)
                        *pen->at++ = digits[roll(pen) & 63];
                memcpy(pen->at, "\r\n", 2);
                pen->at += 2;
        }
}

#define PUT(pen, ...) ((pen)->at += snprintf((pen)->at, (size_t)((pen)->end - (pen)->at), __VA_ARGS__))

static void pen_head(struct pen *pen, const struct client *client, long index, bool news)
{
        const struct plan *plan = client->plan;
        enum { APART = 90, SPAN = 8 * 86400 }; /* seconds: between messages, and from the first to now */
        char date[64], subject[24], sender[128];
        long answers = plan->alone ? 0 : index % 8; /* so many before it in its thread */
        struct tm utc;
        time_t t = time(NULL) - SPAN + index * APART % (SPAN - 2 * APART) + (time_t)(roll(pen) % (2 * APART));
        gmtime_r(&t, &utc);
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
        subject[word(subject, (uint64_t)(index / 8))] = '\0';
        if (news)
                PUT(pen, "Newsgroups: %s\r\n", plan->target);
        else
                PUT(pen, "To: \"The Team\" <%s>, Someone Else <someone@example.org>\r\n", plan->target);
        if (plan->people)
                snprintf(sender, sizeof sender, "p%d@load.example", (int)(roll(pen) % (unsigned)plan->people));
        else
                snprintf(sender, sizeof sender, "%s", plan->sender);
        PUT(pen,
            "From: \"Bo Lind\" <%s>\r\nDate: %s\r\nMessage-ID: <%s.%d.%ld@load.example>\r\n"
            "Subject: %sthe %s of thread %ld, seen from client %d\r\nUser-Agent: load/1\r\nMIME-Version: 1.0\r\n",
            sender, date, plan->run, client->number, index, answers ? "Re: " : "", subject, index / 8,
            client->number);
        if (answers)
                PUT(pen, "In-Reply-To: <%s.%d.%ld@load.example>\r\nReferences:", plan->run, client->number, index - 1);
        for (long i = index - answers; i < index; i++)
                PUT(pen, "%s<%s.%d.%ld@load.example>\r\n", " ", plan->run, client->number, i);
}

size_t message_make(char *out, const struct client *client, long index, bool news)
{
        size_t size = client->plan->size;
        struct pen pen = {out, out + size + 2000, 0x9e3779b97f4a7c15u * (uint64_t)(index * 64 + client->number + 1)};
        pen_head(&pen, client, index, news);
        size_t left = size > (size_t)(pen.at - out) + 500 ? size - (size_t)(pen.at - out) - 100 : 400;
        long shape = index % 10;
        if (shape < 7) {
                PUT(&pen, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
                pen_text(&pen, left);
                return (size_t)(pen.at - out);
        }
        PUT(&pen,
            "Content-Type: multipart/%s; boundary=\"=_b%ld\"\r\n\r\n--=_b%ld\r\n"
            "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
            shape < 9 ? "alternative" : "mixed", index, index);
        pen_text(&pen, left / 2 - 150);
        if (shape < 9) {
                PUT(&pen, "--=_b%ld\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n<html><body><p>\r\n", index);
                pen_text(&pen, left / 2 - 150);
                PUT(&pen, "</p></body></html>\r\n");
        } else {
                PUT(&pen,
                    "--=_b%ld\r\nContent-Type: application/octet-stream; name=\"f%ld.bin\"\r\n"
                    "Content-Disposition: attachment; filename=\"f%ld.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                    index, index, index);
                pen_base64(&pen, left / 2 - 200);
        }
        PUT(&pen, "--=_b%ld--\r\n", index);
        return (size_t)(pen.at - out);
}
