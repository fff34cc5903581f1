"""Who signed, who affirmed what, and what of it counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from golive.judge.course import is_by_person, is_watched
from golive.judge.signoff import signed, why_not
from golive.model import Criterion
from reports.golive.views.day import Day, area_of

_SIGN_OFF = "signoff"
"""The area whose attestations are the sign-off where nobody has to sign the evidence itself."""

Standing = Literal["signed", "attested", "does not count", "not signed"]


@dataclass(frozen=True, kw_only=True)
class Signatory:
    """One line of the sign-off: a role, and who signed for it when and with which key, if anybody did."""

    role: str
    standing: Standing
    name: str = ""
    at: datetime | None = None
    key: str = ""
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether the role has approved."""
        return self.standing in ("signed", "attested")


_Held = Literal["affirmed", "by signature", "expired", "waiting"]


class _Given(NamedTuple):
    """Somebody's word, however it was given."""

    by: str
    at: datetime
    note: str


@dataclass(frozen=True, kw_only=True)
class Affirmed:
    """A criterion that a person answers: by whom, until when it holds, or that it still waits."""

    criterion: str
    says: str
    role: str
    standing: _Held
    by: str = ""
    at: datetime | None = None
    until: datetime | None = None
    note: str = ""


def signatories(day: Day) -> list[Signatory]:
    """A line for each role that must approve."""
    roles = day.record.sign_off.roles
    if roles:
        return [_signatory(role, day) for role in roles]
    criteria = [c for c in day.record.criteria if is_by_person(c) and area_of(c.id) == _SIGN_OFF]
    return [_attesting(affirmation) for affirmation in affirmations(day, criteria)]


def needed(day: Day) -> int:
    """How many of the signatories must have approved."""
    return signed(day.course).needed if day.record.sign_off.roles else len(signatories(day))


def approved_at(people: Iterable[Signatory], wanted: int) -> datetime | None:
    """When the last approval that was needed was given; None while one is missing."""
    given = sorted(person.at for person in people if person.counts and person.at is not None)
    return given[wanted - 1] if 0 < wanted <= len(given) else None


def affirmations(day: Day, criteria: Iterable[Criterion] | None = None) -> list[Affirmed]:
    """Every criterion of the watch that a person answers (or those given), and how it stands, by id."""
    chosen = [c for c in day.record.criteria if is_by_person(c) and is_watched(c)] if criteria is None else criteria
    return [_affirmed(criterion, day) for criterion in sorted(chosen, key=lambda criterion: criterion.id)]


def _signatory(role: str, day: Day) -> Signatory:
    theirs = [s for s in day.record.signatures if not s.override and _same(s.role, role)]
    judged = sorted(((why_not(s, day.course), s) for s in theirs), key=lambda pair: (not pair[0], pair[1].at))
    if not judged:
        return Signatory(role=role, standing="not signed")
    why, signature = judged[-1]
    return Signatory(
        role=role,
        standing="does not count" if why else "signed",
        name=signature.name,
        at=signature.at,
        key=signature.key,
        note=why,
    )


def _attesting(affirmed: Affirmed) -> Signatory:
    holds = affirmed.standing in ("affirmed", "by signature")
    return Signatory(
        role=affirmed.role,
        standing="attested" if holds else "does not count" if affirmed.standing == "expired" else "not signed",
        name=affirmed.by,
        at=affirmed.at,
        note="expired" if affirmed.standing == "expired" else affirmed.note,
    )


def _affirmed(criterion: Criterion, day: Day) -> Affirmed:
    role, signed_only = str(criterion.params.role), bool(criterion.params.signed)
    given = _signatures(role, day) if signed_only else _attestations(criterion, role, day)
    waiting = Affirmed(criterion=criterion.id, says=criterion.says, role=role, standing="waiting")
    if not given:
        return waiting
    last = max(given, key=lambda one: one.at)
    until = last.at + timedelta(seconds=criterion.params.valid_for)
    holds: _Held = "by signature" if signed_only else "affirmed"
    standing: _Held = holds if until > day.now else "expired"
    return replace(waiting, standing=standing, by=last.by, at=last.at, until=until, note=last.note)


def _signatures(role: str, day: Day) -> list[_Given]:
    """The valid signatures of a role."""
    theirs = [s for s in day.record.signatures if not s.override and _same(s.role, role)]
    return [_Given(s.name, s.at, "") for s in theirs if not why_not(s, day.course)]


def _attestations(criterion: Criterion, role: str, day: Day) -> list[_Given]:
    """What was affirmed by that role up to now."""
    return [
        _Given(a.by, a.at, a.note)
        for a in day.record.attestations
        if a.criterion in (criterion.id, criterion.base_id) and _same(a.role, role) and a.at <= day.now
    ]


def _same(role: str, other: str) -> bool:
    return role.strip().casefold() == other.strip().casefold()
