"""Keeping an eye on a load that runs: reads its stream as it grows, and says when and why it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from golive.model import CouldNotLook
from golive.targets.shell import one_line
from load.killswitch import KillSwitch
from load.ledger import Ledger
from load.progress import Progress
from load.stream import UNREADABLE, Line, Tail, put_right
from load.workers import Crew

_LOOK_S = 0.1
_SHOWN = 200
_BEGIN_S = 90.0
"""How long a load may take to begin: its processes start, and its workers join."""


class _Sees(Protocol):
    def see(self, line: Line, /) -> None:
        """Take in a line of the stream."""


class Watching:
    """One load, from the start of its processes on. `notes` are lines of our own, in the shape of the stream's."""

    def __init__(
        self,
        profile: str,
        crew: Crew,
        tail: Tail,
        *,
        switch: KillSwitch,
        ledger: Ledger,
        progress: Progress,
        show: Callable[[str], None],
        guards: Callable[[], str | None],
        time_limit_s: float,
    ) -> None:
        self._profile, self._crew, self._tail = profile, crew, tail
        self._switch, self._progress = switch, progress
        self._sees: tuple[_Sees, ...] = (switch, ledger, progress)
        self._show, self._guards = show, guards
        self._time_limit_s = time_limit_s
        self._started_at = time.monotonic()
        self._began_at: float | None = None
        self._ended: str | None = None
        self._blind = ""
        self._next_second = 0.0
        self.notes: list[Line] = []

    def until_over(self) -> str:
        """Why the load was stopped before its end, "" when it came to its end. CouldNotLook when it never began."""
        while True:
            # Asked before reading, so that nothing which was written before the end is overlooked.
            code = self._crew.main.exit_code()
            self.read()
            if self._ended is not None:
                return "" if self._ended == "done" else "locust ended it before its time"
            if reason := self._gone(code) or self._why_now():
                return reason
            time.sleep(_LOOK_S)

    def read(self) -> None:
        """Take in what is new in the stream."""
        for line in self._tail.read():
            self._take(put_right(line, self._crew.ahead_s))

    def _take(self, line: Line) -> None:
        if line["kind"] == "began":
            self._began_at = time.monotonic()
        elif line["kind"] == "ended":
            self._ended = str(line.get("reason", ""))
        self._tell(line)

    def _tell(self, line: Line) -> None:
        if line["kind"] == UNREADABLE:
            self._blind = self._blind or str(line["text"])
        for one in self._sees:
            try:
                one.see(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self._blind = self._blind or f"a line of kind {line['kind']} cannot be understood ({error!r})"[:_SHOWN]

    def _why_now(self) -> str:
        # A load whose record cannot be read is watched by nobody.
        return self._blind or self._switch.reason() or self._beyond_time() or self._each_second()

    def _gone(self, code: int | None) -> str:
        """Why it cannot go on, if processes are gone."""
        for name, since in self._crew.newly_lost(time.time()):
            self._note("worker", at=since, worker=name, state="lost")
            said = one_line(self._crew.said()[name])
            self._refuse_unbegun(f"worker {name} is gone" + (f": {said}" if said else ""))
        if code is not None:
            said = one_line(self._crew.main.said())
            why = f"locust ended with exit code {code}" + (f": {said}" if said else "")
            return self._refuse_unbegun(why) or why
        if self._crew.all_lost:
            said = one_line(self._crew.workers[-1].said())
            why = "every worker is gone" + (f": {said}" if said else "")
            return self._refuse_unbegun(why) or why
        return ""

    def _beyond_time(self) -> str:
        now = time.monotonic()
        if self._began_at is None:
            if now - self._started_at > _BEGIN_S:
                self._refuse_unbegun(f"nothing happened for {_BEGIN_S:g} s")
            return ""
        if now - self._began_at > self._time_limit_s:
            return f"it was not over {self._time_limit_s:.0f} s after its beginning"
        return ""

    def _each_second(self) -> str:
        now = time.monotonic()
        if self._began_at is None or now < self._next_second:
            return ""
        self._next_second = now + 1.0
        self._show(self._progress.text(now - self._began_at))
        return self._guards() or ""

    def _refuse_unbegun(self, why: str) -> str:
        if self._began_at is None:
            raise CouldNotLook(f"load {self._profile} did not begin: {why}")
        return ""

    def _note(self, kind: str, **more: object) -> None:
        line: Line = {"kind": kind, "at": time.time(), **more}
        self.notes.append(line)
        if kind == "worker":
            self._tell(line)
