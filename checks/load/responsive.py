"""What people look at meanwhile is answered in time while the load lasts.

Why: the load's own figures say nothing of the manager who opens the dashboard at noon, or of whoever cannot log in.
When it fails: see in the evidence when it began; look at what these requests share with those of the load.
"""

from typing import Annotated

from pydantic import Field

from fixtures.load_params import Loaded, WatchedParams, cut_short, require_looks
from fixtures.load_watched import Asked, Seen, Watched, told_often
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, Count, Duration, EndpointRef, Milliseconds, Request
from golive.judge.limits import number

_SHOWN = 200


class Params(WatchedParams):
    endpoint: EndpointRef
    account: AccountRef | None = Field(None, alias="as", description="account whose session the requests carry")
    requests: tuple[Request, ...] = Field(min_length=1, description="asked by the suite itself, in turn")
    status: tuple[int, ...] = Field((200,), min_length=1, description="the statuses that are wanted")
    every: Annotated[Duration, Field(ge=0.1)] = Field(1.0, description="time from one request to the next")
    warning: Milliseconds | None = None
    critical: Milliseconds = Field(description="longest time that one of them may take")
    max_errors: Count = Field(0, description="wrong statuses, or no answers at all, that are put up with")
    min_looks: Count = Field(3, ge=1, description="answers that it takes of each")

    def watched(self) -> Watched:
        requests = tuple(str(request) for request in self.requests)
        return Asked(self.endpoint, self.account, requests, self.status, self.every)

    def broken(self, seen: Seen) -> str | None:
        if len(seen.faults) > self.max_errors:
            return f"{seen.faults[-1][1]} while the load lasted"
        # Whoever looks may add a request meanwhile, so that its first answer is no reason to stumble.
        known = list(seen.values.items())
        slow = [(name, value) for name, points in known for _, value in points if value >= self.critical]
        return f"{slow[-1][0]} took {number(slow[-1][1])} ms while the load lasted" if slow else None


def test_what_people_look_at_is_answered_under_load(
    criterion: Params, load_run: Loaded, measure: Measure, evidence: EvidenceSink
) -> None:
    seen, result = load_run.watched(criterion), load_run.result
    began_at = result.began_at
    lines = [f"{at - began_at:7.1f} s  {words}" for at, words in [*seen.faults, *seen.problems]]
    lines += [f"{at - began_at:7.1f} s  {value:8.1f} ms  {name}" for name, p in seen.values.items() for at, value in p]
    evidence("requests by second", "\n".join(sorted(lines)[:_SHOWN]) or "none")
    asked = sum(map(len, seen.values.values())) + len(seen.faults)
    if len(seen.faults) > criterion.max_errors:
        told = told_often(words for _, words in seen.faults)
        measure.fail(f"{len(seen.faults)} of {asked} requests failed under load: {told}{cut_short(result)}")
    for request in map(str, criterion.requests):
        points = seen.values.get(request, [])
        if len(points) < criterion.min_looks and measure.failures:
            continue
        require_looks(seen, len(points), criterion.min_looks, result)
        measure(
            max(value for _, value in points),
            unit="ms",
            name=f"slowest {request} under load",
            warning=criterion.warning,
            critical=criterion.critical,
            samples=len(points),
            detail=f"slowest of {len(points)}{cut_short(result)}",
        )
