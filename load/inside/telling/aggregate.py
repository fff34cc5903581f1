"""What one process measured, added up by second and request name, and handed on as lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from golive.judge.load.histogram import bucket_of

_MOST_PROBLEMS = 50
_LONGEST = 500
_MOST_NAMES = 500
FURTHER = "further names"
UNFINISHED = "unfinished"


class Tally:
    """Latencies by bucket, with their exact sum and maximum: as `Histogram`, and cheaper to add to."""

    __slots__ = ("buckets", "max_us", "sum_us")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.max_us = 0
        self.sum_us = 0

    def add(self, us: int) -> None:
        """Count one latency in microseconds."""
        bucket = bucket_of(us)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.sum_us += us
        if us > self.max_us:
            self.max_us = us

    def as_data(self) -> dict[str, Any]:
        """As `Histogram.as_data`."""
        return {
            "buckets": {str(bucket): n for bucket, n in sorted(self.buckets.items())},
            "max_us": self.max_us,
            "sum_us": self.sum_us,
        }


class _Cell:
    """One name in one second."""

    __slots__ = ("failures", "intended", "late_us", "n", "tally")

    def __init__(self) -> None:
        self.n = 0
        self.failures: dict[str, int] = {}
        self.tally = Tally()
        self.intended = Tally()
        self.late_us = 0


class Recorder:
    """Counts requests as they end. `secrets` are taken out of every text."""

    def __init__(self, worker: str, *, is_open: bool, secrets: Sequence[str] = ()) -> None:
        self._worker = worker
        self._is_open = is_open
        self._secrets = secrets
        self._cells: dict[tuple[int, str], _Cell] = {}
        self._made: list[dict[str, Any]] = []
        self._problems: dict[str, bool] = {}
        self._unsure: dict[str, int] = {}
        self._names: set[str] = set()
        self._last_second: int | None = None
        self.in_flight = 0

    def request(self, at: float, name: str, us: int, failure: str | None = None, late_us: int = 0) -> None:
        """A request ended at `at` (unix seconds) and took `us` microseconds; it began `late_us` after it was due."""
        cell = self._cell(at, name)
        cell.n += 1
        cell.tally.add(us)
        if failure is not None:
            cell.failures[failure] = cell.failures.get(failure, 0) + 1
        if self._is_open:
            cell.intended.add(us + late_us)
            cell.late_us += late_us

    def unfinished(self, at: float, name: str) -> None:
        """A request had no answer when the load ended; it is told but not counted."""
        failures = self._cell(at, name).failures
        failures[UNFINISHED] = failures.get(UNFINISHED, 0) + 1

    def made(self, clean_up: str, account: str | None) -> None:
        """Something was made that `clean_up` (`DELETE /path`) takes away again."""
        self._made.append({"kind": "made", "clean_up": clean_up, "as": account})

    def unsure(self, name: str) -> None:
        """A request that makes something had no answer: nobody knows whether it did."""
        self._unsure[name] = self._unsure.get(name, 0) + 1

    def problem(self, text: str) -> None:
        """Tell it once, however often it comes, and no more than fifty different ones."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.setdefault(text[:_LONGEST], False)

    def end_at(self, second: int) -> None:
        """What still comes in belongs to this second, the last one of the load."""
        self._last_second = second

    def take(self, *, before: float | None = None) -> list[dict[str, Any]]:
        """The lines of all seconds that were over by `before` (unix seconds), or of all. Each is handed out once."""
        limit = None if before is None else int(before)
        keys = sorted(key for key in self._cells if limit is None or key[0] < limit)
        lines = [self._line(key, self._cells.pop(key)) for key in keys]
        made, self._made = self._made, []
        if before is None:
            self._tell_unsure()
        return [*lines, *made, *self._new_problems()]

    def _cell(self, at: float, name: str) -> _Cell:
        second = int(at)
        if self._last_second is not None and second > self._last_second:
            second = self._last_second
        cell = self._cells.get((second, name))
        if cell is None:
            name = self._known(name)
            cell = self._cells.setdefault((second, name), _Cell())
        return cell

    def _known(self, name: str) -> str:
        """The name itself, unless there are far too many: then requests were not grouped."""
        if name not in self._names and len(self._names) >= _MOST_NAMES:
            self.problem(f"requests have more than {_MOST_NAMES} names; give those that only differ in an id one name")
            return FURTHER
        self._names.add(name)
        return name

    def _line(self, key: tuple[int, str], cell: _Cell) -> dict[str, Any]:
        line: dict[str, Any] = {"kind": "second", "at": key[0], "worker": self._worker, "name": key[1]}
        line |= {"n": cell.n, "failures": cell.failures, "histogram": cell.tally.as_data()}
        if self._is_open:
            line |= {"intended": cell.intended.as_data(), "late_us": cell.late_us}
        return line

    def _tell_unsure(self) -> None:
        for name, times in self._unsure.items():
            self.problem(f"{name} was not answered {times} times; what it may have made is not cleaned up")
        self._unsure.clear()

    def _new_problems(self) -> list[dict[str, Any]]:
        new = [text for text, told in self._problems.items() if not told]
        self._problems.update(dict.fromkeys(new, True))
        return [{"kind": "problem", "text": text} for text in new]
