"""All services are running, and healthy where they tell.

Why: a service that is down and not missed at once is found by a customer.
When it fails: read the log of the service that is named, start it again, then find out why nothing else did.
"""

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, ServicesRef
from golive.targets.services import ServicesReading


class Params(CheckParams):
    services: ServicesRef
    undeclared: Literal["fail", "warn", "ignore"] = Field(
        "warn",
        description="what a service means that is not expected, or that only one of compose file and manager has",
    )


def test_all_services_are_running(
    criterion: Params, services: ServicesReading, measure: Measure, evidence: EvidenceSink
) -> None:
    evidence("services", "\n".join(f"{s.name}: {s.state}" for s in services.services.values()))
    bad = [f"{name} is not there" for name in services.missing]
    bad += [f"{s.name} is {s.state}" for s in services.found if not s.running or s.healthy is False]
    expected = len(services.expected)
    measure(
        expected - len(bad),
        unit=f"of {expected} services",
        subject="running",
        name="running",
        critical=expected,
        better="higher",
        detail=", ".join([*bad, services.note] if services.note else bad),
    )
    if criterion.undeclared != "ignore":
        _tell_strangers(services, measure.fail if criterion.undeclared == "fail" else measure.warn)
        if services.declared_gap:
            measure.unknown(services.declared_gap)


def _tell_strangers(services: ServicesReading, tell: Callable[[str], None]) -> None:
    """What is expected, what is declared and what is there ought to be the same services."""
    there = [name for name in services.undeclared if name in services.services]
    if there:
        tell(f"not among the expected services: {', '.join(there)}")
    declared = [name for name in services.undeclared if name not in services.services]
    if declared:
        tell(f"declared in the compose file, not expected and without a container: {', '.join(declared)}")
    if services.unknown_to_file:
        tell(f"expected, but not declared in the compose file: {', '.join(services.unknown_to_file)}")
