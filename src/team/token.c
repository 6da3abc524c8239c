#include "team/token.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/encode.h"

/* The octets: payload, hours since 1970 (3), the start of the HMAC of kind and what stands before. */
enum { HOURS_SIZE = 3, PROOF_SIZE = 10, REST_SIZE = HOURS_SIZE + PROOF_SIZE, HOUR = 3600 };

static struct str prove(
        struct str secret, enum token_kind kind, struct str sealed, unsigned char room[SHA256_SIZE])
{
        static const char label[] = "baton token";
        struct buf text = {0};
        buf_add(&text, str_make(label, sizeof label)); /* with its NUL: nothing runs into it */
        buf_add_u8(&text, (uint8_t)kind);
        buf_add(&text, sealed);
        hmac_sha256(secret, buf_str(&text), room);
        buf_release(&text);
        return str_make((const char *)room, PROOF_SIZE);
}

void token_seal(struct str secret, const struct token *token, struct buf *out)
{
        unsigned char room[SHA256_SIZE];
        struct buf octets = {0};
        uint64_t hours = ((uint64_t)token->until + HOUR - 1) / HOUR;
        assert(token->payload.len <= TOKEN_PAYLOAD_MOST && hours < 1u << 8 * HOURS_SIZE);
        buf_add(&octets, token->payload);
        for (unsigned i = HOURS_SIZE; i-- > 0;)
                buf_add_u8(&octets, (uint8_t)(hours >> 8 * i));
        buf_add(&octets, prove(secret, token->kind, buf_str(&octets), room));
        base32_encode(buf_str(&octets), out);
        buf_release(&octets);
}

enum status token_open(struct str secret, enum token_kind kind, struct str text, struct arena *arena,
        struct token *out)
{
        unsigned char room[SHA256_SIZE];
        struct buf octets = {0};
        enum status st = text.len <= TOKEN_TEXT_MOST ? base32_decode(text, &octets) : INVALID;
        *out = (struct token){.kind = kind};
        if (st == OK && octets.len < REST_SIZE)
                st = INVALID;
        if (st == OK) {
                struct str sealed = str_sub(buf_str(&octets), 0, octets.len - PROOF_SIZE);
                struct str proof = str_from(buf_str(&octets), sealed.len);
                uint64_t hours = 0;
                for (size_t i = 0; i < HOURS_SIZE; i++)
                        hours = hours << 8 |
                                (unsigned char)sealed.at[sealed.len - HOURS_SIZE + i];
                if (!secret_equal(proof, prove(secret, kind, sealed, room)))
                        st = INVALID;
                else if ((out->until = (time_t)(hours * HOUR)) < clock_now())
                        st = TIMEOUT;
                if (st != INVALID)
                        out->payload = arena_copy(
                                arena, str_sub(sealed, 0, sealed.len - HOURS_SIZE));
        }
        buf_release(&octets);
        return st;
}
