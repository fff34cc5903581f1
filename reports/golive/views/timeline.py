"""Areas by checkpoints: the worst outcome of each, with counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from golive.model import Status
from reports.golive.views.day import Checkpoint, State, area_of
from reports.text import plural
from reports.wording import ORDER, rank

STATE_WORDS = {
    State.DONE: "on time",
    State.LATE: "late",
    State.EARLY: "too early",
    State.PARTIAL: "partial",
    State.ABORTED: "aborted",
    State.RUNNING: "running",
    State.MISSED: "missed",
    State.DUE: "due",
    State.AHEAD: "to come",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One area at one checkpoint. `status` is None where nothing was judged; `absent` where that should have been.

    `count` is how many criteria have the worst outcome, of `total`.
    """

    status: Status | None
    count: int = 0
    total: int = 0
    absent: int = 0
    words: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One area over all checkpoints."""

    area: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The heat map: a column for each checkpoint (and one for runs besides them), a row for each area."""

    columns: tuple[Checkpoint, ...]
    rows: tuple[Row, ...]


def timeline(columns: Sequence[Checkpoint], areas: Iterable[str]) -> Timeline:
    """The whole time at a glance; `Day.columns` and `Day.areas` of a watch."""
    by_area = [_by_area(column) for column in columns]
    wanted = [_wanted(column) for column in columns]
    rows = tuple(
        Row(
            area=area,
            cells=tuple(
                _cell(area, column, found.get(area, {}), due.get(area, frozenset()))
                for column, found, due in zip(columns, by_area, wanted, strict=True)
            ),
        )
        for area in areas
    )
    return Timeline(columns=tuple(columns), rows=rows)


def _by_area(column: Checkpoint) -> dict[str, dict[str, Status]]:
    found: dict[str, dict[str, Status]] = {}
    for name, outcome in column.outcomes.items():
        found.setdefault(area_of(name), {})[name] = outcome.status
    return found


def _wanted(column: Checkpoint) -> dict[str, frozenset[str]]:
    """What had to be judged by now, by area."""
    if column.state.is_to_come:
        return {}
    found: dict[str, set[str]] = {}
    for name in column.expected:
        found.setdefault(area_of(name), set()).add(name)
    return {area: frozenset(names) for area, names in found.items()}


def _cell(area: str, column: Checkpoint, found: Mapping[str, Status], due: frozenset[str]) -> Cell:
    absent = len(due - found.keys())
    where = f"{area} at {column.name}" if column.number else f"{area} in other runs"
    if not found:
        words = f"{plural(absent, 'criterion was', 'criteria were')} not judged" if absent else "nothing to judge"
        return Cell(status=None, absent=absent, words=f"{where}: {words}")
    worst = min(found.values(), key=_weight)
    number = {status: sum(one is status for one in found.values()) for status in ORDER}
    told = [f"{count} {status.value.replace('_', ' ')}" for status, count in number.items() if count]
    if absent:
        told.append(f"{absent} not judged")
    return Cell(status=worst, count=number[worst], total=len(found), absent=absent, words=f"{where}: {', '.join(told)}")


def _weight(status: Status) -> int:
    """Worst first; what does not apply hides nothing that was judged."""
    return len(ORDER) if status is Status.NOT_APPLICABLE else rank(status)


def letters(columns: Sequence[Checkpoint], criteria: Iterable[str]) -> list[tuple[str, tuple[Status | None, ...]]]:
    """Every criterion with its outcome at each column, None where it was not judged."""
    names = sorted({*criteria} | {name for column in columns for name in column.outcomes})
    return [
        (name, tuple(None if (o := column.outcomes.get(name)) is None else o.status for column in columns))
        for name in names
    ]
