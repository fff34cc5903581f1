"""Nothing that went wrong at one checkpoint comes back at another.

Why: a fault that heals by itself and returns was not mended, only missed.
When it fails: compare what happened at the checkpoints that are named; they have a cause in common.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.past import matches
from fixtures.seen import Look
from fixtures.trends import CourseParams, Trends
from golive.environment.params import Duration
from golive.judge.trends import TooFewPoints, recurring
from golive.model import CouldNotLook, Severity

_NAMED = 160
Bad = Literal["fail", "warn", "unknown", "waived"]


class Params(CourseParams):
    values: tuple[str, ...] = Field(
        (),
        description="shell patterns of measurements that stand for a fault when above 0; "
        "without them it is the outcome of the criteria themselves",
    )
    outcomes: Annotated[tuple[Bad, ...], Field(min_length=1)] = Field(
        ("fail",), description="outcomes that count as gone wrong"
    )
    severities: tuple[Severity, ...] = Field((), description="only criteria that weigh this much; all by default")
    times: Annotated[int, Field(ge=2)] = Field(2, description="checkpoints at which the same is once too often")
    not_before: Duration = Field(2 * 3600.0, description="time of the watch until which this does not apply")


def test_nothing_comes_back(criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink) -> None:
    trends.require_hour(criterion.not_before)
    trends.outcomes(criterion.criteria, measure)
    looks = trends.looks(criterion.criteria)
    try:
        back = recurring([list(_faults(look, criterion)) for look in looks], criterion.times)
    except TooFewPoints as few:
        raise CouldNotLook(f"{few}, each a checkpoint that judged {', '.join(criterion.criteria)}") from None
    told = [f"{fault[:_NAMED]} ({', '.join(looks[at].label for at in places)})" for fault, places in back.items()]
    evidence("at each checkpoint", "\n".join(_line(look, criterion) for look in looks))
    measure(
        len(back),
        unit="faults",
        subject=f"met at {criterion.times} checkpoints or more",
        name="recurring",
        critical=0,
        inclusive=True,
        samples=len(looks),
        detail="; ".join(told) or f"{len(looks)} checkpoints",
    )


def _faults(look: Look, criterion: Params) -> Iterator[str]:
    """What went wrong at one checkpoint, by a name that is the same at another."""
    for outcome in look.outcomes:
        if criterion.severities and outcome.severity not in criterion.severities:
            continue
        if not criterion.values:
            if outcome.status.value in criterion.outcomes:
                yield outcome.criterion
            continue
        for m in outcome.measurements:
            if m.value > 0 and matches(m.name, criterion.values):
                yield f"{m.name} ({outcome.criterion})"


def _line(look: Look, criterion: Params) -> str:
    return f"{look.label}: {', '.join(dict.fromkeys(_faults(look, criterion))) or 'nothing'}"
