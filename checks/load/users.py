"""As many users are served at the same time as must be.

Why: what a system was tried with is what is known of it; the number of users that it is built for must be among that.
When it fails: see why the load did not get so far: it was stopped, it lost a worker, or it asks for fewer.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from fixtures.load_params import LoadParams, cut_short
from fixtures.measure import Measure
from golive.environment.loads import Profile
from golive.environment.params import Duration
from golive.judge.load.records import Point
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook


class Params(LoadParams):
    at_least: Annotated[int, Field(gt=0)] = Field(description="users at the same time")
    for_at_least: Annotated[Duration, Field(gt=0)] = Field(3.0, description="time in one piece that they were there")

    def unfit_for(self, profile: Profile) -> str | None:
        """Names a profile that never has so many users."""
        most = profile.peak if profile.model == "closed" else float(profile.users or 0)
        if profile.locustfile is not None or self.at_least <= most:
            return None
        return f"load profile {self.profile} has {most:g} users at most, so {self.at_least} are never there"


def test_as_many_users_are_served_as_must_be(criterion: Params, load_result: LoadResult, measure: Measure) -> None:
    points = load_result.series()
    users = [point.users for point in points]
    if not any(users):
        raise CouldNotLook(f"how many users there were is not known{cut_short(load_result)}")
    if not any(point.rate for point in points):
        raise CouldNotLook(f"no request was answered{cut_short(load_result)}")
    held_s = max(1, round(criterion.for_at_least))
    # The most that were never undercut for that long.
    spans = [points[at : at + held_s] for at in range(len(points) - held_s + 1)]
    reached = max((min(point.users for point in span) for span in spans if _are_served(span)), default=0)
    measure(
        reached,
        unit="users",
        name="users",
        subject="users at the same time",
        critical=criterion.at_least,
        better="higher",
        detail=f"for {held_s} s; {max(users)} at the highest{cut_short(load_result)}",
    )


def _are_served(span: Sequence[Point]) -> bool:
    """Whether more requests were answered as they should be than failed: users who only wait are not served."""
    failed = sum(point.errors for point in span)
    return sum(point.rate for point in span) - failed > failed
