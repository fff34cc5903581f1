"""Requests are answered within a limit, for all but the slowest few percent.

Why: users feel the tail; a fine average hides that every twentieth request is slow.
When it fails: see in the evidence which phase grew: connect and TLS point at the network, first byte at the
application or its database, the rest at the size of the answer.
"""

from typing import Annotated

from pydantic import Field

from fixtures.latency import LatencyParams, record_phases, sound_values
from fixtures.measure import EvidenceSink, Measure
from golive.targets.timing import Samples, percentile


class Params(LatencyParams):
    percentile: Annotated[float, Field(ge=50, le=99.9)] = Field(95.0, description="nearest rank, no interpolation")


def test_latency_percentile_stays_within_its_limit(
    criterion: Params, samples: Samples, measure: Measure, evidence: EvidenceSink
) -> None:
    values = sound_values(samples, criterion, measure, tail=criterion.percentile)
    if values:
        measure(
            percentile(values, criterion.percentile),
            unit="ms",
            name=f"p{criterion.percentile:g} of {criterion.of.replace('_', ' ')}",
            warning=criterion.warning,
            critical=criterion.critical,
            samples=len(values),
            detail=f"{len(values)} requests, median {percentile(values, 50):.3g} ms",
        )
    record_phases(samples, measure, evidence)
