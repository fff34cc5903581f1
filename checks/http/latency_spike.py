"""Not a single request takes longer than a limit.

Why: one request that hangs for seconds is a lock, a lost packet or a cold cache, and somebody at a till waited for it.
When it fails: look in the application's log for the slow request, then for locks and for restarts at that moment.
"""

from fixtures.latency import LatencyParams, record_phases, sound_values
from fixtures.measure import EvidenceSink, Measure
from golive.targets.timing import Samples, percentile


class Params(LatencyParams):
    """The keys of http/latency without its percentile."""


def test_no_request_takes_longer_than_the_limit(
    criterion: Params, samples: Samples, measure: Measure, evidence: EvidenceSink
) -> None:
    values = sound_values(samples, criterion, measure, tail=100)
    if values:
        measure(
            max(values),
            unit="ms",
            name=f"slowest {criterion.of.replace('_', ' ')}",
            warning=criterion.warning,
            critical=criterion.critical,
            samples=len(values),
            detail=f"{len(values)} requests, median {percentile(values, 50):.3g} ms",
        )
    record_phases(samples, measure, evidence)
