"""Every service has been up without a break for the whole window.

Why: a day without a restart is what the watch is to show; a younger service has not shown it.
When it fails: find out what restarted the service that is named; the window begins anew with its start.
"""

from datetime import datetime, timedelta

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Duration, ServicesRef
from golive.model import CouldNotLook, utc_text
from golive.targets.services import ServicesReading

_PRECISION_S = 1.5


class Params(CheckParams):
    services: ServicesRef
    window: Duration | None = Field(None, description="how long they must be up; by default since the deployment")
    grace: Duration = Field(30.0, description="how long after the deployment's recorded time services may still start")


def test_every_service_has_been_up_for_the_whole_window(
    criterion: Params, context: RunContext, services: ServicesReading, measure: Measure, now: datetime
) -> None:
    needed_s = _needed_s(criterion, context, now, measure)
    for name in services.missing:
        measure.fail(f"{name} is not there")
    for service in services.found:
        if not service.running:
            measure.fail(f"{service.name} is {service.state}")
            continue
        started = service.started_at
        measure(
            None if started is None else (now - started).total_seconds(),
            unit="s",
            subject=f"{service.name} up",
            name=f"{service.name} up",
            critical=needed_s,
            better="higher",
            detail="its start is not told" if started is None else f"since {utc_text(started)}",
        )


def _needed_s(criterion: Params, context: RunContext, now: datetime, measure: Measure) -> float:
    """How long each service must have been up; what the deployment is too young for is left open."""
    deployed = context.environment.deployment.deployed_at
    # Of a trial's compressed time, the window is the compressed length.
    window_s = criterion.window and criterion.window / (context.watch.time_scale if context.watch else 1.0)
    if deployed is None:
        if window_s is None:
            raise CouldNotLook(
                "no deployment time is recorded: set 'deployed_at' under 'deployment', or give a 'window'"
            )
        return window_s
    age_s = (now - deployed).total_seconds()
    since_start_s = max(0.0, age_s - criterion.grace - _PRECISION_S)
    if window_s is None:
        return since_start_s
    if age_s < window_s:
        until = utc_text(deployed + timedelta(seconds=window_s))
        measure.unknown(f"the deployment is younger than the window, which ends {until}")
    return min(window_s, since_start_s)
