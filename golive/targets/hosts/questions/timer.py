"""Timers of systemd: whether they wait for their next time, when they last ran, and how that ended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import age, framed, number, pieces, told_nothing, words

_PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,Unit,LastTriggerUSec,Result"
# The client writes times in its own zone, so that is told to be UTC.
_SHELL = r"""
timers() { TZ=UTC systemctl show --no-pager -p PROPERTIES "$@" && piece done; }
piece now; date +%s
"""
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@dataclass(frozen=True, kw_only=True)
class TimerFacts:
    """A timer that is there. `result` is how the service of its name ended last, None if it starts another unit.

    `has_next` is false for one that is active and has elapsed for good.
    `last_run_age_s` is None when it never ran since it was installed, and below 0 when that lies in the future.
    """

    is_active: bool
    is_enabled: bool
    last_run_age_s: float | None
    result: str | None
    state: str
    has_next: bool = True


@dataclass(frozen=True, kw_only=True)
class Timer(Question[TimerFacts | None]):
    """A timer by name (`backup` or `backup.timer`), or None when there is none."""

    name: str

    @property
    def stem(self) -> str:
        """Its name without `.timer`."""
        return self.name.removesuffix(".timer")

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `systemctl show` for all timers and the services of their names."""
        units = words(*(unit for question in asked for unit in (f"{question.stem}.timer", f"{question.stem}.service")))
        return framed(frame, _SHELL.replace("PROPERTIES", _PROPERTIES), f"piece units; timers {units}")

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, TimerFacts | CouldNotLook | None]:
        """Two blocks a timer, in the order in which they were asked for."""
        told = pieces(said, frame)
        if "done" not in told:
            return dict.fromkeys(asked, CouldNotLook("systemd does not run there, or does not answer"))
        blocks = [dict(_properties(block)) for block in re.split(r"\n\s*\n", told["units"].strip())]
        now = number(told["now"])
        found: dict[Self, TimerFacts | CouldNotLook | None] = {}
        for place, question in enumerate(asked):
            pair = blocks[2 * place : 2 * place + 2]
            found[question] = (
                _facts(pair[0], pair[1], now) if len(pair) == 2 else told_nothing(f"timer {question.name}")
            )
        return found


def _properties(block: str) -> list[tuple[str, str]]:
    return [
        (key, value.strip()) for key, equals, value in (line.partition("=") for line in block.splitlines()) if equals
    ]


def _facts(timer: Mapping[str, str], service: Mapping[str, str], now: int | None) -> TimerFacts | CouldNotLook | None:
    name = timer.get("Id", "timer")
    if timer.get("LoadState") == "not-found":
        return None
    if "ActiveState" not in timer or now is None:
        return told_nothing(name)
    last = timer.get("LastTriggerUSec", "")
    time = _TIME.search(last)
    if time is None and last not in ("", "0", "n/a"):
        return CouldNotLook(f"{name}: its last time {last!r} is not understood")
    try:
        ran_at = None if time is None else datetime.fromisoformat(time[0]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return CouldNotLook(f"{name}: its last time {last!r} is not understood")
    has_next = timer.get("SubState") != "elapsed"
    active = timer["ActiveState"] if has_next else f"{timer['ActiveState']} (elapsed)"
    is_own = timer.get("Unit", "") == service.get("Id", "-")
    return TimerFacts(
        is_active=timer["ActiveState"] == "active",
        # What is enabled in /run alone (`enabled-runtime`) is not any more after the next boot.
        is_enabled=timer.get("UnitFileState", "") in ("enabled", "static", "generated"),
        last_run_age_s=None if ran_at is None else age(now - ran_at),
        result=service.get("Result") if is_own else None,
        state=f"{active}, {timer.get('UnitFileState') or 'not installed'}",
        has_next=has_next,
    )
