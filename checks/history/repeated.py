"""Every checkpoint of the watch judged the same criteria as the first one, and all that a checkpoint requires.

Why: a look that leaves something out says nothing about it, however green it is.
When it fails: find what deselected the named criteria (`-m`, `-k`, an aborted run), and see that the next run does not.
"""

from pydantic import Field

from fixtures.day import Day
from fixtures.measure import Measure
from fixtures.past import matches
from golive.environment.params import CheckParams
from golive.judge import wording
from golive.judge.course import Checkpoint, is_judged_by_runs
from golive.model import RunRecord, When


class Params(CheckParams):
    criteria: tuple[str, ...] = Field(("*",), min_length=1, description="ids or shell patterns of what is compared")
    complete: bool = Field(False, description="at every checkpoint of the schedule, also those that are not due yet")


def test_checkpoints_judged_the_same(criterion: Params, day: Day, measure: Measure) -> None:
    # The first look after the deployment is a smoke test, which has criteria of its own.
    checkpoints = [c for c in day.course.checkpoints if When.CHECKPOINT in c.slot.occasions]
    judged = {c.label: _judged(c, criterion, day) for c in checkpoints if c.counted}
    wanted = _wanted(criterion, day) | next(iter(judged.values()), set())
    following = day.next_of(checkpoints)
    for standing in map(day.standing, checkpoints):
        if standing.word == "lost":
            measure.fail(standing.text)
    if following and criterion.complete:
        measure.unknown(day.to_come(checkpoints))
    if not wanted:
        measure.unknown(f"none of {', '.join(criterion.criteria)} is judged at a checkpoint")
    elif judged:
        _compare([c for c in checkpoints if c.counted], judged, wanted, day, measure)
    elif not (measure.failures or measure.unknowns):
        measure.not_applicable(f"not yet: {following}" if following else "it schedules nothing but smoke tests")


def _compare(held: list[Checkpoint], judged: dict[str, set[str]], wanted: set[str], day: Day, measure: Measure) -> None:
    whole = 0
    for checkpoint in held:
        left_out = sorted(wanted - judged[checkpoint.label])
        whole += not left_out
        if not left_out:
            continue
        told = f"{checkpoint.label} did not judge {wording.criteria(left_out)}"
        if checkpoint.is_open(day.now):
            measure.unknown(f"{told}; it can be made up for by {wording.moment(checkpoint.deadline)}")
        else:
            measure.fail(told)
    measure(
        whole,
        unit="checkpoints",
        name="judged in full",
        detail=f"of {len(held)}, {len(wanted)} criteria each{day.trial}",
    )


def _wanted(criterion: Params, day: Day) -> set[str]:
    """What the environment asks of a checkpoint."""
    required = (c for c in day.record.criteria if When.CHECKPOINT in c.when and is_judged_by_runs(c))
    return {c.id for c in required if matches(c.id, criterion.criteria)}


def _judged(checkpoint: Checkpoint, criterion: Params, day: Day) -> set[str]:
    found = {name for run in checkpoint.counted for name in _judged_by(run, day)}
    return {name for name in found if matches(name, criterion.criteria)}


def _judged_by(run: RunRecord, day: Day) -> set[str]:
    """What has an outcome, and in this run also what is still going to be judged after the system itself."""
    judged = {outcome.criterion for outcome in run.outcomes}
    if run.run != day.context.run:
        return judged
    return judged | (set(run.selected) - set(day.past.selected(["*"])))
