"""The deployment is recorded as complete, and it is what runs.

Why: a watch that starts before the deployment is complete, or watches an older one, proves nothing about this one.
When it fails: record the time at which the deployment was complete, or deploy again and record it then.
"""

from datetime import datetime

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, ServicesRef
from golive.model import utc_text
from golive.targets.services import ServicesReading


class Params(CheckParams):
    services: ServicesRef
    after: Duration = Field(
        3600.0, description="how long after the recorded time the youngest service may have started"
    )
    before: Duration | None = Field(
        None, description="how long before it the youngest service may have started, if limited"
    )


def test_deployment_is_recorded_and_is_what_runs(
    criterion: Params,
    context: RunContext,
    services: ServicesReading,
    measure: Measure,
    evidence: EvidenceSink,
    now: datetime,
) -> None:
    deployment = context.environment.deployment
    deployed = deployment.deployed_at
    assert deployed is not None, "no deployment is recorded: set 'deployed_at' under 'deployment'"
    version = f"version {deployment.version}" if deployment.version else "the deployment"
    assert deployed <= now, f"{version} is recorded as complete at {utc_text(deployed)}, which is yet to come"
    starts = {s.name: s.started_at for s in services.found if s.started_at is not None}
    evidence("started at", "\n".join(f"{name}: {utc_text(at)}" for name, at in starts.items()))
    # A service that does not run has no start, and is another criterion's matter.
    untold = [service.name for service in services.found if service.running and service.started_at is None]
    if untold or not starts:
        measure.unknown(f"when services were started is not told: {', '.join(untold) or 'none of them runs'}")
    if not starts:
        return
    youngest = max(starts, key=lambda name: starts[name])
    late_s = (starts[youngest] - deployed).total_seconds()
    detail = f"{youngest} at {utc_text(starts[youngest])}, deployment at {utc_text(deployed)}"
    measure(
        max(0.0, late_s),
        unit="s",
        subject="youngest service started after the deployment",
        name="started after",
        critical=criterion.after,
        inclusive=True,
        detail=detail,
    )
    if criterion.before is not None:
        measure(
            max(0.0, -late_s),
            unit="s",
            subject="youngest service started before the deployment",
            name="started before",
            critical=criterion.before,
            inclusive=True,
            detail=detail,
        )
