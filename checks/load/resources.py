"""The host has CPU and memory left while the load lasts.

Why: what is used up under the load that is expected has nothing left for the one that is not.
When it fails: see which rose with the users; more of them is bought, or something is done too often.
"""

from typing import Literal

from pydantic import Field

from fixtures.load_params import Loaded, WatchedParams, cut_short, require_looks
from fixtures.load_watched import HostUse, Point, Seen, Watched
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count, HostRef, Percent
from golive.judge.limits import number

_SHOWN = 200
_IN_A_ROW = 3


class Params(WatchedParams):
    host: HostRef
    cpu: Percent | None = Field(None, description="limit, in percent of all CPUs of the host")
    memory: Percent | None = Field(None, description="limit, in percent of the memory of the host")
    by: Literal["average", "highest"] = Field("average", description="which of the looks is judged; one every 2 s")
    min_looks: Count = Field(3, ge=1, description="looks that it takes")

    def asserts_nothing(self) -> str | None:
        if self.cpu is None and self.memory is None:
            return "neither 'cpu' nor 'memory' has a limit"
        limits = [limit for limit in (self.cpu, self.memory) if limit is not None]
        return "no machine uses more than 100 % of what it has" if 100 in limits else None

    def watched(self) -> Watched:
        return HostUse(self.host)

    def broken(self, seen: Seen) -> str | None:
        for what, limit in (("cpu", self.cpu), ("memory", self.memory)):
            last = [value for _, value in seen.values.get(what, ())[-_IN_A_ROW:]]
            if limit is not None and len(last) == _IN_A_ROW and min(last) >= limit:
                return f"{what} of host {self.host} at {number(last[-1])} %, below {number(limit)} % needed"
        return None


def test_the_host_has_cpu_and_memory_left_under_load(
    criterion: Params, load_run: Loaded, measure: Measure, evidence: EvidenceSink
) -> None:
    seen = load_run.watched(criterion)
    for what, called, limit in (("cpu", "CPU", criterion.cpu), ("memory", "memory", criterion.memory)):
        points = seen.values.get(what, [])
        evidence(f"{what} in % by second", _course(points, load_run.result.began_at))
        if limit is None:
            continue
        require_looks(seen, len(points), criterion.min_looks, load_run.result)
        values = [value for _, value in points]
        measure(
            max(values) if criterion.by == "highest" else sum(values) / len(values),
            unit="%",
            name=f"{what} under load",
            subject=f"{called} of host {criterion.host} under load",
            critical=limit,
            samples=len(values),
            detail=f"{criterion.by} of {len(values)} looks, {number(max(values))} at most{cut_short(load_run.result)}",
        )


def _course(points: list[Point], began_at: float) -> str:
    return ", ".join(f"{at - began_at:.0f} s {number(value)}" for at, value in points[-_SHOWN:]) or "none"
