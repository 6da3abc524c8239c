#include "team/login.h"

static bool may_send_password(struct site *site, const struct wire *wire)
{
        return rules_cleartext(site, wire_secure(wire), wire_peer(wire)->loopback);
}

bool login_binds(const struct wire *wire)
{
        struct buf scratch = {0};
        bool binds = wire_binding(wire, BINDING_END_POINT, &scratch) == OK ||
                     wire_binding(wire, BINDING_EXPORTER, &scratch) == OK;
        buf_release(&scratch);
        return binds;
}

const char *login_mechanisms(struct site *site, const struct wire *wire)
{
        if (login_binds(wire))
                return sasl_mechanisms;
        return may_send_password(site, wire) ? sasl_unbound_mechanisms : sasl_clear_mechanisms;
}

/* What is not there stays empty. */
static void take_bindings(struct login *l)
{
        if (wire_binding(l->wire, BINDING_EXPORTER, &l->sasl.exporter) != OK)
                buf_clear(&l->sasl.exporter);
        if (wire_binding(l->wire, BINDING_END_POINT, &l->sasl.end_point) != OK)
                buf_clear(&l->sasl.end_point);
}

enum status login_start(struct login *l, struct str mechanism)
{
        bool data = l->sasl.success_data;
        enum status st = sasl_start(&l->sasl, mechanism);
        l->sasl.success_data = data;
        if (st == OK && !sasl_is_scram(&l->sasl))
                return may_send_password(l->site, l->wire) ? OK : FORBIDDEN;
        if (st == OK)
                take_bindings(l);
        bool bound = l->sasl.exporter.len || l->sasl.end_point.len;
        return st == OK && l->sasl.mechanism == SASL_SCRAM_PLUS && !bound ? UNSUPPORTED : st;
}

/* RFC 4616 2: to act as somebody else is nobody's right here. */
static enum status check_authorize(struct login *l)
{
        struct str as = buf_str(&l->sasl.authorize);
        bool own = !as.len || str_same(as, buf_str(&l->sasl.user)) ||
                   str_same(as, l->person.name);
        return own ? OK : FORBIDDEN;
}

static enum status start_scram(struct login *l, struct buf *challenge)
{
        struct scram keys;
        enum status st = rules_scram(l->site, buf_str(&l->sasl.user), wire_peer(l->wire)->address,
                l->arena, &l->person, &keys);
        if (st == OK)
                sasl_keys(&l->sasl, &keys, challenge);
        return st == OK ? BUSY : st;
}

static enum status check_password(struct login *l)
{
        wire_aside(l->wire, true);
        enum status st = rules_login(l->site, buf_str(&l->sasl.user), buf_str(&l->sasl.password),
                wire_peer(l->wire)->address, l->arena, &l->person);
        wire_aside(l->wire, false);
        return st == OK ? check_authorize(l) : st;
}

enum status login_step(struct login *l, struct str response, struct buf *challenge)
{
        enum status st = sasl_step(&l->sasl, response, challenge);
        switch (st) {
        case OK:
                return sasl_is_scram(&l->sasl) ? check_authorize(l) : check_password(l);
        case ABSENT:
                return start_scram(l, challenge);
        case FORBIDDEN:
                rules_scram_failed(l->site, buf_str(&l->sasl.user), wire_peer(l->wire)->address);
                return DENIED;
        case DENIED:
                return CHANGED;
        default:
                return st;
        }
}

void login_release(struct login *l)
{
        sasl_release(&l->sasl);
}
