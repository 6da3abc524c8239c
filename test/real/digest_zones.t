#!/usr/bin/env python3
"""When digests are due, in every zone there is: one for each local date, at the person's minute; the first of a doubled one,
the end of a gap in a skipped one, none on a date that a line in the sea took. Checked against Python's zoneinfo."""
import datetime as dt, os, subprocess, sys, zoneinfo
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from baton import BUILD, Tap

tap = Tap()
UTC, DAY = dt.timezone.utc, 86400
ODD = ['Pacific/Kiritimati', 'Pacific/Apia', 'Pacific/Kwajalein', 'Pacific/Fakaofo', 'Pacific/Enderbury', 'Australia/Lord_Howe', 'Pacific/Chatham',
       'Asia/Kathmandu', 'Africa/Casablanca', 'Africa/Cairo', 'America/St_Johns', 'America/Nuuk', 'America/Caracas', 'Asia/Pyongyang', 'Asia/Gaza',
       'Europe/Dublin', 'Antarctica/Troll', 'America/Havana', 'Asia/Beirut', 'America/Asuncion', 'Pacific/Easter', 'Asia/Tehran', 'Europe/Lisbon']


def offset(zone, at):
    return int(dt.datetime.fromtimestamp(at, zone).utcoffset().total_seconds())


def due(zone, day, minute):
    """When that date's is due; None: there is no such date."""
    local = dt.datetime.combine(day, dt.time(minute // 60, minute % 60), zone)
    at = local.timestamp()
    if dt.datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None):
        return int(at)
    low, high = int(local.replace(fold=1).timestamp()) - 1, int(at) + 1  # a gap: its end is where the offset changes
    before = offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
    return high if dt.datetime.fromtimestamp(high, zone).date() == day else None


def restless(zone, first, days):
    """Dates near which the clock is set; and some others."""
    last, out = None, set()
    for i in range(0, days):
        now = offset(zone, int(dt.datetime.combine(first + dt.timedelta(i), dt.time(12), UTC).timestamp()))
        if last is not None and now != last:
            out.update(range(i - 3, i + 3))
        if i % 61 == 0:
            out.add(i)
        last = now
    return sorted(i for i in out if 2 <= i < days - 2)


def check(names, first, last, minutes):
    days = (last - first).days
    start = int(dt.datetime.combine(first, dt.time(), UTC).timestamp())
    cases = [(n, m) for n in names for m in minutes]
    lines = ''.join(f'{n} {m} {start - 2 * DAY} {start + (days + 2) * DAY}\n' for n, m in cases)
    out = subprocess.run([os.path.join(BUILD, 'test/unit/team_next'), '-'], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
    near = {n: restless(zoneinfo.ZoneInfo(n), first, days) for n in names}
    wrong = []
    for (name, minute), line in zip(cases, out.split('\n')):
        zone, times = zoneinfo.ZoneInfo(name), [int(t) for t in line.split()]
        dates = [dt.datetime.fromtimestamp(t, zone).date() for t in times]
        by_date = dict(zip(dates, times))
        if len(by_date) != len(times):
            wrong.append(f'{name} {minute}: a date has two')
        for a, b in zip(dates, dates[1:]):
            for i in range(1, (b - a).days):
                if due(zone, a + dt.timedelta(i), minute) is not None:
                    wrong.append(f'{name} {minute}: nothing on {a + dt.timedelta(i)}')
        for i in near[name]:
            day = first + dt.timedelta(i)
            if by_date.get(day) != due(zone, day, minute):
                wrong.append(f'{name} {minute} {day}: {by_date.get(day)}, not {due(zone, day, minute)}')
    return wrong, len(cases)


if not os.path.exists(os.path.join(BUILD, 'test/unit/team_next')):
    subprocess.run(['make', '-s', '-C', BUILD, 'test/unit/team_next'], check=True, stdout=subprocess.DEVNULL)
everywhere = sorted(n for n in zoneinfo.available_timezones() if not n.startswith(('posix', 'right')) and n not in ('localtime', 'Factory'))
wrong, n = check(everywhere, dt.date(2025, 1, 1), dt.date(2028, 1, 1), (0, 150, 450))
tap.ok(n > 1000 and not wrong, f'{len(everywhere)} zones, three years', '\n'.join(wrong))
wrong, n = check([z for z in ODD if z in everywhere], dt.date(1990, 1, 1), dt.date(2036, 1, 1), (0, 30, 135, 165, 450, 1425))
tap.ok(n > 100 and not wrong, f'{len(ODD)} zones that have done odd things, since 1990', '\n'.join(wrong))
apia = zoneinfo.ZoneInfo('Pacific/Apia')
tap.same((due(apia, dt.date(2011, 12, 30), 450), due(zoneinfo.ZoneInfo('Pacific/Kwajalein'), dt.date(1993, 8, 21), 450)), (None, None), 'dates that were not')
tap.done()
