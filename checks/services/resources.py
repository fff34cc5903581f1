"""CPU, memory and network use of every service is recorded, and within its limits.

Why: a leak shows only in the series of many looks, and a series with holes shows nothing.
When it fails: a missing value means that the service or its manager did not tell; see whether it runs.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, ServicesRef, Size
from golive.targets.services import Service, ServicesReading


class Params(CheckParams):
    watches_rates = True
    services: ServicesRef
    cpu: Annotated[float, Field(gt=0, description="limit in percent of one core for each service")] | None = None
    memory: Size | None = Field(None, description="limit for each service")


def test_use_of_every_service_is_recorded(
    criterion: Params, services: ServicesReading, measure: Measure, now: datetime
) -> None:
    for name in services.missing:
        measure.fail(f"{name} is not there, so nothing is recorded of it")
    for service in services.found:
        if not service.running:
            measure.fail(f"{service.name} is {service.state}, so nothing is recorded of it")
            continue
        _record(service, criterion, measure)
        if service.started_at is not None:
            # A series of the memory of a service begins anew with its start.
            up_s = (now - service.started_at).total_seconds()
            measure(up_s, unit="s", subject=f"{service.name} up", name=f"{service.name} up")
    measure.notes[:] = [f"recorded for {len(services.found)} services"]


def _record(service: Service, criterion: Params, measure: Measure) -> None:
    name = service.name
    measure(service.cpu_percent, unit="%", subject=f"CPU of {name}", name=f"{name} cpu", critical=criterion.cpu)
    memory = None if service.memory_bytes is None else service.memory_bytes / 1e6
    limit = None if criterion.memory is None else criterion.memory / 1e6
    measure(memory, unit="MB", subject=f"memory of {name}", name=f"{name} memory", critical=limit)
    for way, count in (("received", service.net_rx_bytes), ("sent", service.net_tx_bytes)):
        if count is not None:
            measure(count / 1e6, unit="MB", subject=f"{name} {way}", name=f"{name} {way}")
