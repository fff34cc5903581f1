"""Every criterion that was judged left what it saw: a measured value, evidence, or a sentence that says it.

Why: an answer that cannot be looked up later persuades nobody.
When it fails: make the named check record what it measured.
"""

from pydantic import Field

from fixtures.measure import Measure
from fixtures.past import Past
from golive.environment.params import CheckParams
from golive.model import Outcome


class Params(CheckParams):
    criteria: tuple[str, ...] = Field(
        ("*",), min_length=1, description="ids or shell patterns of the criteria that are looked at"
    )


def test_every_answer_left_what_it_saw(criterion: Params, past: Past, measure: Measure) -> None:
    wanted = past.selected(criterion.criteria)
    outcomes = past.this_run(wanted)
    if not outcomes:
        measure.unknown("nothing was judged in this run yet")
        return
    bare = [name for name, outcome in outcomes.items() if not _documented(outcome)]
    for name in bare:
        measure.fail(f"{name} left neither a value nor evidence")
    measure(len(outcomes) - len(bare), unit="criteria", name="documented", detail=f"of {len(wanted)}")


def _documented(outcome: Outcome) -> bool:
    return bool(outcome.measurements or outcome.evidence or (outcome.message and outcome.message != outcome.says))
