"""New limits for old measurements: each limit is traced to the parameter that it came from. Pure.

What a check turns its parameters into is its own affair, so a limit is traced by its value: the parameter that it
equals, up to a change of unit (`500 ms` is kept as 500 or as 0.5). Where that is not beyond doubt nothing is judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from golive.judge.limits import number
from golive.model import Measurement

Path = tuple[str, ...]
_TIMES = (1.0, 1000.0, 1 / 1000, 60.0, 1 / 60, 3600.0, 1 / 3600, 86400.0, 1 / 86400)
_SIZES = tuple(base**power for base in (1000.0, 1024.0) for power in (0, 1, -1, 2, -2, 3, -3))
_FACTORS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("ms", "s", "min", "h", "d"), _TIMES),
    **dict.fromkeys(("B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB"), tuple(dict.fromkeys(_SIZES))),
    "%": (1.0, 100.0),
}
_KINDS = ("warning", "critical")
_PRECISION = 1e-9


class Untraceable(Exception):
    """The values cannot be judged again: which parameter changed, and why that cannot be followed."""


def relimited(
    measurements: Sequence[Measurement], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Measurement, ...]:
    """The measurements with the limits that they would have under other parameters of the same check.

    `before` and `after` are the check's parameters as plain data. Untraceable if any parameter changed that is no
    limit of one of these measurements, or of which nobody can say for certain what limit it is.
    """
    tracing = _Tracing(dict(_leaves(before)), dict(_leaves(after)))
    found = tuple(tracing.relimited(measurement) for measurement in measurements)
    return tracing.with_added(measurements, found)


class _Tracing:
    """Which parameters changed, and what each was found to be the limit of."""

    def __init__(self, before: Mapping[Path, Any], after: Mapping[Path, Any]) -> None:
        self.before, self.after = before, after
        self.changed = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
        self.limits: dict[Path, set[tuple[str, str, str, bool]]] = {path: set() for path in self.changed}
        for path in sorted(self.changed):
            values = (before.get(path), after.get(path))
            if not all(value is None or _is_number(value) for value in values):
                raise Untraceable(f"'{_said(path)}' changed from {values[0]!r} to {values[1]!r}")

    def relimited(self, measurement: Measurement) -> Measurement:
        """With each limit that came from a changed parameter as it is now."""
        now = {kind: self._limit(measurement, kind) for kind in _KINDS}
        return replace(measurement, warning=now["warning"], critical=now["critical"])

    def with_added(
        self, measurements: Sequence[Measurement], found: tuple[Measurement, ...]
    ) -> tuple[Measurement, ...]:
        """With limits that there were none of before; Untraceable if that leaves a change that was not followed."""
        for path in sorted(self.changed):
            if len(self.limits[path]) > 1:
                raise Untraceable(f"'{_said(path)}' may be the limit of values of different kinds")
            if not self.limits[path]:
                found = self._added(path, measurements, found)
        return found

    def _limit(self, measurement: Measurement, kind: str) -> float | None:
        limit: float | None = getattr(measurement, kind)
        if limit is None:
            return None
        sources = list(self._sources(limit, measurement.unit, kind))
        if not any(path in self.changed for path, _ in sources):
            return limit
        limits = {_scaled(self.after.get(path), factor) for path, factor in sources}
        if len(limits) > 1:
            names = " or ".join(sorted({f"'{_said(path)}'" for path, _ in sources}))
            raise Untraceable(
                f"the limit {number(limit)} {measurement.unit} of {measurement.name} may come from {names}"
            )
        for path, _ in sources:
            if path in self.changed:
                self.limits[path].add((measurement.unit, kind, measurement.better, measurement.inclusive))
        return limits.pop()

    def _sources(self, limit: float, unit: str, kind: str) -> Iterator[tuple[Path, float]]:
        """Every parameter that the limit may have come from, with the factor of its unit."""
        other = next(k for k in _KINDS if k != kind)
        for path, value in self.before.items():
            if _is_number(value) and path[-1] != other:
                for factor in _FACTORS.get(unit, (1.0,)):
                    if math.isclose(value * factor, limit, rel_tol=_PRECISION):
                        yield path, factor

    def _added(
        self, path: Path, measurements: Sequence[Measurement], found: tuple[Measurement, ...]
    ) -> tuple[Measurement, ...]:
        """A `warning` beside a `critical` that was traced, or the other way round, is a limit of the same values."""
        kind, value = path[-1], self.after.get(path)
        if self.before.get(path) is None and kind in _KINDS and _is_number(value):
            other = next(k for k in _KINDS if k != kind)
            factors = [self._factor(m, other, (*path[:-1], other)) for m in measurements]
            if any(factors):
                limits = [_scaled(value, factor) if factor else None for factor in factors]
                return tuple(_with(new, kind, limit) for new, limit in zip(found, limits, strict=True))
        told = f"changed from {_shown(self.before.get(path))} to {_shown(value)}"
        raise Untraceable(f"'{_said(path)}' {told}, and no measured value has it as its limit")

    def _factor(self, measurement: Measurement, kind: str, path: Path) -> float | None:
        """How a limit follows from `path`, None if it does not for certain."""
        limit = getattr(measurement, kind)
        sources = [] if limit is None else list(self._sources(limit, measurement.unit, kind))
        return sources[0][1] if len(sources) == 1 and sources[0][0] == path else None


def _with(measurement: Measurement, kind: str, limit: float | None) -> Measurement:
    if limit is None:
        return measurement
    return replace(measurement, warning=limit) if kind == "warning" else replace(measurement, critical=limit)


def _leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every single value in nested data with the way to it."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(data, list | tuple):
        yield (*path, "length"), f"{len(data)} entries"
        for index, value in enumerate(data):
            yield from _leaves(value, (*path, str(index)))
    else:
        yield path, data


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scaled(value: Any, factor: float) -> float | None:
    return value * factor if _is_number(value) else None


def _said(path: Path) -> str:
    return ".".join(path)


def _shown(value: Any) -> str:
    return number(value) if _is_number(value) else "nothing"
