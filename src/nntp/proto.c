#include "nntp/proto.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/msgid.h"

enum { HEADER_MAX = 131072, FUTURE_SECONDS = 86400 };

static enum status fault(struct proto *p, const char *why, struct str about)
{
        p->fault = why;
        p->about = about;
        return INVALID;
}

/* ---- the header's form ---- */

/* "Name: value": the blank behind the colon is part of the grammar (RFC 5536 2.2). */
static bool is_field_line(struct str line)
{
        size_t colon = str_chr(line, ':');
        if (colon == STR_NOWHERE || colon == 0)
                return false;
        for (size_t i = 0; i < colon; i++)
                if (line.at[i] <= ' ' || line.at[i] >= 127)
                        return false;
        return colon + 1 == line.len || line.at[colon + 1] == ' ' || line.at[colon + 1] == '\t';
}

static enum status check_lines(struct str header, struct proto *p)
{
        struct str rest = header, line;
        bool first = true;
        while (str_line(&rest, &line)) {
                if (!line.len)
                        return OK;
                bool continued = line.at[0] == ' ' || line.at[0] == '\t';
                if (continued ? first : !is_field_line(line))
                        return fault(p, "a line of the header is not \"Name: value\"", line);
                first = false;
        }
        return fault(p, "there is no empty line between header and body", STR(""));
}

static enum status check_once(struct str header, struct proto *p)
{
        static const char *const once[] = {"Date",       "From",        "Message-ID", "Subject",
                                           "Newsgroups", "References",  "Followup-To", "Supersedes",
                                           "Control",    "Distribution", "Sender",     "Reply-To"};
        for (size_t i = 0; i < COUNT_OF(once); i++)
                if (header_count(header, once[i]) > 1)
                        return fault(p, "this field stands there twice", str_of(once[i]));
        return OK;
}

/* ---- the fields ---- */

static enum status check_from(struct arena *arena, struct str header, struct proto *p)
{
        struct str raw;
        struct address from;
        if (!header_find(header, "From", &raw))
                return fault(p, "there is no From field", STR(""));
        if (!address_first(arena, raw, &from) || !from.local.len || !from.domain.len)
                return fault(p, "From holds no mail address", header_unfold(arena, raw));
        return OK;
}

static enum status check_subject(struct arena *arena, struct str header, struct proto *p)
{
        struct str value = header_value(arena, header, "Subject");
        if (!value.len)
                return fault(p, "there is no Subject", STR(""));
        return OK;
}

static enum status check_id(struct arena *arena, struct str header, struct proto *p)
{
        struct str id = header_value(arena, header, "Message-ID");
        if (id.at && (!msgid_is_news(id) || str_chr(id, '@') == STR_NOWHERE))
                return fault(p, "the Message-ID is malformed", id);
        return OK;
}

static enum status check_date(struct arena *arena, struct str header, struct proto *p, time_t now)
{
        time_t at;
        int offset;
        struct str value = header_value(arena, header, "Date");
        if (!value.at)
                return OK;
        if (date_parse(value, &at, &offset) != OK)
                return fault(p, "the Date cannot be read", value);
        if (at > now + FUTURE_SECONDS)
                return fault(p, "the Date is in the future", value);
        p->date = at;
        return OK;
}

static bool has_group(const struct proto *p, struct str name)
{
        for (size_t i = 0; i < p->group_count; i++)
                if (str_eq(p->groups[i], name))
                        return true;
        return false;
}

/* Blanks and folding around the commas are no part of the names (RFC 5536 3.1.4). */
static enum status read_groups(struct arena *arena, struct str header, struct proto *p)
{
        struct str rest = header_value(arena, header, "Newsgroups"), name;
        if (!rest.len)
                return fault(p, "Newsgroups names no newsgroup", STR(""));
        if (rest.at[rest.len - 1] == ',')
                return fault(p, "Newsgroups holds an empty name", rest);
        while (str_cut(&rest, ',', &name)) {
                name = str_trim(name);
                if (!name.len)
                        return fault(p, "Newsgroups holds an empty name", STR(""));
                if (has_group(p, name))
                        continue;
                if (p->group_count == PROTO_GROUPS_MAX)
                        return fault(p, "at most 10 newsgroups can be posted to at once", STR(""));
                p->groups[p->group_count++] = name;
        }
        return OK;
}

/* RFC 5536 3.2.3, 3.2.12. Groups are made and removed by the administrator only. */
static enum status read_replaces(struct arena *arena, struct str header, struct proto *p)
{
        struct str control = header_value(arena, header, "Control"), verb;
        struct str id = header_value(arena, header, "Supersedes");
        if (control.at && id.at)
                return fault(p, "Control and Supersedes do not go together", STR(""));
        if (!control.at && !id.at)
                return OK;
        if (control.at && (!str_word(&control, &verb) || !str_same(verb, STR("cancel"))))
                return fault(p, "of control messages only cancel is taken", STR(""));
        p->cancels = control.at != NULL;
        p->replaces = str_trim(control.at ? control : id);
        if (!msgid_is_news(p->replaces))
                return fault(p, "no Message-ID is named to be replaced", p->replaces);
        return OK;
}

/* A Path that is none is as good as none: the article goes on with ours (RFC 5536 3.1.5). */
static void read_path(struct arena *arena, struct str header, struct proto *p)
{
        enum { PATH_MAX_SIZE = 900 /* a line has 998 octets */ };
        struct str path = header_value(arena, header, "Path");
        bool plain = path.len > 0 && path.len <= PATH_MAX_SIZE;
        for (size_t i = 0; plain && i < path.len; i++)
                plain = path.at[i] > ' ' && path.at[i] < 127;
        p->path = plain ? path : STR("");
}

bool proto_passed(const struct proto *p, struct str host)
{
        struct str rest = p->path, one;
        bool last = false;
        while (!last && str_cut(&rest, '!', &one)) {
                last = rest.len == 0; /* the tail is no host */
                if (!last && str_same(one, host))
                        return true;
        }
        return false;
}

enum status proto_read(struct arena *arena, struct str article, time_t now, struct proto *p)
{
        *p = (struct proto){.about = STR(""), .replaces = STR(""), .path = STR("")};
        p->header = str_sub(article, 0, header_length(article));
        if (p->header.len > HEADER_MAX)
                return fault(p, "the header is too long", STR(""));
        enum status st = check_lines(p->header, p);
        if (st == OK)
                st = check_once(p->header, p);
        if (st == OK)
                st = check_from(arena, p->header, p);
        if (st == OK)
                st = check_subject(arena, p->header, p);
        if (st == OK)
                st = check_id(arena, p->header, p);
        if (st == OK)
                st = check_date(arena, p->header, p, now);
        if (st == OK)
                st = read_groups(arena, p->header, p);
        if (st == OK)
                read_path(arena, p->header, p);
        return st == OK ? read_replaces(arena, p->header, p) : st;
}

/* ---- fields of the server ---- */

static bool is_ours(struct str name)
{
        static const char *const ours[] = {"Path", "Xref", "Injection-Info", "X-Trace",
                                           "X-Complaints-To"};
        for (size_t i = 0; i < COUNT_OF(ours); i++)
                if (str_same(name, str_of(ours[i])))
                        return true;
        return str_starts_same(name, STR("NNTP-Posting-"));
}

bool proto_clean(struct str header, struct buf *out)
{
        struct str rest = header;
        struct field field;
        bool any = false;
        while (!any && header_next(&rest, &field))
                any = is_ours(field.name);
        if (!any)
                return false;
        rest = header;
        while (header_next(&rest, &field))
                if (!is_ours(field.name))
                        buf_add(out, field.all);
        buf_add(out, STR("\r\n"));
        return true;
}
