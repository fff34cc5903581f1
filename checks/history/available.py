"""Every probed endpoint was up for as much of the watch as it must be.

Why: checkpoints are minutes of a day; what its users met in between, only a steady probe has seen.
When it fails: look for the outages in the system's logs; where nothing was seen, keep `golive watch` running.
"""

from pydantic import Field

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Percent
from golive.judge import wording
from golive.judge.uptime import Uptime, uptime
from golive.model import CouldNotLook, ProbePolicy

_DIGITS = 6


class Params(CheckParams):
    at_least: Percent = Field(100.0, description="share of the known time that each endpoint must have been up")
    complete: bool = Field(False, description="over the whole watch, to its last checkpoint")


def test_endpoints_were_up(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    policy = day.record.probe_policy
    if policy is None:
        raise CouldNotLook("the environment has no 'availability' under 'watch', so nothing is probed")
    end = min(day.now, day.watch.ends_at)
    found = uptime(day.probes(), begin=day.watch.starts_at, end=end, policy=policy)
    for endpoint, told in found.items():
        evidence(f"outages of {endpoint}", _outages(told))
        _judge(endpoint, told, criterion, policy, measure, day.trial)
    if criterion.complete and end < day.watch.ends_at:
        measure.unknown(f"the watch ends {wording.moment(day.watch.ends_at)}, this is what it has come to so far")


def _judge(endpoint: str, found: Uptime, criterion: Params, policy: ProbePolicy, measure: Measure, trial: str) -> None:
    of = wording.span((found.end - found.begin).total_seconds())
    if not found.sampled or found.percent is None:
        measure.unknown(f"{endpoint} was not probed in the {of} since {wording.moment(found.begin)}")
        return
    times = wording.count(len(found.outages), "outage", "outages")
    # Down time says what 99.995 % hides when it is rounded.
    measure(
        round(100 - found.percent, _DIGITS),
        unit="% down",
        name=endpoint,
        critical=round(100 - criterion.at_least, _DIGITS),
        inclusive=True,
        detail=f"{wording.span(found.down_s)} in {times}, over {of}{trial}",
    )
    if found.unknown_s > policy.unknown_at_most_s:
        measure.unknown(
            f"{endpoint} was not seen for {wording.span(found.unknown_s)} of the {of}, "
            f"at most {wording.span(policy.unknown_at_most_s)} may be left open"
        )


def _outages(found: Uptime) -> str:
    lines = [
        f"{wording.moment(o.begin)}, {wording.span(o.duration_s)}: {wording.brief(o.message)}" for o in found.outages
    ]
    return "\n".join([*lines, f"not seen: {wording.span(found.unknown_s)}"])
