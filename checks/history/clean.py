"""Every checkpoint of the watch up to some hour was held and clean, and the system was up.

Why: the longer nothing at all goes wrong, the more a system may be trusted with.
When it fails: mend what is named; the watch has to begin anew: `golive watch restart --reason …`.
"""

from dataclasses import replace

from pydantic import Field

from fixtures.day import Day
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Duration
from golive.judge import wording
from golive.judge.verdict import decide


class Params(CheckParams):
    until: Duration = Field(gt=0, description="hour of the watch up to which everything must be clean")


def test_all_was_clean_up_to_that_hour(criterion: Params, day: Day, measure: Measure) -> None:
    hour, due_at = wording.span(criterion.until), day.watch.moment(criterion.until)
    if day.now < due_at:
        measure.not_applicable(f"not yet: hour 0 to {hour} is judged from {wording.moment(due_at)} on")
    record = replace(day.without_what_follows(), milestones={"clean": criterion.until})
    (milestone,) = decide(record, now=day.now).milestones
    told = f"up to {milestone.until}: {milestone.text}"
    if milestone.state == "missed":
        measure.fail(told)
    elif milestone.state == "open":
        measure.unknown(told)
    held = sum(bool(c.counted) for c in day.course.checkpoints if c.slot.offset_s <= criterion.until)
    measure(held, unit="checkpoints", name=f"held up to {hour}", detail=f"{milestone.text}{day.trial}")
