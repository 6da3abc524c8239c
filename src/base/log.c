#include "base/log.h"
#include "base/buf.h"
#include <stdatomic.h>
#include <unistd.h>

static atomic_int log_fd = 2;
static atomic_int log_most = LOG_NOTES;

void log_open(int fd, enum log_level most)
{
        log_fd = fd;
        log_most = (int)most;
}

static void add_plainly(struct buf *line, struct str text)
{
        for (size_t i = 0; i < text.len; i++) {
                unsigned char c = (unsigned char)text.at[i];
                if (c < ' ' || c == 0x7f)
                        buf_addf(line, "\\x%02x", c);
                else
                        buf_add_char(line, (char)c);
        }
}

PRINTF(3, 0)
static void log_line(enum log_level level, const char *word, const char *format, va_list ap)
{
        if ((int)level > log_most)
                return;
        struct buf line = {0}, text = {0};
        struct timespec now;
        struct tm tm;
        char stamp[32];
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
        buf_addf(&line, "%s.%03ldZ %s: ", stamp, now.tv_nsec / 1000000, word);
        buf_vaddf(&text, format, ap);
        add_plainly(&line, buf_str(&text));
        buf_add_char(&line, '\n');
        if (write(log_fd, line.at, line.len) < 0) { /* nowhere left to say it */
        }
        buf_release(&text);
        buf_release(&line);
}

#define LOG_FUNCTION(name, level, word)                                                            \
        void name(const char *format, ...)                                                         \
        {                                                                                          \
                va_list ap;                                                                        \
                va_start(ap, format);                                                              \
                log_line(level, word, format, ap);                                                 \
                va_end(ap);                                                                        \
        }

LOG_FUNCTION(log_error, LOG_ERRORS, "error")
LOG_FUNCTION(log_warn, LOG_WARNINGS, "warning")
LOG_FUNCTION(log_note, LOG_NOTES, "note")
LOG_FUNCTION(log_detail, LOG_DETAILS, "detail")
