"""Scheduled checkpoints of the watch took place, each in its time.

Why: a look that was left out is an hour of which nobody knows anything.
When it fails: see why no run began in time (timer, CronJob, `golive watch`), then `golive watch restart --reason …`.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams
from golive.environment.schedule import slot_of_entry
from golive.judge import wording
from golive.judge.course import Checkpoint


def _label(entry: str) -> str:
    """`4 h` and `4h` are the same checkpoint."""
    return slot_of_entry(entry).label


class Params(CheckParams):
    checkpoints: tuple[Annotated[str, AfterValidator(_label)], ...] = Field(
        (), description="checkpoints that must have taken place, as in 4 h; all of the schedule by default"
    )
    complete: bool = Field(False, description="all of them, also those that are not due yet")


def test_checkpoints_took_place(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    known = {checkpoint.label: checkpoint for checkpoint in day.course.checkpoints}
    wanted = criterion.checkpoints or tuple(known)
    found = {label: day.standing(known[label]) for label in wanted if label in known}
    evidence("checkpoints", "\n".join(_line(known[label], standing.text) for label, standing in found.items()))
    for label in (label for label in wanted if label not in known):
        measure.fail(f"the schedule has no checkpoint {label}, only {wording.listed([*known])}")
    for standing in (standing for standing in found.values() if standing.word == "lost"):
        measure.fail(standing.text)
    held = sum(standing.word == "held" for standing in found.values())
    named = [known[label] for label in found]
    following = day.next_of(named)
    if following and criterion.complete:
        measure.unknown(day.to_come(named))
    elif following and not held and not measure.failures:
        measure.not_applicable(f"not yet: {following}")
    then = f"; {following}" if following else ""
    measure(held, unit="checkpoints", name="took place", detail=f"of {len(wanted)}{then}{day.trial}")


def _line(checkpoint: Checkpoint, told: str) -> str:
    runs = ", ".join(run.run for run in checkpoint.counted)
    return f"{told}, was due {wording.moment(checkpoint.due_at)} (run {runs})" if runs else told
