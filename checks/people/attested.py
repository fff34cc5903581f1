"""The person responsible has affirmed it, and the affirmation still holds.

Why: what no machine can verify, somebody must answer for by name.
When it fails: ask the role that is named to look, and to write what they found under `attestations`.
"""

from datetime import datetime, timedelta

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.sections import AttestationSection, AttestedParams
from golive.model import CouldNotLook, utc_text

Params = AttestedParams


def test_person_has_affirmed_it(
    criterion: AttestedParams, criterion_id: str, context: RunContext, now: datetime, measure: Measure
) -> None:
    ids = (criterion_id, criterion_id.partition("[")[0])
    given = [a for a in context.environment.section.attestations if a.criterion in ids]
    theirs = [a for a in given if _same(a.role, criterion.role) and a.by.strip()]
    if not theirs:
        other = f"; {given[0].by} did, but as {given[0].role}" if given else ""
        raise CouldNotLook(f"not attested yet by the {criterion.role}{other}")
    latest = max(theirs, key=lambda a: a.at)
    _must_hold(latest, criterion, now)
    until = latest.at + timedelta(seconds=criterion.valid_for)
    note = f": {latest.note}" if latest.note else ""
    measure.note(f"attested by {latest.by}, {latest.role}, {_date(latest.at)}, holds until {_date(until)}{note}")


def _must_hold(latest: AttestationSection, criterion: AttestedParams, now: datetime) -> None:
    if latest.at > now:
        raise CouldNotLook(f"the attestation by {latest.by} is dated in the future ({_date(latest.at)})")
    until = latest.at + timedelta(seconds=criterion.valid_for)
    if until <= now:
        raise CouldNotLook(
            f"the attestation by {latest.by} expired at {_date(until)}; the {criterion.role} must renew it"
        )


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _date(moment: datetime) -> str:
    return utc_text(moment)[:16].replace("T", " ") + " UTC"
