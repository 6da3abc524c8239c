#include "daemon/control.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CALLS_MAX = 16, STACK_OCTETS = 1 << 20, NUDGE_MS = 100 };

struct call {
        struct control *control;
        pthread_t thread;
        int socket;
        bool used, ended; /* ended: the thread is to be joined */
};
struct control {
        struct site *site;
        struct crew *crew;
        int listening, stop; /* stop: an eventfd */
        char path[108];
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed; /* a call has ended */
        struct call calls[CALLS_MAX];
};

/* ---- one call ---- */

static FILE *stream(int *fd, const char *how)
{
        FILE *file = fdopen(*fd, how);
        if (file)
                *fd = -1; /* closed with the stream */
        return file;
}

static int obey(struct control *control, struct remote_request *r, int caller)
{
        struct cli c = {.home = site_config(control->site)->home.at,
                .site = control->site,
                .crew = control->crew,
                .cwd = r->cwd,
                .caller = caller};
        int status = FAILED;
        c.in = stream(&r->streams[0], "r");
        c.out = stream(&r->streams[1], "w");
        c.err = stream(&r->streams[2], "w");
        c.arena = arena_new();
        if (c.in && c.out && c.err)
                status = cli_run(&c, r->count, r->words);
        if (c.in)
                fclose(c.in);
        if (c.out && fclose(c.out) != 0 && errno != EPIPE && status == DONE)
                status = FAILED;
        if (c.err)
                fclose(c.err);
        arena_free(c.arena);
        return status;
}

static bool may_call(int socket)
{
        struct ucred who;
        socklen_t len = sizeof who;
        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
                return false;
        return who.uid == 0 || who.uid == geteuid();
}

static void *call_run(void *arg)
{
        struct call *call = arg;
        struct control *control = call->control;
        struct remote_request r;
        int status = FAILED;
        if (remote_receive(call->socket, &r) == OK && may_call(call->socket))
                status = obey(control, &r, call->socket);
        remote_release(&r);
        remote_answer(call->socket, status);
        pthread_mutex_lock(&control->lock);
        close(call->socket);
        call->socket = -1;
        call->ended = true;
        pthread_cond_broadcast(&control->changed);
        pthread_mutex_unlock(&control->lock);
        return NULL;
}

/* ---- all of them ---- */

/* Under the lock. */
static void join_ended(struct control *control)
{
        for (size_t i = 0; i < CALLS_MAX; i++) {
                struct call *call = &control->calls[i];
                if (call->used && call->ended) {
                        pthread_join(call->thread, NULL);
                        call->used = false;
                }
        }
}

static unsigned count_running(const struct control *control)
{
        unsigned n = 0;
        for (size_t i = 0; i < CALLS_MAX; i++)
                n += control->calls[i].used && !control->calls[i].ended;
        return n;
}

static struct call *free_call(struct control *control)
{
        join_ended(control);
        for (size_t i = 0; i < CALLS_MAX; i++) {
                if (!control->calls[i].used)
                        return &control->calls[i];
        }
        return NULL;
}

static void call_begin(struct control *control, int socket)
{
        pthread_attr_t how;
        pthread_attr_init(&how);
        pthread_attr_setstacksize(&how, STACK_OCTETS);
        pthread_mutex_lock(&control->lock);
        struct call *call = free_call(control);
        if (call) {
                *call = (struct call){.control = control, .socket = socket, .used = true};
                if (pthread_create(&call->thread, &how, call_run, call) != 0)
                        call->used = false;
        }
        if (!call || !call->used) {
                log_warn("control: too many commands at once; one was refused");
                close(socket);
        }
        pthread_mutex_unlock(&control->lock);
        pthread_attr_destroy(&how);
}

static void *control_run(void *arg)
{
        struct control *control = arg;
        struct pollfd p[2] = {{.fd = control->listening, .events = POLLIN},
                {.fd = control->stop, .events = POLLIN}};
        for (;;) {
                if (poll(p, 2, -1) < 0 && errno != EINTR)
                        break;
                if (p[1].revents)
                        break;
                int socket = accept4(control->listening, NULL, NULL, SOCK_CLOEXEC);
                if (socket >= 0)
                        call_begin(control, socket);
                else if (errno == EMFILE || errno == ENFILE)
                        usleep(NUDGE_MS * 1000);
        }
        return NULL;
}

/* ---- beginning and end ---- */

static bool address_of(const char *home, struct sockaddr_un *out)
{
        int n;
        *out = (struct sockaddr_un){.sun_family = AF_UNIX};
        n = snprintf(out->sun_path, sizeof out->sun_path, "%s/run/control", home);
        return n > 0 && (size_t)n < sizeof out->sun_path;
}

bool control_answers(const char *home)
{
        struct sockaddr_un address;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool answers = fd >= 0 && address_of(home, &address) &&
                       connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
        if (fd >= 0)
                close(fd);
        return answers;
}

/* The mode is set before bind, so that there is no moment in which others may connect. */
static int listen_at(const struct sockaddr_un *address)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -1;
        unlink(address->sun_path);
        if (fchmod(fd, 0600) == 0 &&
                bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
                chmod(address->sun_path, 0600) == 0 && listen(fd, 64) == 0)
                return fd;
        close(fd);
        return -1;
}

static void interrupted(int number)
{
        (void)number;
}

enum status control_start(struct site *site, struct crew *crew, struct control **out)
{
        struct sockaddr_un address;
        const char *home = site_config(site)->home.at;
        struct control *control;
        if (!address_of(home, &address)) {
                log_error("control: %s/run/control is too long a path for a socket", home);
                return BROKEN;
        }
        control = mem_new(sizeof *control);
        control->site = site;
        control->crew = crew;
        memcpy(control->path, address.sun_path, sizeof control->path);
        pthread_mutex_init(&control->lock, NULL);
        pthread_cond_init(&control->changed, NULL);
        sigaction(SIGUSR1, &(struct sigaction){.sa_handler = interrupted},
                NULL); /* without SA_RESTART: see nudge */
        control->stop = eventfd(0, EFD_CLOEXEC);
        control->listening = listen_at(&address);
        if (control->listening < 0 || control->stop < 0 ||
                pthread_create(&control->thread, NULL, control_run, control) != 0) {
                log_error("control: %s: %s", address.sun_path, strerror(errno));
                if (control->listening >= 0)
                        close(control->listening);
                close(control->stop);
                free(control);
                return BROKEN;
        }
        *out = control;
        return OK;
}

/* A command may be waiting to write to a terminal or a pipe: a signal whose handler does nothing
 * makes that write fail, and cli_gone says that it is over. */
static void nudge(struct control *control)
{
        for (size_t i = 0; i < CALLS_MAX; i++) {
                struct call *call = &control->calls[i];
                if (!call->used || call->ended)
                        continue;
                shutdown(call->socket, SHUT_RD);
                pthread_kill(call->thread, SIGUSR1);
        }
}

bool control_stop(struct control *control, unsigned grace_seconds)
{
        bool all;
        uint64_t until = clock_ms() + grace_seconds * 1000ull, one = 1;
        if (!control)
                return true;
        if (write(control->stop, &one, sizeof one) != sizeof one)
                log_error("control: cannot be told to stop: %s", strerror(errno));
        pthread_join(control->thread, NULL);
        unlink(control->path);
        pthread_mutex_lock(&control->lock);
        while (count_running(control) && clock_ms() < until) {
                nudge(control);
                pthread_mutex_unlock(&control->lock);
                usleep(NUDGE_MS * 1000);
                pthread_mutex_lock(&control->lock);
        }
        join_ended(control);
        all = !count_running(control);
        pthread_mutex_unlock(&control->lock);
        if (!all)
                return false; /* its memory is still in use */
        close(control->listening);
        close(control->stop);
        pthread_mutex_destroy(&control->lock);
        pthread_cond_destroy(&control->changed);
        free(control);
        return true;
}
