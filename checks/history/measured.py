"""Every value that the checkpoint record asks for was measured, as a number with its unit.

Why: a blank in the record is not a value within its limit.
When it fails: see why the named criterion measured nothing in this run.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.past import Past
from golive.environment.params import CheckParams
from golive.model import Status


class Params(CheckParams):
    criteria: tuple[str, ...] = Field(min_length=1, description="ids of the criteria that must carry a measurement")


def test_every_value_of_the_record_was_measured(
    criterion: Params, past: Past, measure: Measure, evidence: EvidenceSink
) -> None:
    outcomes = past.this_run(past.selected(criterion.criteria))
    rows, measured = [], 0
    for wanted in criterion.criteria:
        found = {name: o for name, o in outcomes.items() if wanted in (name, name.partition("[")[0])}
        for name, outcome in found.items():
            rows += [f"{name}: {m.name} {m.value:g} {m.unit}" for m in outcome.measurements if m.unit]
        blank = {name: o for name, o in found.items() if not any(m.unit for m in o.measurements)}
        measured += bool(found) and not blank
        if not found:
            measure.fail(f"{wanted} has no measured value (it is not part of this run)")
        for name, outcome in blank.items():
            # What could not be looked at may still be measured by another run of the same checkpoint.
            tell = measure.unknown if outcome.status is Status.UNKNOWN else measure.fail
            tell(f"{name} has no measured value ({outcome.message})")
    evidence("values of this record", "\n".join(rows))
    measure(measured, unit="criteria", name="measured", detail=f"of {len(criterion.criteria)}")
