#include "mail/vtodo.h"
#include "base/clock.h"
#include <libical/ical.h>

static icaltimetype day_of(int32_t days)
{
        icaltimetype t = icaltime_null_date();
        civil_from_days(days, &t.year, &t.month, &t.day);
        t.is_date = 1;
        return t;
}

static icaltimetype instant_of(time_t at)
{
        return icaltime_from_timet_with_zone(at, 0, icaltimezone_get_utc_timezone());
}

/* libical copies; it wants a NUL, and text holds none. */
static void add_text(icalcomponent *c, icalproperty_kind kind, struct str text)
{
        if (!text.len)
                return;
        char *copy = str_text(text);
        icalproperty *p = icalproperty_new(kind);
        icalproperty_set_value(p, icalvalue_new_text(copy));
        icalcomponent_add_property(c, p);
        free(copy);
}

static void add_person(icalcomponent *c, bool organizer, struct str address)
{
        struct buf uri = {0};
        buf_addf(&uri, "mailto:%.*s", STR_ARG(address));
        const char *text = buf_text(&uri);
        if (address.len)
                icalcomponent_add_property(c, organizer ? icalproperty_new_organizer(text)
                                                        : icalproperty_new_attendee(text));
        buf_release(&uri);
}

/* RFC 5545 3.8.2.3: DUE is later than DTSTART. */
static void add_days(icalcomponent *c, const struct vtodo *v)
{
        if (v->due != VTODO_NO_DAY)
                icalcomponent_add_property(c, icalproperty_new_due(day_of(v->due)));
        if (v->start != VTODO_NO_DAY && (v->due == VTODO_NO_DAY || v->start < v->due))
                icalcomponent_add_property(c, icalproperty_new_dtstart(day_of(v->start)));
}

static void add_state(icalcomponent *c, const struct vtodo *v)
{
        static const enum icalproperty_status states[] = {
                [VTODO_NEEDS_ACTION] = ICAL_STATUS_NEEDSACTION,
                [VTODO_IN_PROCESS] = ICAL_STATUS_INPROCESS,
                [VTODO_COMPLETED] = ICAL_STATUS_COMPLETED,
                [VTODO_CANCELLED] = ICAL_STATUS_CANCELLED,
        };
        icalcomponent_add_property(c, icalproperty_new_status(states[v->status]));
        icalcomponent_add_property(c, icalproperty_new_percentcomplete((int)v->percent));
        if (v->completed)
                icalcomponent_add_property(c, icalproperty_new_completed(instant_of(v->completed)));
        if (v->priority)
                icalcomponent_add_property(c, icalproperty_new_priority((int)v->priority));
}

static icalcomponent *todo_of(const struct vtodo *v)
{
        icalcomponent *c = icalcomponent_new(ICAL_VTODO_COMPONENT);
        add_text(c, ICAL_UID_PROPERTY, v->uid);
        icalcomponent_add_property(c, icalproperty_new_dtstamp(instant_of(v->changed)));
        icalcomponent_add_property(c, icalproperty_new_created(instant_of(v->created)));
        icalcomponent_add_property(c, icalproperty_new_lastmodified(instant_of(v->changed)));
        icalcomponent_add_property(c, icalproperty_new_sequence((int)v->sequence));
        add_text(c, ICAL_SUMMARY_PROPERTY, v->summary);
        add_text(c, ICAL_DESCRIPTION_PROPERTY, v->description);
        add_days(c, v);
        add_state(c, v);
        for (size_t i = 0; i < v->label_count; i++)
                add_text(c, ICAL_CATEGORIES_PROPERTY, v->labels[i]);
        add_person(c, true, v->organizer);
        for (size_t i = 0; i < v->attendee_count; i++)
                add_person(c, false, v->attendees[i]);
        return c;
}

void vtodo_write(const struct vtodo *v, struct buf *out)
{
        icalcomponent *calendar = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);
        icalcomponent_add_property(calendar, icalproperty_new_version("2.0"));
        icalcomponent_add_property(calendar, icalproperty_new_prodid("-//Baton//Baton//EN"));
        icalcomponent_add_component(calendar, todo_of(v));
        char *text = icalcomponent_as_ical_string_r(calendar);
        if (text)
                buf_add_text(out, text);
        free(text);
        icalcomponent_free(calendar);
}
