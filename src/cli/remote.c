#include "cli/remote.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { HANDED = 4, HEAD = 8, PATIENCE_SECONDS = 10 };
static const char magic[] = "BTN1";

static bool write_all(int fd, struct str octets)
{
        while (octets.len) {
                ssize_t n = send(fd, octets.at, octets.len, MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                octets = str_from(octets, (size_t)n);
        }
        return true;
}

static bool read_all(int fd, char *out, size_t len)
{
        while (len) {
                ssize_t n = recv(fd, out, len, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                out += n;
                len -= (size_t)n;
        }
        return true;
}

/* ---- the caller ---- */

static enum status connect_to(const char *home, int *out)
{
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        int fd, n = snprintf(to.sun_path, sizeof to.sun_path, "%s/run/control", home);
        if (n < 0 || (size_t)n >= sizeof to.sun_path)
                return TOO_BIG;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return BROKEN;
        if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
                int why = errno;
                close(fd);
                return why == EACCES || why == EPERM ? FORBIDDEN : ABSENT;
        }
        *out = fd;
        return OK;
}

static enum status send_head(int fd, struct str head, const int *handed)
{
        union {
                char room[CMSG_SPACE(HANDED * sizeof(int))];
                struct cmsghdr align;
        } control = {.room = {0}};
        char octets[HEAD];
        struct iovec part = {octets, HEAD};
        struct msghdr message = {.msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control.room,
                .msg_controllen = sizeof control.room};
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        memcpy(octets, head.at, HEAD);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(HANDED * sizeof(int));
        memcpy(CMSG_DATA(c), handed, HANDED * sizeof(int));
        return sendmsg(fd, &message, MSG_NOSIGNAL) == HEAD ? OK : CLOSED;
}

static enum status send_request(int fd, struct str words)
{
        struct buf head = {0};
        int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        int handed[HANDED] = {cwd < 0 ? nothing : cwd, isatty(0) ? nothing : 0, 1, 2};
        enum status st;
        for (int i = 1; i < HANDED; i++) { /* a stream that the caller closed */
                if (fcntl(handed[i], F_GETFD) < 0)
                        handed[i] = nothing;
        }
        buf_add_text(&head, magic);
        buf_add_u32(&head, (uint32_t)words.len);
        st = nothing < 0 ? BROKEN : send_head(fd, buf_str(&head), handed);
        if (st == OK && !write_all(fd, words))
                st = CLOSED;
        buf_release(&head);
        if (cwd >= 0)
                close(cwd);
        if (nothing >= 0)
                close(nothing);
        return st;
}

enum status remote_call(const char *home, int argc, char **argv, int *status)
{
        struct buf words = {0};
        unsigned char answer;
        int fd;
        enum status st = connect_to(home, &fd);
        if (st != OK)
                return st;
        for (int i = 0; i < argc; i++)
                buf_add(&words, str_make(argv[i], strlen(argv[i]) + 1));
        st = words.len > REMOTE_OCTETS_MAX || argc > REMOTE_WORDS_MAX
                     ? TOO_BIG
                     : send_request(fd, buf_str(&words));
        if (st == OK && !read_all(fd, (char *)&answer, 1))
                st = CLOSED;
        if (st == OK)
                *status = answer;
        buf_release(&words);
        close(fd);
        return st;
}

/* ---- the daemon ---- */

static bool take_handed(struct msghdr *message, struct remote_request *r)
{
        int handed[HANDED];
        struct cmsghdr *c = CMSG_FIRSTHDR(message);
        if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                return false;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(handed, CMSG_DATA(c), (count < HANDED ? count : HANDED) * sizeof(int));
        if (count != HANDED) {
                for (size_t i = 0; i < count && i < HANDED; i++)
                        close(handed[i]);
                return false;
        }
        r->cwd = handed[0];
        memcpy(r->streams, handed + 1, sizeof r->streams);
        return true;
}

static enum status receive_head(int socket, struct remote_request *r, uint32_t *len)
{
        union {
                char room[CMSG_SPACE(HANDED * sizeof(int))];
                struct cmsghdr align;
        } control = {.room = {0}};
        char octets[HEAD];
        struct iovec part = {octets, HEAD};
        struct msghdr message = {.msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control.room,
                .msg_controllen = sizeof control.room};
        ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (n <= 0)
                return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? TIMEOUT : CLOSED;
        if (!take_handed(&message, r))
                return INVALID;
        if (n < HEAD && !read_all(socket, octets + n, HEAD - (size_t)n))
                return CLOSED;
        struct reader reader = reader_of(str_make(octets + 4, 4));
        *len = read_u32(&reader);
        return memcmp(octets, magic, 4) != 0 || *len > REMOTE_OCTETS_MAX ? INVALID : OK;
}

static enum status split_words(struct remote_request *r)
{
        struct str rest = buf_str(&r->text), word;
        if (rest.len && rest.at[rest.len - 1])
                return INVALID;
        r->words = mem_new((REMOTE_WORDS_MAX + 1) * sizeof *r->words);
        while (r->count < REMOTE_WORDS_MAX && str_cut(&rest, '\0', &word))
                r->words[r->count++] = r->text.at + (word.at - r->text.at);
        return rest.len ? TOO_MANY : OK;
}

enum status remote_receive(int socket, struct remote_request *r)
{
        struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
        uint32_t len = 0;
        *r = (struct remote_request){.cwd = -1, .streams = {-1, -1, -1}};
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        enum status st = receive_head(socket, r, &len);
        if (st == OK && !read_all(socket, buf_reserve(&r->text, len + 1), len))
                st = CLOSED;
        if (st != OK)
                return st;
        r->text.len = len;
        return split_words(r);
}

void remote_release(struct remote_request *r)
{
        if (r->cwd >= 0)
                close(r->cwd);
        for (size_t i = 0; i < COUNT_OF(r->streams); i++) {
                if (r->streams[i] >= 0)
                        close(r->streams[i]);
        }
        free(r->words);
        buf_release(&r->text);
}

void remote_answer(int socket, int status)
{
        char answer = (char)status;
        (void)write_all(socket, str_make(&answer, 1));
}
