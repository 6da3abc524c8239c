#include "daemon/start.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/options.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "(built by hand)"
#endif

enum { EXIT_MISUSED = 2, OTHER_FILES = 1000, SPARE_FILES = 200 };

static const char usage[] =
        "batond - serves a Baton site over SMTP, IMAP and NNTP\n\n"
        "Usage: batond [--home FOLDER] [--foreground] [--ready-fd N]\n\n"
        "  --home FOLDER   the site (else $BATON_HOME, else /var/lib/baton); 'baton init' makes "
        "one\n"
        "  --foreground    stay in the foreground and log to standard error\n"
        "  --ready-fd N    write one byte to descriptor N when all ports listen\n"
        "  --version       print the version\n\n"
        "SIGTERM ends it; SIGHUP reads baton.conf and the certificate again.\n";

/* ---- options ---- */

static int misused(const char *why, const char *word)
{
        fprintf(stderr, "batond: %s%s\n'batond --help' explains the options.\n", why, word);
        return EXIT_MISUSED;
}

static int read_ready(struct start *s, const char *text)
{
        uint32_t n;
        if (str_u32(str_of(text), &n) != OK || n > 1023 || fcntl((int)n, F_GETFD) < 0)
                return misused("--ready-fd needs an open descriptor, not ", text);
        s->ready_fd = (int)n;
        (void)fcntl(s->ready_fd, F_SETFD, FD_CLOEXEC);
        return -1;
}

int start_read(struct start *s, int argc, char **argv)
{
        const char *home = getenv("BATON_HOME"), *ready = NULL;
        *s = (struct start){.ready_fd = -1, .parent = -1, .version = "batond " PACKAGE_VERSION};
        for (int i = 1; i < argc; i++) {
                if (option_taken("--home", argv, &i, &home) || option_taken("--ready-fd", argv, &i, &ready))
                        continue;
                if (!strcmp(argv[i], "--foreground")) {
                        s->foreground = true;
                } else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
                        printf("%s", usage);
                        return 0;
                } else if (!strcmp(argv[i], "--version")) {
                        printf("%s\n", s->version);
                        return 0;
                } else {
                        return misused("there is no option ", argv[i]);
                }
        }
        home = home && home[0] ? home : "/var/lib/baton";
        s->home = realpath(home, NULL); /* detaching changes the working directory */
        s->home = s->home ? s->home : mem_text(home);
        return ready ? read_ready(s, ready) : -1;
}

/* ---- signals ---- */

void start_signals(sigset_t *out)
{
        sigemptyset(out);
        sigaddset(out, SIGTERM);
        sigaddset(out, SIGINT);
        sigaddset(out, SIGHUP);
}

void start_block_signals(void)
{
        sigset_t set;
        start_signals(&set);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        signal(SIGPIPE, SIG_IGN);
}

/* ---- the terminal ---- */

/* The child says one byte when it is ready; when it ends instead, so do we, with its status. */
static _Noreturn void wait_for_child(int from)
{
        char byte;
        ssize_t n;
        while ((n = read(from, &byte, 1)) < 0 && errno == EINTR)
                ;
        _exit(n == 1 ? 0 : 1);
}

bool start_detach(struct start *s)
{
        int ends[2], nothing;
        pid_t child;
        if (s->foreground)
                return true;
        if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
                fprintf(stderr, "batond: cannot detach: %s\n", strerror(errno));
                return false;
        }
        if (child > 0) {
                close(ends[1]);
                wait_for_child(ends[0]);
        }
        close(ends[0]);
        s->parent = ends[1];
        setsid();
        nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (nothing < 0 || chdir("/") != 0)
                return false;
        dup2(nothing, 0);
        dup2(nothing, 1);
        close(nothing);
        return true;
}

void start_reopen_log(const struct start *s)
{
        int fd = s->log ? open(s->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : -1;
        if (!s->log)
                return;
        if (fd < 0) {
                log_error("log: %s: %s", s->log, strerror(errno));
                return;
        }
        dup2(fd, 2); /* the log stays on descriptor 2 for all threads */
        close(fd);
}

/* ---- the user ---- */

void start_raise_files(unsigned connections)
{
        struct rlimit limit;
        rlim_t wanted = (rlim_t)connections + OTHER_FILES;
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
                return;
        if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted) {
                struct rlimit more = {wanted, wanted};
                if (setrlimit(RLIMIT_NOFILE, &more) == 0)
                        return; /* root may */
                if (limit.rlim_max < connections + SPARE_FILES)
                        log_warn("start: %u connections are configured, but only %llu files may be "
                                 "open (ulimit -n)",
                                connections, (unsigned long long)limit.rlim_max);
                wanted = limit.rlim_max;
        }
        limit.rlim_cur = wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum status refuse(const char *format, ...) PRINTF(1, 2);

static enum status refuse(const char *format, ...)
{
        va_list list;
        va_start(list, format);
        fprintf(stderr, "batond: ");
        vfprintf(stderr, format, list);
        fprintf(stderr, "\n");
        va_end(list);
        return FORBIDDEN;
}

enum status start_become_user(const struct config *c)
{
        const struct passwd *user;
        struct stat home;
        const char *name = c->user.len ? c->user.at : NULL;
        if (stat(c->home.at, &home) != 0)
                return refuse("%s: %s", c->home.at, strerror(errno));
        if (!name && geteuid() == 0 && home.st_uid == 0)
                log_warn("start: serves as root; better name a user in [site] of baton.conf");
        if (!name)
                return geteuid() == 0 && home.st_uid != 0
                               ? refuse("%s belongs to another user, and baton.conf names none to "
                                        "become: set 'user' in [site]",
                                         c->home.at)
                               : OK;
        user = getpwnam(name); /* no threads yet */
        if (!user)
                return refuse("there is no user '%s' (baton.conf, [site] user): 'useradd --system "
                              "%s' makes one",
                        name, name);
        if (home.st_uid != user->pw_uid)
                return refuse("%s must belong to '%s', the user in baton.conf: 'chown -R %s: %s'",
                        c->home.at, name, name, c->home.at);
        if (geteuid() == user->pw_uid)
                return OK;
        if (geteuid() != 0)
                return refuse(
                        "only root can become '%s': start batond as root or as that user", name);
        if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
                setuid(user->pw_uid) != 0 || setuid(0) == 0)
                return refuse("cannot become '%s': %s", name, strerror(errno));
        prctl(PR_SET_DUMPABLE, 0); /* the key stays out of core files */
        return OK;
}

/* ---- ready ---- */

static void tell(int *fd)
{
        if (*fd < 0)
                return;
        if (write(*fd, "\n", 1) != 1)
                log_detail("start: nobody waits for the ready byte");
        close(*fd);
        *fd = -1;
}

/* systemd's Type=notify: a datagram to the socket that it names. */
static void tell_systemd(void)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        size_t len = path ? strlen(path) : 0;
        int fd;
        if (!len || len >= sizeof to.sun_path)
                return;
        memcpy(to.sun_path, path, len);
        if (path[0] == '@')
                to.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        if (sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
                log_warn("start: systemd could not be told: %s", strerror(errno));
        close(fd);
}

static char *path_in(const struct config *c, const char *name)
{
        struct buf path = {0};
        buf_addf(&path, "%.*s/%s", STR_ARG(c->home), name);
        char *text = mem_text(buf_text(&path));
        buf_release(&path);
        return text;
}

static void write_pid(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
                log_warn("start: %s: %s", path, strerror(errno));
        if (fd >= 0)
                close(fd);
}

void start_ready(struct start *s, const struct config *c)
{
        s->pid = path_in(c, "run/pid");
        write_pid(s->pid);
        if (!s->foreground) {
                s->log = path_in(c, "batond.log");
                start_reopen_log(s);
        }
        tell_systemd();
        tell(&s->ready_fd);
        tell(&s->parent);
}

void start_end(struct start *s)
{
        if (s->pid)
                (void)unlink(s->pid);
        free(s->pid);
        free(s->log);
        free(s->home);
}
