/* sasl_scram.c - the messages of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802 7). */
#include "base/text.h"
#include "wire/sasl.h"

enum { NONCE_SIZE = 18, NONCE_MOST = 512 };

/* Cuts the attribute `name` ("n=...") off *rest. */
static bool attribute(struct str *rest, char name, struct str *out)
{
        if (rest->len < 2 || rest->at[0] != name || rest->at[1] != '=')
                return false;
        *rest = str_from(*rest, 2);
        *out = STR("");
        return !rest->len || str_cut(rest, ',', out);
}

/* saslname: "=2C" is a comma and "=3D" an equals sign; no other "=" may be there. */
static enum status name_decode(struct str s, struct buf *out)
{
        buf_clear(out);
        for (size_t i = 0; i < s.len; i++) {
                struct str code = str_sub(s, i, 3);
                if (s.at[i] == '\0')
                        return INVALID;
                if (s.at[i] != '=') {
                        buf_add_char(out, s.at[i]);
                        continue;
                }
                if (!str_eq(code, STR("=2C")) && !str_eq(code, STR("=3D")))
                        return INVALID;
                buf_add_char(out, code.at[2] == 'C' ? ',' : '=');
                i += 2;
        }
        return text_is_utf8(buf_str(out)) ? OK : INVALID;
}

/* printable without comma (RFC 5802 7) */
static bool is_nonce(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] <= ' ' || s.at[i] > '~' || s.at[i] == ',')
                        return false;
        return s.len > 0 && s.len <= NONCE_MOST;
}

/* What the flag of the gs2-header says, RFC 5802 6. "p=": bound in this way, in -PLUS only. "y": the
 * client would, but has not seen -PLUS offered: if it is, somebody has taken it out. */
static bool take_flag(const struct sasl *s, struct str flag, struct str *binding)
{
        bool offered = s->exporter.len || s->end_point.len;
        *binding = STR("");
        if (s->mechanism == SASL_SCRAM)
                return str_eq(flag, STR("n")) || (str_eq(flag, STR("y")) && !offered);
        if (str_eq(flag, STR("p=tls-exporter")))
                *binding = buf_str(&s->exporter);
        else if (str_eq(flag, STR("p=tls-server-end-point")))
                *binding = buf_str(&s->end_point);
        return binding->len > 0;
}

static enum status take_header(struct sasl *s, struct str *rest)
{
        struct str whole = *rest, flag, authorize, binding;
        if (!str_cut(rest, ',', &flag) || !take_flag(s, flag, &binding))
                return INVALID;
        if (rest->len && rest->at[0] == ',')
                *rest = str_from(*rest, 1);
        else if (!attribute(rest, 'a', &authorize) || !authorize.len ||
                 name_decode(authorize, &s->authorize) != OK)
                return INVALID;
        buf_set(&s->binding, str_sub(whole, 0, whole.len - rest->len));
        buf_add(&s->binding, binding);
        return OK;
}

static enum status take_first(struct sasl *s, struct str message)
{
        struct str rest = message, user, nonce;
        enum status st = take_header(s, &rest);
        if (st != OK)
                return st;
        buf_set(&s->first, rest);
        /* a mandatory extension ("m=") is one that is not known here */
        if (!attribute(&rest, 'n', &user) || !user.len || name_decode(user, &s->user) != OK ||
                !attribute(&rest, 'r', &nonce) || !is_nonce(nonce))
                return INVALID;
        buf_set(&s->nonce, nonce);
        return ABSENT;
}

void sasl_keys(struct sasl *s, const struct scram *keys, struct buf *challenge)
{
        unsigned char octets[NONCE_SIZE];
        struct buf message = {0};
        s->keys = *keys;
        random_bytes(octets, sizeof octets);
        base64_encode(str_make((const char *)octets, sizeof octets), &s->nonce);
        buf_addf(&message, "r=%.*s,s=", STR_ARG(buf_str(&s->nonce)));
        base64_encode(str_make((const char *)keys->salt, sizeof keys->salt), &message);
        buf_addf(&message, ",i=%u", keys->rounds);
        buf_add_char(&s->first, ',');
        buf_add(&s->first, buf_str(&message));
        buf_clear(challenge);
        base64_encode(buf_str(&message), challenge);
        buf_release(&message);
}

static void say_signature(struct sasl *s, struct str message, struct buf *challenge)
{
        unsigned char signature[SHA256_SIZE];
        struct buf last = {0};
        scram_sign(&s->keys, message, signature);
        buf_add_text(&last, "v=");
        base64_encode(str_make((const char *)signature, sizeof signature), &last);
        base64_encode(buf_str(&last), challenge);
        buf_release(&last);
}

/* Does c= repeat the gs2-header and what binds? Else somebody in between has changed it, or ends TLS. */
static bool binds(struct sasl *s, struct str coded)
{
        struct buf plain = {0};
        bool same = base64_decode(coded, &plain) == OK &&
                    str_eq(buf_str(&plain), buf_str(&s->binding));
        buf_release(&plain);
        return same;
}

static enum status take_last(struct sasl *s, struct str message, struct buf *challenge)
{
        struct str rest = message, binding, nonce, coded = STR_NONE;
        if (!attribute(&rest, 'c', &binding) || !attribute(&rest, 'r', &nonce))
                return INVALID;
        /* the proof is the last one, behind extensions that need not be known */
        size_t comma = str_rchr(message, ',');
        struct str proof = str_from(message, comma + 1);
        if (!attribute(&proof, 'p', &coded) || proof.len)
                return INVALID;
        if (!binds(s, binding))
                return s->mechanism == SASL_SCRAM_PLUS ? FORBIDDEN : INVALID;
        struct buf text = {0}, plain = {0};
        buf_add(&text, buf_str(&s->first));
        buf_add_char(&text, ',');
        buf_add(&text, str_sub(message, 0, comma));
        enum status st = base64_decode(coded, &plain);
        bool right = st == OK && str_eq(nonce, buf_str(&s->nonce)) &&
                     scram_proves(&s->keys, buf_str(&text), buf_str(&plain));
        if (right)
                say_signature(s, buf_str(&text), challenge);
        buf_release(&text);
        buf_release(&plain);
        s->proven = right;
        return st != OK ? st : !right ? FORBIDDEN : s->success_data ? OK : BUSY;
}

enum status sasl_scram(struct sasl *s, struct str message, struct buf *challenge)
{
        if (s->proven) /* the answer to our signature holds nothing */
                return message.len ? INVALID : OK;
        return s->first.len ? take_last(s, message, challenge) : take_first(s, message);
}
