"""The health route reports a healthy system.

Why: load balancers, orchestrators and people act on this answer; a page, rubbish, or an "ok" with a part that is
down hides an outage from all of them.
When it fails: read the log of the part that is named; if nothing answers, see whether the process runs and listens.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, EndpointRef, Request
from golive.targets.expectations import Expectations, breaches
from golive.targets.http import Client, NoAnswer

_WELL = ("ok", "healthy", "up", "pass")


class Params(CheckParams):
    endpoint: EndpointRef
    request: Request = Request("GET", "/health")
    status: int = Field(200, description="status that a healthy system answers with")
    content_type: str = Field("application/json", description="media type that the answer must have")
    expect: Expectations = Field(
        {"status": _WELL}, description="what the JSON must hold, by dotted path; upper and lower case are the same"
    )
    unwell: tuple[str, ...] = Field(
        ("degraded", "down", "unhealthy", "error", "fail", "failed", "critical", "unreachable"),
        description="no 'status', 'state' or 'health' anywhere in the JSON may have one of these values",
    )

    def asserts_nothing(self) -> str | None:
        return None if self.expect else "'expect' is empty, so any JSON would do"


def test_health_route_reports_a_healthy_system(
    criterion: Params, endpoint: Client, measure: Measure, evidence: EvidenceSink
) -> None:
    try:
        answer = endpoint.send(criterion.request)
    except NoAnswer as error:
        if not error.tells_of_the_server:
            raise
        raise AssertionError(str(error)) from None
    evidence("health", answer.shown)
    measure(answer.total_ms, unit="ms", name="answered in")
    fits = answer.content_type == criterion.content_type or answer.content_type.endswith("+json")
    if not fits:
        measure.fail(f"{answer.told_as}, {criterion.content_type} needed")
    if answer.status != criterion.status:
        measure.fail(f"{answer.told}, {criterion.status} needed")
    problems = _problems(answer.json(), criterion) if fits else []
    for problem in problems:
        measure.fail(f"{criterion.request}: {problem}")


def _problems(report: Any, criterion: Params) -> list[str]:
    found = breaches(_lower(report), _lower(criterion.expect))
    unwell = {word.lower() for word in criterion.unwell}
    return found + [
        f"{path} is '{value}'"
        for path, value in _states(report, "")
        if value.lower() in unwell and not any(sentence.startswith(f"{path} ") for sentence in found)
    ]


def _lower(value: Any) -> Any:
    """Plain data with all texts in lower case: some say `UP`, some `up`."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, dict):
        return {key: _lower(item) for key, item in value.items()}
    return type(value)(map(_lower, value)) if isinstance(value, list | tuple) else value


def _states(report: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text under a key that names a state, with its path."""
    if isinstance(report, list):
        report = {str(index): item for index, item in enumerate(report)}
    if not isinstance(report, dict):
        return
    for key, item in report.items():
        at = f"{path}.{key}" if path else str(key)
        if isinstance(item, str) and str(key).lower() in ("status", "state", "health"):
            yield at, item
        else:
            yield from _states(item, at)
