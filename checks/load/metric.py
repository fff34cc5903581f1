"""What Prometheus saw of the target while the load lasted is within its limit.

Why: queues, pools and heaps that no request shows are told by the target's own metrics, and they fill up first.
When it fails: draw the query over the time of the load beside its users; what rises with them is what is used up.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, FiniteFloat

from fixtures.load_params import LoadParams, cut_short, require
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, Count, Duration, EndpointRef
from golive.judge.limits import number
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook
from golive.targets.accounts import Account
from golive.targets.http import Client

_SHOWN = 50


class Params(LoadParams):
    endpoint: EndpointRef = Field(description="the Prometheus server")
    account: AccountRef | None = Field(None, alias="as", description="account whose session the request carries")
    query: Annotated[str, Field(min_length=1, description="PromQL; every series that it gives is judged")]
    by: Literal["highest", "lowest", "average", "last"] = Field("highest", description="which value is judged")
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"
    warning: FiniteFloat | None = None
    critical: FiniteFloat
    step: Annotated[Duration, Field(gt=0)] = Field(5.0, description="time between two values")
    min_points: Count = Field(3, ge=1, description="values that it takes of each series")


def test_what_prometheus_saw_under_load_is_within_its_limit(
    criterion: Params,
    load_result: LoadResult,
    endpoint: Client,
    account: Account | None,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    begin, end = load_result.began_at + load_result.warm_up_s, load_result.ended_at
    asked = f"query={quote(criterion.query, safe='')}&start={begin:.3f}&end={end:.3f}&step={criterion.step:g}"
    answer = endpoint.send(f"GET /api/v1/query_range?{asked}", headers=account.headers if account else None)
    if not answer.ok:
        raise CouldNotLook(f"{endpoint.name} answered {answer.status} to the query{answer.reason}")
    series = dict(_series(answer.json(), endpoint.name))
    shown = [f"{name}: {', '.join(map(number, values))}" for name, values in series.items()]
    evidence(f"{criterion.query}, one value each {criterion.step:g} s", "\n".join(shown[:_SHOWN]) or "no series")
    if not series:
        raise CouldNotLook(f"{endpoint.name} has no series for {criterion.query} in the time of the load")
    for name, values in series.items():
        require(len(values), criterion.min_points, f"values of {name}", load_result)
        found = _judged(values, criterion.by)
        if not math.isfinite(found):
            # A quantile beyond the last bucket, or a share of nothing: beyond each limit, if on the wrong side.
            is_beyond = found == (math.inf if criterion.better == "lower" else -math.inf)
            told = f"{name}: {criterion.by} of {len(values)} values is {found:+g}{cut_short(load_result)}"
            (measure.fail if is_beyond else measure.unknown)(told)
            continue
        measure(
            found,
            unit=criterion.unit,
            name=name,
            warning=criterion.warning,
            critical=criterion.critical,
            better=criterion.better,
            samples=len(values),
            detail=f"{criterion.by} of {len(values)} values{cut_short(load_result)}",
        )


def _judged(values: list[float], by: str) -> float:
    if by == "average":
        return sum(values) / len(values)
    return {"highest": max(values), "lowest": min(values), "last": values[-1]}[by]


def _series(data: Any, name: str) -> Iterator[tuple[str, list[float]]]:
    """Each series by its labels with its values, without NaN; CouldNotLook for what is no answer to a range query."""
    try:
        result = data["data"]["result"]
        if data["status"] != "success" or data["data"]["resultType"] != "matrix":
            raise ValueError("not a matrix")
        for one in result:
            values = [float(value) for _, value in one["values"]]
            yield _label(one["metric"]), [value for value in values if not math.isnan(value)]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CouldNotLook(f"{name} gave no answer to a range query, as Prometheus does") from None


def _label(metric: dict[str, str]) -> str:
    labels = ", ".join(f"{key}={value}" for key, value in sorted(metric.items()) if key != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}" if labels else metric.get("__name__", "value")
