"""Timers of systemd as they stand, cron tables as a reminder, and the service that keeps the clock."""

from __future__ import annotations

import re

from golive.discovery.found import HOST, Found
from golive.discovery.naming import item
from golive.discovery.proposal import Collected, Item, Rule
from golive.targets.hosts.questions.timer import TimerFacts

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+:$-]*")


def propose(found: Found, collected: Collected) -> None:
    """A rule of one item a timer. What cron runs stays on the host, so its jobs are the user's to name."""
    timers = {name: told for name, told in found.timers.items() if _NAME.fullmatch(name)}
    collected.count(timers=len(timers), cron_tables=len(found.survey.cron))
    if timers:
        collected.rules.append(
            Rule(
                area="schedules",
                name="timers",
                says="The timer {item} waits for its next time, and its last run ended well",
                check="hosts/scheduled",
                severity="medium",
                keys={"host": HOST},
                items=tuple(_timer(name, told) for name, told in timers.items()),
            )
        )
    for table in found.survey.cron:
        entries = f"{table.entries} {'entry' if table.entries == 1 else 'entries'}"
        why = f"{entries}: say which matters by a word of its command (hosts/scheduled, 'cron')"
        collected.leave_out(f"cron table {table.path}", why)
    _time_service(found, collected)


def _timer(name: str, told: TimerFacts | str | None) -> Item:
    keys = {"timer": name}
    if told is None or isinstance(told, str):
        return Item(name=item(name), keys=keys, off=told or "systemd knows no such timer")
    age = told.last_run_age_s
    ran = "it never ran" if age is None else f"it ran {age / 3600:.1f} h ago: 'max_age' makes that a limit"
    off = None
    if not (told.is_active and told.has_next and told.is_enabled):
        off = f"it is {told.state}"
    elif told.result not in (None, "success"):
        off = f"its last run ended with {told.result}"
    return Item(name=item(name), keys=keys, told=ran, off=off)


def _time_service(found: Found, collected: Collected) -> None:
    told = found.time_sync
    if isinstance(told, str):
        collected.leave_out("time service", told)
        return
    collected.rules.append(
        Rule(
            area="health",
            name="time-sync",
            says="The clock is kept by a time service",
            check="hosts/time_sync",
            severity="medium",
            keys={"host": HOST},
            told=f"{told.told_by}, {'synchronised' if told.is_synchronised else 'not synchronised'}",
            off=None if told.is_synchronised else "it was not synchronised",
        )
    )
