"""No service keeps more and more memory while the load lasts.

Why: a leak of a few bytes a request shows under load in minutes, and in production at the worst time.
When it fails: see in the evidence which service grows and how fast; compare what it allocates with the last release.
"""

import math
from typing import Annotated

from pydantic import Field

from fixtures.context import RunContext
from fixtures.load_params import Loaded, PhaseParams, cut_short
from fixtures.load_watched import Point, ServicesUse, Watched
from fixtures.measure import EvidenceSink, Measure
from golive.environment.loads import Profile
from golive.environment.params import ServicesRef, Size
from golive.environment.problems import unknown_name
from golive.environment.sections import EnvironmentSection
from golive.judge.limits import number
from golive.judge.trends import KENDALL_MINIMUM, TooFewPoints, steady_growth

_STEADY = ("soak", "hold")


class Params(PhaseParams):
    services: ServicesRef
    only: tuple[str, ...] = Field((), description="services that are looked at; by default all that are expected")
    at_most: Annotated[float, Field(gt=0)] = Field(
        10.0, description="percent that memory may have grown by, along a steady rise"
    )
    noise: Size = Field(1_000_000, description="a rise by less than this is none")
    significance: Annotated[float, Field(gt=0, le=0.2)] = Field(
        0.05, description="how unlikely a rise must be by chance to count as steady (Mann-Kendall)"
    )
    points: Annotated[int, Field(ge=KENDALL_MINIMUM)] = Field(5, description="looks that it takes, one every 2 s")
    phase: str | None = Field(
        None, description="part of the load (`soak 1`) or all of a kind; by default its longest soak, or else hold"
    )

    def watched(self) -> Watched:
        return ServicesUse(self.services)

    def unfit(self, section: EnvironmentSection) -> str | None:
        expected = section.services[self.services].expected
        strange = next((name for name in self.only if name not in expected), None)
        return super().unfit(section) if strange is None else unknown_name("service", strange, expected)

    def unfit_for(self, profile: Profile) -> str | None:
        if self.phase is None and _longest(profile) is None:
            return f"load profile {self.profile} has neither a soak nor a hold over which memory could grow"
        return super().unfit_for(profile)


def test_no_service_keeps_more_and_more_memory(
    criterion: Params, context: RunContext, load_run: Loaded, measure: Measure, evidence: EvidenceSink
) -> None:
    seen = load_run.watched(criterion, phase=criterion.phase or _longest(load_run.profile))
    names = criterion.only or context.environment.section.services[criterion.services].expected
    courses = {name: seen.values.get(name, []) for name in names}
    began_at, trouble = load_run.result.began_at, f"{seen.told_trouble}{cut_short(load_run.result)}"
    evidence("memory in MB by second", "\n".join(f"{name}: {_course(courses[name], began_at)}" for name in names))
    for _, started in seen.faults:
        measure.unknown(started)
    for name, points in courses.items():
        _judge(name, points, criterion, measure, trouble)
    measure.notes[:] = [
        f"{len(measure.measurements)} services, none of which grows steadily by more than {criterion.at_most:g} %"
    ]


def _judge(name: str, points: list[Point], criterion: Params, measure: Measure, trouble: str) -> None:
    """Growth counts only along a steady rise that goes on."""
    try:
        found = steady_growth(
            [(at / 3600, value) for at, value in points],
            significance=criterion.significance,
            noise=criterion.noise / 1e6,
            minimum=criterion.points,
        )
    except TooFewPoints as few:
        measure.unknown(f"memory of {name}: {few}{trouble}")
        return
    speed = f"{number(found.slope / 60)} MB a minute over {found.hours * 3600:.0f} s"
    if math.isinf(found.percent):
        measure.fail(f"memory of {name} rises from next to nothing ({speed}, p = {found.p:.2g}{trouble})")
        return
    measure(
        found.percent,
        unit="%",
        name=f"growth of {name}",
        subject=f"steady growth of the memory of {name}",
        critical=criterion.at_most,
        inclusive=True,
        samples=found.points,
        detail=f"{found.how}, {speed}, {points[0][1]:.1f} to {points[-1][1]:.1f} MB, p = {found.p:.2g}{trouble}",
    )


def _longest(profile: Profile) -> str | None:
    """The longest soak, or else the longest hold: only where the load stays the same is growth a leak."""
    steady = [phase for phase in profile.phases() if phase.kind in _STEADY]
    steady.sort(key=lambda phase: (phase.kind != "soak", phase.start_s - phase.end_s))
    return steady[0].name if steady else None


def _course(points: list[Point], began_at: float) -> str:
    return ", ".join(f"{at - began_at:.0f} s {number(value)}" for at, value in points) or "none"
