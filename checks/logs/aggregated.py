"""The log collector takes in what is written.

Why: a collector that answers but stalls is noticed in the incident for which its lines are needed.
When it fails: see whether the shipper runs and may read the logs, and whether the collector's disk has room.
"""

import time
from datetime import datetime, timedelta

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from fixtures.web import client_of
from golive.environment.params import CheckParams, Duration, EndpointRef, Request
from golive.logs.loki import Loki
from golive.model import utc_text

_PAUSE_S = 0.1
_AHEAD = timedelta(minutes=5)


class Params(CheckParams):
    collector: EndpointRef = Field(description="the collector's HTTP API (Loki's)")
    endpoint: EndpointRef = Field(description="an endpoint whose requests are logged; a marked one is sent to it")
    request: Request = Field(Request("GET", "/health"), description="the request that is marked by its query")
    jobs: tuple[str, ...] = Field(min_length=1, description="values of the label `job` that must have entries")
    within: Duration = Field(60.0, description="how soon the marked request must be found")
    max_age: Duration = Field(300.0, description="how old the newest entry of each job may be")


def test_log_collector_takes_in_what_is_written(
    criterion: Params, context: RunContext, measure: Measure, now: datetime
) -> None:
    loki = Loki(client_of(context, criterion.collector))
    unready = loki.why_not_ready()
    if unready:
        measure.fail(unready)
        return
    _judge_marker(loki, criterion, context, measure, now)
    until = context.now() + _AHEAD
    for job in criterion.jobs:
        newest = loki.newest(job, until=until, back=timedelta(seconds=criterion.max_age) + 2 * _AHEAD)
        if newest is None:
            measure.fail(f"no entry of job {job} is younger than {criterion.max_age:g} s")
            continue
        measure(
            max(0.0, (context.now() - newest).total_seconds()),
            unit="s",
            subject=f"newest entry of job {job}",
            name=f"age of {job}",
            critical=criterion.max_age,
            inclusive=True,
            detail=f"from {utc_text(newest)}",
        )


def _judge_marker(loki: Loki, criterion: Params, context: RunContext, measure: Measure, now: datetime) -> None:
    marker = f"golive-marker-{context.request_id()}"
    separator = "&" if "?" in criterion.request.path else "?"
    answer = client_of(context, criterion.endpoint).send(
        f"{criterion.request.method} {criterion.request.path}{separator}{marker}",
        headers={"User-Agent": f"{context.user_agent} {marker}"},
    )
    began = time.monotonic()
    while True:
        found = loki.holds(marker, jobs=criterion.jobs, since=now - _AHEAD, until=context.now() + _AHEAD)
        waited_s = time.monotonic() - began
        if found or waited_s >= criterion.within:
            break
        time.sleep(_PAUSE_S)
    if found:
        measure(waited_s, unit="s", subject="a marked request was found after", name="delay", critical=criterion.within)
    else:
        among = f"among the collector's entries of {', '.join(criterion.jobs)}"
        measure.fail(f"{answer.told}, but after {criterion.within:g} s it is not {among}")
