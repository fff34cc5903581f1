"""Every criterion of this run has an answer.

Why: a checkpoint with a gap is not complete, however green the rest is.
When it fails: read why the named criteria are unknown, mend that, and run the checkpoint again.
"""

from pydantic import Field

from fixtures.measure import Measure
from fixtures.past import Past
from golive.environment.params import CheckParams
from golive.model import Status


class Params(CheckParams):
    criteria: tuple[str, ...] = Field(
        ("*",), min_length=1, description="ids or shell patterns of the criteria that need an answer"
    )


def test_every_criterion_of_this_run_has_an_answer(criterion: Params, past: Past, measure: Measure) -> None:
    wanted = past.selected(criterion.criteria)
    if not wanted:
        measure.unknown(f"none of {', '.join(criterion.criteria)} is part of this run")
        return
    outcomes = past.this_run(wanted)
    # Left open and not failed: another run of the same checkpoint may still answer it.
    for missing in (i for i in wanted if i not in outcomes):
        measure.unknown(f"{missing} was not judged")
    for outcome in outcomes.values():
        if outcome.status is Status.UNKNOWN:
            measure.unknown(f"{outcome.criterion} is unknown")
    answered = sum(o.status is not Status.UNKNOWN for o in outcomes.values())
    measure(answered, unit="criteria", name="answered", detail=f"of {len(wanted)}")
