"""When what runs was deployed, as its starts tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from golive.targets.services import Service, ServicesReading

_YOUNG = timedelta(days=1)
TOGETHER = timedelta(minutes=15)
"""What was started within this time before the youngest start was deployed with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """The last one. Its first service was started at `began`; from `at` on every container of it can have a log."""

    began: datetime
    at: datetime


def deployment(readings: Iterable[ServicesReading | str], now: datetime) -> Deployment | None:
    """What was started together last, if that was within the last day.

    Before that day logs need not reach back, and a start long ago says nothing of a deployment.
    """
    services = [s for r in readings if not isinstance(r, str) for s in r.services.values()]
    youngest = max((start for s in services if s.running for start in _starts(s)), default=None)
    if youngest is None or not now - _YOUNG <= youngest <= now:
        return None
    began = min(start for s in services for start in _starts(s) if youngest - TOGETHER <= start <= youngest)
    began = began.replace(microsecond=0)
    made = [c.created_at for s in services if s.running for c in s.containers if c.created_at is not None]
    return Deployment(began=began, at=max([began, *(at.replace(microsecond=0) for at in made if at <= youngest)]))


def _starts(service: Service) -> Iterator[datetime]:
    """The first starts. What was started again was no deployment: of a container its making counts then."""
    if service.containers:
        found = (c.created_at if c.restarts else c.started_at for c in service.containers)
    else:
        found = (None if service.restarts else one for one in (service.started_at,))
    yield from (start for start in found if start is not None)
