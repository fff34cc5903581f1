"""The person responsible has affirmed it, and the affirmation still holds.

Why: what no machine can verify, somebody must answer for by name.
When it fails: ask the role that is named to look and to affirm it with `golive attest`, or to sign with `golive sign`.
"""

from datetime import datetime, timedelta

from fixtures.context import RunContext
from fixtures.day import Day
from fixtures.measure import Measure
from golive.environment.sections import AttestedParams
from golive.history.people import attestations
from golive.model import Attestation, CouldNotLook, Signature, utc_text

Params = AttestedParams


def test_person_has_affirmed_it(
    criterion: AttestedParams, criterion_id: str, context: RunContext, day: Day, now: datetime, measure: Measure
) -> None:
    if criterion.signed:
        signature = _signature(criterion, context, day)
        until = _until(signature.at, "signature", signature.name, criterion, now)
        measure.note(f"signed by {signature.name}, {signature.role}, {_date(signature.at)}, holds until {_date(until)}")
        return
    latest = _attestation(criterion, criterion_id, context, day, now)
    until = _until(latest.at, "attestation", latest.by, criterion, now)
    note = f": {latest.note}" if latest.note else ""
    measure.note(f"attested by {latest.by}, {latest.role}, {_date(latest.at)}, holds until {_date(until)}{note}")


def _attestation(
    criterion: AttestedParams, criterion_id: str, context: RunContext, day: Day, now: datetime
) -> Attestation:
    """The latest one by that role, out of the environment or the history, that was not given for a shorter time."""
    name, written = context.environment.name, context.environment.section.attestations
    kept = day.ask(lambda history: attestations(history, name)) if context.history else []
    holding = day.ask(lambda history: attestations(history, name, valid_at=now)) if context.history else []
    ids = (criterion_id, criterion_id.partition("[")[0])
    given = [a for a in [*(Attestation(**w.model_dump()) for w in written), *kept] if a.criterion in ids]
    theirs = [a for a in given if _same(a.role, criterion.role) and a.by.strip()]
    if not theirs:
        other = f"; {given[0].by} did, but as {given[0].role}" if given else ""
        raise CouldNotLook(f"not attested yet by the {criterion.role}{other}")
    latest = max([a for a in theirs if a not in kept or a in holding] or theirs, key=lambda a: a.at)
    if latest in kept and latest not in holding:
        raise CouldNotLook(f"the attestation by {latest.by} has expired; the {criterion.role} must renew it")
    return latest


def _signature(criterion: AttestedParams, context: RunContext, day: Day) -> Signature:
    """The latest signature of that role that counts under the watch of this run."""
    record = context.target("record of the watch", day.watch.id, day.read_record)
    theirs = [s for s in record.signatures if _same(s.role, criterion.role) and not s.override]
    counting = [s for s in theirs if not s.problem]
    if counting:
        return max(counting, key=lambda s: s.at)
    how = f"golive sign --env={context.environment.name} --role {criterion.role!r}"
    if theirs:
        last = max(theirs, key=lambda s: s.at)
        raise CouldNotLook(f"the signature of {last.name} does not count: {last.problem}; sign again: {how}")
    raise CouldNotLook(f"not signed yet by the {criterion.role}: {how}")


def _until(at: datetime, what: str, whose: str, criterion: AttestedParams, now: datetime) -> datetime:
    """Until when it holds; CouldNotLook if it does not now."""
    if at > now:
        raise CouldNotLook(f"the {what} by {whose} is dated in the future ({_date(at)})")
    until = at + timedelta(seconds=criterion.valid_for)
    if until <= now:
        raise CouldNotLook(f"the {what} by {whose} expired at {_date(until)}; the {criterion.role} must renew it")
    return until


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _date(moment: datetime) -> str:
    return utc_text(moment)[:16].replace("T", " ") + " UTC"
