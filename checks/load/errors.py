"""Few requests fail while the load lasts.

Why: what refuses every fiftieth request under load loses every fiftieth sale at noon.
When it fails: see in the evidence which request fails how; 5xx and resets point at the application, time-outs at what
it waits for, 429 at a limit of requests.
"""

from typing import Annotated, Literal

from pydantic import Field

from fixtures.load_params import PartParams, cut_short, require
from fixtures.measure import EvidenceSink, Measure
from golive.judge.load.records import Totals
from golive.judge.load.result import LoadResult

_Share = Annotated[float, Field(ge=0, lt=100)]
_CALLED = {"all": "error rate", "4xx": "4xx rate", "5xx": "5xx rate"}


class Params(PartParams):
    kinds: Literal["all", "4xx", "5xx", "timeouts", "connection"] = Field(
        "all", description="which failures count: all, statuses of the 400s or 500s, no answer in time, or a broken one"
    )
    warning: _Share | None = Field(None, description="percent of the requests")
    critical: _Share = Field(description="percent of the requests; 0 allows none at all")
    min_requests: Annotated[int, Field(ge=1)] = Field(100, description="requests that it takes to speak of a share")


def test_few_requests_fail_under_load(
    criterion: Params, load_result: LoadResult, measure: Measure, evidence: EvidenceSink
) -> None:
    evidence("failed requests", _table(load_result, criterion))
    part = criterion.part_of(load_result)
    require(part.n, criterion.min_requests, "requests", load_result)
    failed = part.failed(criterion.kinds)
    measure(
        part.share(criterion.kinds),
        unit="%",
        name=criterion.named(_CALLED.get(criterion.kinds, f"rate of {criterion.kinds}")),
        warning=criterion.warning,
        critical=criterion.critical,
        inclusive=criterion.critical == 0,
        samples=part.n,
        detail=f"{failed} of {part.n} requests{_told(part)}{cut_short(load_result)}",
    )


def _told(part: Totals) -> str:
    """What went wrong, the most frequent first."""
    kinds = ", ".join(f"{count}x {kind}" for kind, count in part.failures.most_common(5) if count)
    return f": {kinds}" if kinds else ""


def _table(result: LoadResult, criterion: Params) -> str:
    parts = {name: result.window(name, criterion.phase) for name in result.names}
    lines = [f"{name}: {part.failed()} of {part.n} failed{_told(part)}" for name, part in parts.items() if part.n]
    return "\n".join(lines) or "no request was answered"
