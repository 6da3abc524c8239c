#include "wire/sasl.h"
#include "base/encode.h"

const char sasl_mechanisms[] = "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN";
const char sasl_unbound_mechanisms[] = "SCRAM-SHA-256 PLAIN LOGIN";
const char sasl_clear_mechanisms[] = "SCRAM-SHA-256";

/* Names and passwords are short; what is longer is not looked at. */
enum { RESPONSE_MAX = 4096 };

static void wipe(struct buf *b)
{
        if (b->at)
                explicit_bzero(b->at, b->cap);
        buf_release(b);
}

enum status sasl_start(struct sasl *s, struct str mechanism)
{
        static const char *const names[] = {
                [SASL_PLAIN] = "PLAIN", [SASL_LOGIN] = "LOGIN", [SASL_SCRAM] = "SCRAM-SHA-256",
                [SASL_SCRAM_PLUS] = "SCRAM-SHA-256-PLUS"};
        *s = (struct sasl){0};
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                s->mechanism = (enum sasl_mechanism)i;
                if (str_same(mechanism, str_of(names[i])))
                        return OK;
        }
        return UNSUPPORTED;
}

bool sasl_is_scram(const struct sasl *s)
{
        return s->mechanism == SASL_SCRAM || s->mechanism == SASL_SCRAM_PLUS;
}

/* RFC 4616 2: [authzid] NUL authcid NUL passwd; neither name nor password holds a NUL. */
static enum status plain(struct sasl *s, struct str message)
{
        size_t first = str_chr(message, '\0');
        if (first == STR_NOWHERE)
                return INVALID;
        struct str rest = str_from(message, first + 1);
        size_t second = str_chr(rest, '\0');
        if (second == STR_NOWHERE || second == 0 || second + 1 == rest.len)
                return INVALID;
        struct str password = str_from(rest, second + 1);
        if (str_chr(password, '\0') != STR_NOWHERE)
                return INVALID;
        buf_set(&s->authorize, str_sub(message, 0, first));
        buf_set(&s->user, str_sub(rest, 0, second));
        buf_set(&s->password, password);
        return OK;
}

static enum status login(struct sasl *s, struct str message, struct buf *challenge)
{
        if (message.len == 0 || str_chr(message, '\0') != STR_NOWHERE)
                return INVALID;
        if (s->user.len) {
                buf_set(&s->password, message);
                return OK;
        }
        buf_set(&s->user, message);
        base64_encode(STR("Password:"), challenge);
        return BUSY;
}

static enum status take(struct sasl *s, struct str message, struct buf *challenge)
{
        switch (s->mechanism) {
        case SASL_LOGIN:
                return login(s, message, challenge);
        case SASL_SCRAM:
        case SASL_SCRAM_PLUS:
                return sasl_scram(s, message, challenge);
        case SASL_PLAIN:
                break;
        }
        return plain(s, message);
}

enum status sasl_step(struct sasl *s, struct str response, struct buf *challenge)
{
        struct buf message = {0};
        buf_clear(challenge);
        if (!response.at) {
                if (s->step++)
                        return INVALID;
                if (s->mechanism == SASL_LOGIN)
                        base64_encode(STR("Username:"), challenge);
                return BUSY;
        }
        s->step++;
        if (str_eq(response, STR("*")))
                return DENIED;
        if (response.len > RESPONSE_MAX)
                return INVALID;
        enum status st = OK;
        if (!str_eq(response, STR("=")))
                st = base64_decode(response, &message);
        if (st == OK)
                st = take(s, buf_str(&message), challenge);
        wipe(&message);
        return st;
}

void sasl_release(struct sasl *s)
{
        wipe(&s->user);
        wipe(&s->authorize);
        wipe(&s->password);
        buf_release(&s->exporter);
        buf_release(&s->end_point);
        buf_release(&s->binding);
        buf_release(&s->nonce);
        buf_release(&s->first);
        explicit_bzero(&s->keys, sizeof s->keys);
        s->step = 0;
}
