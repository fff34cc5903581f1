"""No login succeeded after a row of failures.

Why: many failures and then a success, from one address or for one account, is what a guessed password looks like.
When it fails: end the account's sessions, change its password, ask its owner, and follow what the session did.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.logs import LogReading, Sought
from golive.logs.meaning.access import LOGIN_LINES, LOGINS, Access, access_of, distinct
from golive.model import utc_text

_MOST = 50_000
_SHOWN = 30
_SOUGHT = Sought(words=LOGINS, narrow=LOGIN_LINES)


class Params(LogParams):
    failures: Annotated[int, Field(ge=2)] = Field(5, description="so many failures before a success are a break-in")

    def sought(self) -> Sequence[Sought]:
        return (_SOUGHT,)


def test_no_login_succeeded_after_a_row_of_failures(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink
) -> None:
    lines = log_reading.find(_SOUGHT, limit=_MOST)
    attempts = [attempt for event in lines.events if (attempt := access_of(event))]
    logins = distinct(attempt for attempt in attempts if attempt.is_login)
    found = [
        *_after_failures(logins, "source", criterion.failures),
        *_after_failures(logins, "user", criterion.failures),
    ]
    distinct_successes = {id(success) for _, success in found}
    evidence("logins that are not ours", "\n".join(attempt.event.shown for attempt in logins[-_SHOWN:]) or "none")
    measure(
        len(distinct_successes),
        unit="logins",
        subject=f"succeeded after {criterion.failures} failures or more",
        name="break-ins",
        critical=0,
        inclusive=True,
        samples=len(logins),
        detail=", ".join(sentence for sentence, _ in found[:2]),
    )
    incomplete = log_reading.gap or lines.incomplete
    if incomplete:
        measure.unknown(incomplete)


def _after_failures(logins: Iterable[Access], by: str, needed: int) -> list[tuple[str, Access]]:
    """Successes that follow `needed` failures in a row of the same source or user."""
    failed: dict[str, int] = defaultdict(int)
    found = []
    for attempt in logins:
        who = getattr(attempt, by)
        if not who:
            continue
        if attempt.refused:
            failed[who] += 1
            continue
        if failed[who] >= needed:
            at = utc_text(attempt.at) if attempt.at else "at an untold time"
            whose = f" as {attempt.user}" if attempt.user and by == "source" else ""
            found.append((f"{by} {who}{whose} after {failed[who]} failures, {at}", attempt))
        failed[who] = 0
    return found
