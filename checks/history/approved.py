"""The watch as a whole comes to GO: everything held, everything was seen, everybody has signed.

Why: a system goes live on a verdict that was computed from all the evidence, never on the last green line.
When it fails: `golive verdict` tells every reason; sign with `golive sign`, begin anew with `golive watch restart`.
"""

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams
from golive.judge.verdict import decide
from golive.model import Decision, utc_text

_TOLD = 5


class Params(CheckParams):
    """Nothing to set: it is the verdict over the whole watch, of which this run is a part."""


def test_verdict_is_go(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    del criterion
    verdict = decide(day.fresh_record(), now=day.now)
    told = [f"{reason.decision.value}: {reason.text}" for reason in verdict.reasons]
    evidence("verdict", "\n".join([f"{verdict.decision.value} at {utc_text(verdict.at)}", *told]))
    record = measure.fail if verdict.decision is Decision.NO_GO else measure.unknown
    if verdict.decision is not Decision.GO:
        for reason in verdict.reasons[:_TOLD]:
            record(reason.text)
        if len(verdict.reasons) > _TOLD:
            record(f"and {len(verdict.reasons) - _TOLD} more (golive verdict)")
    by = f", a NO-GO that {verdict.override.name} ({verdict.override.role}) accepts" if verdict.override else ""
    measure(len(verdict.reasons), unit="reasons", name="against GO", detail=f"{verdict.decision.value}{by}{day.trial}")
