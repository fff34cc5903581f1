"""Who is still there: processes below one, known by number and time of start, since numbers are used again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple


class Known(NamedTuple):
    """A process that was seen."""

    pid: int
    started: str

    @property
    def is_there(self) -> bool:
        """Whether that very process still runs."""
        row = _row(self.pid)
        return row is not None and row[2] == self.started and row[0] != "Z"


def below(pid: int) -> list[Known]:
    """All processes that `pid` has started, directly or not."""
    rows = {int(path.name): _row(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found, parents = [], [pid]
    for parent in parents:
        for child, row in rows.items():
            if row is not None and row[1] == str(parent):
                found.append(Known(child, row[2]))
                parents.append(child)
    return found


def all_gone(processes: Iterable[Known], within_s: float) -> bool:
    """Whether all of them have ended by then."""
    watched = list(processes)
    return comes_true(lambda: not any(one.is_there for one in watched), within_s)


def comes_true(what: Callable[[], object], within_s: float) -> bool:
    """Whether `what` holds within the time; asked again and again."""
    deadline = time.monotonic() + within_s
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _row(pid: int) -> tuple[str, str, str] | None:
    """State, parent and time of start."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], fields[1], fields[19]
