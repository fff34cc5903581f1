"""What the criteria of a run ask of one load: limits, what was measured, and the baseline's values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from golive.model import Criterion, Measurement, Outcome
from reports import wording

AREA = "load/"
Key = tuple[str, str, str]
"""Criterion, name of the measurement, unit."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The baseline in force: its name, and its values by criterion, name of the measurement and unit."""

    name: str
    values: Mapping[Key, float]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One measured value of a load criterion; `measurement` is None where there was nothing to measure.

    `check` is the last word of its id (`latency`). `request` and `phase` are what the criterion is about, None for
    all (`phase` may also be a kind of them, as in `hold`). `of` is the percentile that it limits, as it is written
    (`p95`, `max`), or "". `whose` is the host or database that it looks at, or "".
    """

    outcome: Outcome
    check: str
    measurement: Measurement | None
    baseline: float | None
    request: str | None
    phase: str | None
    of: str
    whose: str


def budgets(
    profile: str, outcomes: Iterable[Outcome], criteria: Sequence[Criterion], baseline: Baseline | None
) -> list[Budget]:
    """Everything that load criteria on `profile` measured, the worst outcome first."""
    known = {criterion.id: criterion for criterion in criteria}
    found: list[Budget] = []
    for outcome in wording.worst_first(outcomes):
        params = getattr(known.get(outcome.criterion), "params", None)
        if (outcome.check or "").startswith(AREA) and getattr(params, "profile", None) == profile:
            found += [_budget(outcome, one, params, baseline) for one in outcome.measurements or (None,)]
    return found


def _budget(outcome: Outcome, measurement: Measurement | None, params: object, baseline: Baseline | None) -> Budget:
    usual = None
    if baseline is not None and measurement is not None:
        usual = baseline.values.get((outcome.criterion, measurement.name, measurement.unit))
    return Budget(
        outcome=outcome,
        check=(outcome.check or "").removeprefix(AREA),
        measurement=measurement,
        baseline=usual,
        request=_text(params, "request"),
        phase=_text(params, "phase"),
        of=_text(params, "of") or "",
        whose=_text(params, "host") or _text(params, "database") or "",
    )


def _text(params: object, name: str) -> str | None:
    """A parameter as text; None where the check has none of that name, or it is not given."""
    value = getattr(params, name, None)
    return None if value is None else str(value)
