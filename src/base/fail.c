#include "base/fail.h"
#include "base/log.h"
#include <stdarg.h>

const char *status_name(enum status st)
{
        static const char *const names[STATUS_COUNT] = {
                [OK] = "OK",           [ABSENT] = "ABSENT",           [EXISTS] = "EXISTS",
                [INVALID] = "INVALID", [DENIED] = "DENIED",           [FORBIDDEN] = "FORBIDDEN",
                [TOO_BIG] = "TOO_BIG", [UNSUPPORTED] = "UNSUPPORTED", [TOO_MANY] = "TOO_MANY",
                [CHANGED] = "CHANGED", [BUSY] = "BUSY",               [FULL] = "FULL",
                [TIMEOUT] = "TIMEOUT", [CLOSED] = "CLOSED",           [DAMAGED] = "DAMAGED",
                [BROKEN] = "BROKEN",
        };
        return st < STATUS_COUNT ? names[st] : "?";
}

_Noreturn void fail_now(const char *why, ...)
{
        char text[512];
        va_list ap;
        va_start(ap, why);
        vsnprintf(text, sizeof text, why, ap);
        va_end(ap);
        log_error("fatal: %s", text);
        abort();
}

void *mem_new(size_t size)
{
        void *p = calloc(1, size ? size : 1);
        if (!p)
                fail_now("out of memory: %zu octets", size);
        return p;
}

void *mem_grow(void *old, size_t size)
{
        void *p = realloc(old, size ? size : 1);
        if (!p)
                fail_now("out of memory: %zu octets", size);
        return p;
}

void *mem_copy(const void *from, size_t size)
{
        void *p = mem_new(size);
        if (size)
                memcpy(p, from, size);
        return p;
}

char *mem_text(const char *from)
{
        return mem_copy(from, strlen(from) + 1);
}
