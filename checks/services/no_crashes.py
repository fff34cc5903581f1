"""No service has crashed.

Why: a supervisor starts a crashed service again within a second; only its log remembers that it happened.
When it fails: read the service's log before the time that is named; killed by SIGKILL often means lack of memory.
"""

from datetime import datetime, timedelta

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, Duration, ServicesRef
from golive.model import CouldNotLook, utc_text
from golive.targets.services import Crash, ServicesReading

_TOLERANCE = timedelta(seconds=2)


class Params(CheckParams):
    services: ServicesRef
    window: Duration | None = None
    allowed: Count = 0
    grace: Duration = Field(30.0, description="how long after the deployment's recorded time services may still start")


def test_no_service_has_crashed(
    criterion: Params,
    context: RunContext,
    services: ServicesReading,
    measure: Measure,
    evidence: EvidenceSink,
    now: datetime,
) -> None:
    since = _since(criterion, context, now)
    crashes = [crash for crash in services.crashes if crash.at is None or crash.at >= since]
    evidence("crashes", "\n".join(map(_told, crashes)) or f"none since {utc_text(since)}")
    if services.crashes_gap is not None:
        measure.unknown(services.crashes_gap)
    elif services.crashes_since is None:
        measure.unknown("since when crashes are told is not known")
    elif services.crashes_since > since + _allowance(criterion):
        oldest = utc_text(services.crashes_since)
        measure.unknown(f"crashes are told since {oldest} only, the window begins {utc_text(since)}")
    measure(
        len(crashes),
        unit="crashes",
        subject=f"since {utc_text(since)}",
        name="crashes",
        critical=criterion.allowed,
        inclusive=True,
        detail=", ".join(map(_told, crashes[:3])),
    )


def _since(criterion: Params, context: RunContext, now: datetime) -> datetime:
    if criterion.window is not None:
        return now - timedelta(seconds=criterion.window)
    deployed = context.environment.deployment.deployed_at
    if deployed is None:
        raise CouldNotLook("no deployment time is recorded: set 'deployed_at' under 'deployment', or give a 'window'")
    return deployed


def _allowance(criterion: Params) -> timedelta:
    """Of what was made just after the deployment's recorded time there is nothing older to be told."""
    return _TOLERANCE + timedelta(seconds=0.0 if criterion.window is not None else criterion.grace)


def _told(crash: Crash) -> str:
    return f"{crash.says} at {utc_text(crash.at)}" if crash.at else crash.says
