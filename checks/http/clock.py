"""The application's clock agrees with the verifier's.

Why: a clock that is off breaks one-time codes and tokens, and puts log lines in the wrong order.
When it fails: check time synchronisation on the host (`chronyc tracking`, `timedatectl`).
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Duration, EndpointRef, Request
from golive.model import CouldNotLook
from golive.targets.expectations import shown
from golive.targets.http import Client
from golive.targets.paths import value_at
from golive.targets.wire.answer import Answer, excerpt

_HEADER_STEP = timedelta(seconds=1)


class Params(CheckParams):
    endpoint: EndpointRef
    request: Request = Request("GET", "/health")
    at_most: Duration = Field(5.0, description="difference that is put up with, either way")
    time_at: str | None = Field(None, description="dotted path of an ISO 8601 time in the JSON, beside the Date header")


def test_clock_of_the_application_agrees(
    criterion: Params, endpoint: Client, context: RunContext, measure: Measure
) -> None:
    began = context.now()
    answer = endpoint.send(criterion.request)
    ended = context.now()
    # The header counts whole seconds, so that it means any moment of one.
    header = _from_header(answer)
    skew = _apart(began, ended, header, header + _HEADER_STEP)
    measure(skew, unit="s", name="Date header", critical=criterion.at_most, inclusive=True)
    if criterion.time_at is not None:
        stated = _from_json(answer, criterion.time_at)
        skew = _apart(began, ended, stated, stated)
        measure(skew, unit="s", name=criterion.time_at, critical=criterion.at_most, inclusive=True)


def _apart(began: datetime, ended: datetime, earliest: datetime, latest: datetime) -> float:
    """Seconds between the time in which the answer was made and the one that it states; 0 where they meet."""
    return max(0.0, (earliest - ended).total_seconds(), (began - latest).total_seconds())


def _from_header(answer: Answer) -> datetime:
    text = answer.headers.get("date", "")
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        told = f"with the Date '{excerpt(text, 40)}'" if text else "without a Date header"
        raise CouldNotLook(f"{answer.told} {told}, so its clock cannot be read") from None


def _from_json(answer: Answer, path: str) -> datetime:
    found = value_at(answer.json(), path)
    try:
        stated = datetime.fromisoformat(found)
    except (TypeError, ValueError):
        raise CouldNotLook(f"{answer.told} with {shown(found)} at {path}, which is no ISO 8601 time") from None
    return stated.replace(tzinfo=stated.tzinfo or UTC)
