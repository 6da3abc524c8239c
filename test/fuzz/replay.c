/* Replays the corpus of a fuzz target, as one unit test of it: test/unit/fuzz_NAME runs what lies in
 * test/fuzz/corpus/NAME. A target ends the process where something is wrong. */
#include "base/buf.h"
#include "base/log.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_file(const char *path, struct buf *out)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : 1;
        while (n > 0) {
                n = read(fd, buf_reserve(out, 65536), 65536);
                out->len += n > 0 ? (size_t)n : 0;
        }
        if (fd >= 0)
                close(fd);
        return n == 0;
}

static void replay_file(const char *path)
{
        struct buf octets = {0};
        if (!read_file(path, &octets))
                fail_now("%s cannot be read", path);
        printf("# %s\n", path); /* the last line says what failed */
        fflush(stdout);
        char *exact = mem_copy(octets.at, octets.len);
        LLVMFuzzerTestOneInput((const uint8_t *)exact, octets.len);
        free(exact);
        buf_release(&octets);
}

static unsigned replay_folder(const char *path)
{
        unsigned count = 0;
        DIR *dir = opendir(path);
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
                struct buf name = {0};
                buf_addf(&name, "%s/%s", path, entry->d_name);
                if (entry->d_name[0] != '.') {
                        replay_file(buf_text(&name));
                        count++;
                }
                buf_release(&name);
        }
        if (dir)
                closedir(dir);
        return count;
}

int main(int count, char **arguments)
{
        (void)count;
        const char *top = getenv("BATON_TOP"), *source = getenv("srcdir");
        struct str self = str_of(arguments[0]);
        self = str_from(self, str_rchr(self, '/') + 1);
        if (!str_starts(self, STR("fuzz_")))
                fail_now("the name of a replay begins with fuzz_");
        struct buf folder = {0};
        buf_addf(&folder, "%s/test/fuzz/corpus/%.*s", top ? top : source ? source : ".",
                STR_ARG(str_from(self, strlen("fuzz_"))));
        log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS);
        unsigned files = replay_folder(buf_text(&folder));
        printf("%s 1 - %u inputs of %s\n1..1\n", files ? "ok" : "not ok", files, buf_text(&folder));
        buf_release(&folder);
        return files ? 0 : 1;
}
