"""The system is ready for the next checkpoint: all was answered, nothing blocks, no issue is left open.

Why: to watch on over something that is already broken only collects the same failure again.
When it fails: mend what is named first; this one follows it.
"""

from fixtures.day import Day
from fixtures.measure import Measure
from golive.environment.params import CheckParams
from golive.judge import wording
from golive.judge.identity import differences
from golive.model import Outcome, Status

_TOLD = 5


class Params(CheckParams):
    """Nothing to set: it is about all that this run has judged, and about every checkpoint before it."""


def test_system_is_ready_for_the_next_checkpoint(
    criterion: Params, criterion_id: str, day: Day, measure: Measure
) -> None:
    del criterion
    answered = {o.criterion for o in day.this_run.outcomes if o.criterion != criterion_id}
    issues = [issue for issue in day.issues(day.this_run.outcomes) if issue.criterion != criterion_id]
    _judge_run(issues, [i for i in day.past.selected(["*"]) if i not in answered], measure)
    for label, issues in day.issues_without_note().items():
        measure.unknown(
            f"nobody has written what was done about {wording.criteria(o.criterion for o in issues)} at {label}"
        )
    _judge_target(day, measure)
    following = day.next_of(day.course.checkpoints)
    then = f"next: {following}" if following else "no further checkpoint is scheduled"
    measure(len(answered), unit="criteria", name="answered", detail=f"{then}{day.trial}")


def _judge_run(issues: list[Outcome], unanswered: list[str], measure: Measure) -> None:
    failed = [issue.criterion for issue in issues if issue.status is Status.FAIL]
    unknown = [issue.criterion for issue in issues if issue.status is Status.UNKNOWN]
    if failed:
        measure.fail(f"{wording.count(len(failed), 'criterion', 'criteria')} failed: {wording.criteria(failed)}")
    if unknown:
        measure.unknown(
            f"{wording.count(len(unknown), 'criterion is', 'criteria are')} unknown: {wording.criteria(unknown)}"
        )
    if unanswered:
        measure.unknown(f"not judged: {wording.criteria(unanswered)}")


def _judge_target(day: Day, measure: Measure) -> None:
    found = day.target()
    if not found:
        measure.unknown("what is deployed could not be read")
    elif day.watch.target and (changes := differences(day.watch.target, found)):
        measure.fail(f"what is deployed is not what the watch began with: {wording.listed(changes, shown=_TOLD)}")
