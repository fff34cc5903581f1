"""Every criterion of a group held, in this run and in the earlier ones it looks at.

Why: a system goes live on what was judged, not on a line that somebody printed.
When it fails: mend the criteria that are named; this one follows them.
"""

from typing import Literal

from pydantic import Field

from fixtures.day import Day
from fixtures.measure import Measure
from fixtures.past import Past, matches
from golive.environment.params import CheckParams
from golive.model import EXTRA, Outcome, Status


class Params(CheckParams):
    criteria: tuple[str, ...] = Field(min_length=1, description="ids or shell patterns of the criteria that must hold")
    over: Literal["run", "deployment"] = Field(
        "run", description="this run, or every run since the deployment (of the watch, where there is one)"
    )


def test_every_criterion_of_the_group_held(criterion: Params, past: Past, day: Day, measure: Measure) -> None:
    wanted = past.selected(criterion.criteria)
    if not wanted:
        measure.unknown(f"none of {', '.join(criterion.criteria)} was judged in this run")
        return
    outcomes = past.this_run(wanted)
    for missing in (i for i in wanted if i not in outcomes):
        measure.unknown(f"{missing}: not answered in this run")
    _judge([*outcomes.values()], "", measure)
    if criterion.over == "deployment":
        (_judge_watch(criterion, day, measure) if day.is_expected else _judge_earlier(criterion, past, measure))
    count = sum(not o.status.blocks for o in outcomes.values())
    measure(count, unit="criteria", name="held", detail=f"of {len(wanted)}")


def _judge_watch(criterion: Params, day: Day, measure: Measure) -> None:
    """Every failure counts, whenever it was; what could not be looked at may be mended within its checkpoint."""

    def belongs(outcome: Outcome) -> bool:
        # What looks back follows from the others, and what people sign they sign afterwards.
        follows = (outcome.check or "").startswith("history/") or not day.course.counts(outcome)
        return matches(outcome.criterion, criterion.criteria) and not follows

    runs = [run for run in day.course.runs if run.run != day.context.run]
    measure.note(f"{len(runs)} earlier runs of the watch{day.trial}")
    for run in runs:
        where = f" in run {run.run}" if run.checkpoint in (None, EXTRA) else f" at {run.checkpoint}"
        _judge([o for o in run.outcomes if belongs(o) and o.status is Status.FAIL], where, measure)
    for checkpoint in day.course.checkpoints:
        for looks in checkpoint.looks.values():
            if all(look.status is Status.UNKNOWN and look.run.run != day.context.run for look in looks):
                _judge([look.outcome for look in looks if belongs(look.outcome)], f" at {checkpoint.label}", measure)


def _judge_earlier(criterion: Params, past: Past, measure: Measure) -> None:
    if past.deployed_at is None:
        measure.unknown("the environment says no deployment.deployed_at, so earlier runs cannot be told apart")
        return
    runs = past.earlier(past.deployed_at)
    measure.note(f"{len(runs)} earlier runs since the deployment")
    for run in runs:
        _judge([o for o in run.outcomes if matches(o.criterion, criterion.criteria)], f" in run {run.run}", measure)


def _judge(outcomes: list[Outcome], where: str, measure: Measure) -> None:
    for outcome in outcomes:
        if outcome.status is Status.FAIL:
            measure.fail(f"{outcome.criterion} failed{where}")
        elif outcome.status is Status.UNKNOWN:
            measure.unknown(f"{outcome.criterion} is unknown{where}")
