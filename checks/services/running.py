"""All services are running, and healthy where they tell.

Why: a service that is down and not missed at once is found by a customer.
When it fails: read the log of the service that is named, start it again, then find out why nothing else did.
"""

from typing import Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, ServicesRef
from golive.targets.services import ServicesReading


class Params(CheckParams):
    services: ServicesRef
    undeclared: Literal["fail", "warn", "ignore"] = Field(
        "warn", description="what a service of the same manager means that is not among the expected"
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
        detail=", ".join(bad),
    )
    if services.undeclared and criterion.undeclared != "ignore":
        tell = measure.fail if criterion.undeclared == "fail" else measure.warn
        tell(f"not among the expected services: {', '.join(services.undeclared)}")
