#include "cli/progress.h"
#include "base/clock.h"
#include <sys/ioctl.h>
#include <unistd.h>

enum { PAUSE_MS = 100, BAR_MAX = 40 };

void progress_begin(struct progress *p, struct cli *c, const char *label, uint64_t total)
{
        struct winsize size;
        int fd = fileno(c->err);
        *p = (struct progress){.cli = c, .label = label, .total = total, .begun = clock_ms()};
        p->told = p->begun;
        if (isatty(fd))
                p->width = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* "Importing [======>      ]  46 %  12 s left" */
void progress_tell(struct progress *p, uint64_t done)
{
        char bar[BAR_MAX + 1];
        uint64_t now = clock_ms(), spent = now - p->begun;
        unsigned percent, width = BAR_MAX;
        if (!p->width || now - p->told < PAUSE_MS)
                return;
        p->told = now;
        p->shown = true;
        if (!p->total) {
                fprintf(p->cli->err, "\r%s %llu\033[K", p->label, (unsigned long long)done);
                fflush(p->cli->err);
                return;
        }
        if (done > p->total)
                done = p->total;
        percent = (unsigned)(done * 100 / p->total);
        if (p->width < strlen(p->label) + BAR_MAX + 28)
                width = 10;
        for (unsigned i = 0; i < width; i++)
                bar[i] = i < percent * width / 100 ? '=' : i == percent * width / 100 ? '>' : ' ';
        bar[width] = 0;
        fprintf(p->cli->err, "\r%s [%s] %3u %%", p->label, bar, percent);
        if (done && spent > 2000)
                fprintf(p->cli->err, "  %llu s left",
                        (unsigned long long)(spent * (p->total - done) / done / 1000));
        fprintf(p->cli->err, "\033[K");
        fflush(p->cli->err);
}

void progress_clear(struct progress *p)
{
        if (!p->shown)
                return;
        fprintf(p->cli->err, "\r\033[K");
        fflush(p->cli->err);
        p->shown = false;
}
