"""The watch lasted as long as it must, and nothing of that time went by unseen.

Why: what breaks at night, or between two looks, is only found if somebody is looking.
When it fails: see why the probes or the checkpoint stopped, then begin anew: `golive watch restart --reason …`.
"""

from datetime import timedelta

from pydantic import Field

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration
from golive.judge import wording
from golive.judge.uptime import uptime
from golive.model import ProbeSpan


class Params(CheckParams):
    length: Duration = Field(alias="for", gt=0, description="how long the watch must last, from the deployment on")


def test_watch_left_no_gap(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    watch, end = day.watch, day.watch.moment(criterion.length)
    checkpoints = [c for c in day.course.checkpoints if c.slot.offset_s <= criterion.length]
    for standing in map(day.standing, checkpoints):
        if standing.word == "lost":
            measure.fail(standing.text)
    if to_come := day.to_come(checkpoints):
        measure.unknown(to_come)
    _judge_probes(criterion, day, measure, evidence)
    if day.now < end:
        measure.unknown(f"it must last until {wording.moment(end)}")
    seen = min(watch.offset_s(day.now), criterion.length)
    measure(seen / 3600, unit="h", name="watched", detail=f"from {wording.moment(watch.starts_at)} on{day.trial}")


def _judge_probes(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    policy = day.record.probe_policy
    if policy is None:
        measure.unknown(
            "nothing is probed between the checkpoints: the environment has no 'availability' under 'watch'"
        )
        return
    spans = day.probes()
    evidence("probes", "\n".join(map(_line, sorted(spans, key=lambda span: (span.first_at, span.endpoint)))))
    end = min(day.now, day.watch.moment(criterion.length))
    for endpoint, found in uptime(spans, begin=day.watch.starts_at, end=end, policy=policy).items():
        whole = wording.span((found.end - found.begin).total_seconds())
        if not found.sampled and day.now <= day.watch.starts_at + timedelta(seconds=policy.begin_within_s):
            measure.unknown(f"{endpoint} is not probed yet")
        elif found.unknown_s > policy.unknown_at_most_s:
            measure.fail(
                f"{endpoint} was not seen for {wording.span(found.unknown_s)} of {whole}, "
                f"at most {wording.span(policy.unknown_at_most_s)} may go by unseen"
            )


def _line(span: ProbeSpan) -> str:
    from_to = f"{wording.moment(span.first_at)} to {wording.moment(span.last_at)}"
    return f"{span.endpoint} {span.state.value} from {from_to}, {span.samples} probes {span.message}".rstrip()
