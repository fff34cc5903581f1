"""After a spike the system is soon as quick as it was before.

Why: a system that stays slow after a rush has queued what nobody waits for any more, or holds on to what it took.
When it fails: see in the evidence how long latencies stay up; look at queues, retries and pools that are not drained.
"""

from typing import Annotated

from pydantic import Field

from fixtures.load_params import LoadParams, cut_short
from fixtures.measure import EvidenceSink, Measure
from golive.environment.loads import Profile
from golive.environment.params import Duration, Milliseconds
from golive.environment.problems import unknown_name
from golive.judge.limits import number
from golive.judge.load.recovery import recovery
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook


class Params(LoadParams):
    spike: str = Field("spike 1", description="the phase of the load after which it has to recover")
    request: str | None = Field(None, description="name of one request, as in GET /api/orders; by default all together")
    factor: Annotated[float, Field(ge=1)] = Field(
        1.5, description="how many times the p95 of the phase before the spike counts as back to it"
    )
    floor: Milliseconds = Field(50.0, description="up to this is always back; below it times differ by chance")
    settled: Annotated[Duration, Field(ge=1)] = Field(3.0, description="time over which p95 is taken")
    min_samples: Annotated[int, Field(ge=1)] = Field(20, description="requests in that time before the spike")
    critical: Duration = Field(description="longest time that it may take")

    def unfit_for(self, profile: Profile) -> str | None:
        """Names a spike that is none, or one without anything before or after it."""
        phases = profile.phases()
        spikes = [i for i, phase in enumerate(phases) if phase.kind == "spike"]
        names = [phases[i].name for i in spikes]
        if self.spike not in names:
            return unknown_name("spike", self.spike, names)
        place = spikes[names.index(self.spike)]
        if place == 0 or place == len(phases) - 1 or phases[place + 1].kind == "spike":
            return f"{self.spike} of load profile {self.profile} needs a stage before it and one after it"
        return None


def test_after_a_spike_it_is_soon_as_quick_as_before(
    criterion: Params, load_result: LoadResult, measure: Measure, evidence: EvidenceSink
) -> None:
    if load_result.saturated:
        raise CouldNotLook(f"latencies are not known: {load_result.saturated}{cut_short(load_result)}")
    found = recovery(
        load_result,
        criterion.spike,
        factor=criterion.factor,
        floor_ms=criterion.floor,
        request=criterion.request,
        settled_s=round(criterion.settled),
        min_samples=criterion.min_samples,
    )
    shown = ", ".join("too few" if value is None else number(value) for value in found.after_ms)
    evidence("p95 in ms from the end of the spike on, one a second", shown or "none")
    told = f"p95 was {number(found.before_ms)} ms before, up to {number(found.limit_ms)} ms is back"
    if found.after_s is not None:
        name = f"recovery after {criterion.spike}"
        measure(found.after_s, unit="s", name=name, critical=criterion.critical, inclusive=True, detail=told)
    elif len(found.after_ms) > criterion.critical:
        measure.fail(f"not recovered {len(found.after_ms)} s after {criterion.spike} ({told})")
    else:
        # So far it had the time that it is allowed.
        raise CouldNotLook(
            f"only the first {len(found.after_ms)} s after {criterion.spike} were measured, too few to say that it"
            f" recovers within {criterion.critical:g} s{cut_short(load_result)}"
        )
