"""No service has restarted since the deployment.

Why: a service that dies and comes back looks healthy at every checkpoint and fails its users in between.
When it fails: read the service's log before its start, compare with crashes and memory use, consider rollback.
"""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, ServicesRef
from golive.model import CouldNotLook, utc_text
from golive.targets.services import Service, ServicesReading

_PRECISION = timedelta(seconds=1.5)


class Params(CheckParams):
    services: ServicesRef
    grace: Duration = Field(30.0, description="how long after the deployment's recorded time services may still start")


def test_no_service_has_restarted_since_the_deployment(
    criterion: Params,
    criterion_id: str,
    context: RunContext,
    services: ServicesReading,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    deployed = context.environment.deployment.deployed_at
    first = _first_look(criterion_id, context, deployed)
    if deployed is None and not first:
        _keep(criterion_id, context, deployed, services, {})
        raise CouldNotLook("no deployment time is recorded and this is the first look; the next one compares with it")
    evidence("started at", "\n".join(f"{s.name}: {_shown(s)}" for s in services.found))
    latest = None if deployed is None else deployed + timedelta(seconds=criterion.grace)
    restarted = [told for s in services.found if (told := _restart(s, first.get(s.name), latest))]
    for name in services.missing:
        measure.unknown(f"{name} is not there")
    for service in services.found:
        if service.started_at is None and service.running:
            measure.unknown(f"{service.name}: when it was started is not told")
    _keep(criterion_id, context, deployed, services, first)
    measure(
        len(restarted),
        unit=f"of {len(services.expected)} services",
        subject="restarted since the deployment",
        name="restarted",
        critical=0,
        inclusive=True,
        detail=", ".join(restarted),
    )


def _restart(service: Service, first: dict[str, Any] | None, latest: datetime | None) -> str | None:
    """How the service shows that it restarted, None if it does not. One that is down is another criterion's matter."""
    started = service.started_at
    if started is not None and service.running:
        if latest is not None and started > latest + _PRECISION:
            return f"{service.name} was started {utc_text(started)}"
        if first and first["started_at"] and started > datetime.fromisoformat(first["started_at"]) + _PRECISION:
            return f"{service.name} was started {utc_text(started)}, at the first look since {first['started_at']}"
    if (
        first
        and service.restarts is not None
        and first["restarts"] is not None
        and service.restarts > first["restarts"]
    ):
        return f"{service.name} was restarted {service.restarts - first['restarts']} times since the first look"
    return None


def _first_look(criterion_id: str, context: RunContext, deployed: datetime | None) -> dict[str, dict[str, Any]]:
    kept = context.state.committed(f"starts:{criterion_id}")
    is_same = isinstance(kept, dict) and kept.get("deployment") == (utc_text(deployed) if deployed else "")
    return kept["services"] if is_same else {}


def _keep(
    criterion_id: str,
    context: RunContext,
    deployed: datetime | None,
    services: ServicesReading,
    first: dict[str, dict[str, Any]],
) -> None:
    """The first look after a deployment stays what later ones are compared with."""
    now = {
        s.name: {"started_at": utc_text(s.started_at) if s.started_at else None, "restarts": s.restarts}
        for s in services.found
        if s.running
    }
    known = {"deployment": utc_text(deployed) if deployed else "", "services": {**now, **first}}
    context.state.put(f"starts:{criterion_id}", known)


def _shown(service: Service) -> str:
    counted = "" if service.restarts is None else f", {service.restarts} restarts counted"
    return (utc_text(service.started_at) if service.started_at else "not told") + counted
