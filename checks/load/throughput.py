"""As many requests are served a second as must be.

Why: a system may answer each request in time and yet not serve all who come: the others wait outside.
When it fails: see whether latencies rose with the users: then something is used up. Where they did not, the load
itself asks for too little, or one of its limits (max_rate, think times) is in the way.
"""

from typing import Annotated

from pydantic import Field

from fixtures.load_params import PartParams, cut_short, require
from fixtures.measure import Measure
from golive.environment.loads import Rate
from golive.environment.params import Duration
from golive.judge.limits import number
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook


class Params(PartParams):
    warning: Rate | None = None
    at_least: Rate = Field(description="requests a second that are answered as they should be")
    min_time: Annotated[Duration, Field(gt=0)] = Field(5.0, description="a shorter time says nothing about a rate")


def test_as_many_requests_are_served_as_must_be(criterion: Params, load_result: LoadResult, measure: Measure) -> None:
    part = criterion.part_of(load_result)
    require(part.seconds, criterion.min_time, "s of it were measured", load_result)
    good = part.n - part.failed()
    rate = good / part.seconds
    if rate < criterion.at_least and load_result.saturated:
        told = f"{number(rate)} requests/s were served, {number(criterion.at_least)} needed"
        raise CouldNotLook(f"{told}, and it may not be the target that was too slow: {load_result.saturated}")
    measure(
        rate,
        unit="requests/s",
        name=criterion.named("throughput"),
        warning=criterion.warning,
        critical=criterion.at_least,
        better="higher",
        samples=good,
        detail=f"{good} good answers in {number(part.seconds)} s{cut_short(load_result)}",
    )
