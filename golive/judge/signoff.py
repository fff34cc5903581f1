"""Who has signed and affirmed, and whether it counts. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from golive.judge import wording
from golive.judge.course import Course, is_by_person, is_watched
from golive.judge.failures import is_blamed
from golive.judge.objections import LIGHTEST, Objection, objection, weight_of, worst_first
from golive.model import Attestation, Criterion, RunRecord, Signature


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """Which of the required roles have signed what they must, how many are needed, and what does not count and why."""

    roles: tuple[str, ...]
    missing: tuple[str, ...]
    needed: int
    invalid: tuple[tuple[Signature, str], ...]

    @property
    def is_met(self) -> bool:
        """Whether enough roles have signed."""
        return len(self.roles) >= self.needed

    @property
    def still_needed(self) -> int:
        """How many signatures are wanting."""
        return max(0, self.needed - len(self.roles))


def signed(course: Course) -> Signed:
    """How the sign-off stands. An override is no signature of its role."""
    sign_off, usual = course.record.sign_off, [s for s in course.record.signatures if not s.override]
    judged = [(signature, why_not(signature, course)) for signature in usual]
    theirs = {_folded(signature.role) for signature, why in judged if not why}
    roles = {_folded(role): role for role in sign_off.roles}
    missing = {folded: role for folded, role in roles.items() if folded not in theirs}
    invalid = [(signature, why) for signature, why in judged if why and _folded(signature.role) in missing]
    return Signed(
        roles=tuple(role for folded, role in roles.items() if folded in theirs),
        missing=tuple(missing.values()),
        # Without a number of its own, every role there is.
        needed=sign_off.quorum if sign_off.quorum > 0 else len(roles),
        invalid=tuple(sorted(invalid, key=lambda pair: (pair[0].at, pair[0].role, pair[1]))),
    )


def signoff(course: Course) -> Iterator[Objection]:
    """Roles that have not signed, signatures that do not count, and criteria that wait for a person."""
    standing = signed(course)
    if not standing.is_met:
        yield _unsigned(standing, course)
        yield from _not_counting(standing)
    yield from _unaffirmed(course, named=() if standing.is_met else standing.missing)


def why_not(signature: Signature, course: Course) -> str:
    """Why a signature does not count; empty if it does. It must cover every run that a checkpoint rests on."""
    if signature.problem:
        return signature.problem
    if not signature.name.strip():
        return "carries no name"
    if signature.at > course.now:
        return "dated in the future"
    if signature.expires is not None and signature.expires <= course.now:
        return f"expired at {wording.moment(signature.expires)}"
    if not course.is_over:
        return f"made before checkpoint {course.last.label} was over"
    return _not_covered(signature, [run for checkpoint in course.checkpoints for run in checkpoint.counted])


def override_of(course: Course, found: Iterable[Objection]) -> tuple[Signature | None, list[tuple[Signature, str]]]:
    """The override that is in force, the one that holds longest, and those that do not count with the reason.

    `found` is all that stands against GO: nobody has accepted what came up only afterwards.
    """
    known = worst_first(found)
    judged = [(s, _why_no_override(s, course, known)) for s in course.record.signatures if s.override]
    valid = [s for s, why in judged if not why]
    refused = sorted(((s, why) for s, why in judged if why), key=lambda pair: (pair[0].at, pair[0].role, pair[1]))
    return max(valid, key=lambda s: (s.expires or s.at, s.at, s.digest), default=None), refused


def refused_override(signature: Signature, why: str) -> Objection:
    """The objection that names an override which does not count."""
    text = f"the override by {signature.name or 'nobody'} as {signature.role} does not count: {wording.brief(why)}"
    return objection("override-invalid", text, at=signature.at, final=False, weight=LIGHTEST)


def _why_no_override(signature: Signature, course: Course, found: Iterable[Objection]) -> str:
    role = course.record.sign_off.override_role
    if role is None:
        return "the environment names no override_role"
    if _folded(signature.role) != _folded(role):
        return f"only the {role} may accept a NO-GO"
    if not signature.reason.strip():
        return "gives no reason"
    if signature.expires is None:
        return "does not say when it expires"
    if why := why_not(signature, course):
        return why
    if not course.last.counted and signature.at <= course.last.deadline:
        return f"made before checkpoint {course.last.label} was over"
    if why := _not_covered(signature, [run for run in course.runs if is_blamed(run, course)]):
        return why
    later = [o for o in found if o.acceptable and o.at > signature.at]
    return f"made before this came up: {later[0].reason.text}" if later else ""


def _not_covered(signature: Signature, runs: Iterable[RunRecord]) -> str:
    left = [run for run in runs if run.run not in signature.covers]
    if not left:
        return ""
    named = [f"{run.run} ({run.checkpoint})" for run in left]
    return f"does not cover {'run' if len(left) == 1 else 'runs'} {wording.listed(named[::-1], shown=2)}"


def _unsigned(standing: Signed, course: Course) -> Objection:
    if standing.needed > len(standing.roles) + len(standing.missing):
        roles = len(standing.roles) + len(standing.missing)
        text = f"{standing.needed} signatures are needed and there are only {wording.count(roles, 'role', 'roles')}"
    elif standing.needed == len(standing.roles) + len(standing.missing):
        text = f"not signed by {_the(standing.missing)} ({len(standing.roles)} of {standing.needed} signatures)"
    else:
        one_of = wording.count(standing.still_needed, "of", "of")
        text = f"{len(standing.roles)} of {standing.needed} signatures; {one_of} {_the(standing.missing)} still to sign"
    at = course.last.due_at
    return objection("role-unsigned", text, at=at, final=False, weight=LIGHTEST)


def _not_counting(standing: Signed) -> Iterator[Objection]:
    """The signatures that would be needed and do not count; those of one cause together."""
    causes: dict[str, list[Signature]] = {}
    for signature, why in standing.invalid:
        causes.setdefault(why, []).append(signature)
    for why, signatures in causes.items():
        whose = wording.listed([f"{signature.name} ({signature.role})" for signature in signatures])
        what = "signature of" if len(signatures) == 1 else "signatures of"
        do = "does" if len(signatures) == 1 else "do"
        text = f"the {what} {whose} {do} not count: {wording.brief(why)}"
        yield objection("signature-invalid", text, at=signatures[0].at, final=False, weight=LIGHTEST)


def _unaffirmed(course: Course, *, named: Iterable[str]) -> Iterator[Objection]:
    """All criteria that wait for a person, except for the signature of a role that is `named` anyway."""
    already = {_folded(role) for role in named}
    waiting = []
    for criterion in sorted(course.record.criteria, key=lambda criterion: criterion.id):
        if not is_by_person(criterion) or not is_watched(criterion):
            continue
        if criterion.params.signed and _folded(criterion.params.role) in already:
            continue
        if why := _why_unaffirmed(criterion, course):
            waiting.append((criterion, why))
    if waiting:
        first, why = waiting[0]
        if len(waiting) == 1:
            text = f"{first.id} {why}"
        else:
            ids = wording.criteria(criterion.id for criterion, _ in waiting)
            text = f"{len(waiting)} criteria wait for a person: {ids} ({first.id} {why})"
        weight = min(weight_of(criterion.severity) for criterion, _ in waiting)
        one = first.id if len(waiting) == 1 else None
        ended = [until for criterion, _ in waiting if (until := affirmed_until(criterion, course)) is not None]
        at = max([course.last.due_at, *ended])
        yield objection("attestation-missing", text, at=at, final=False, weight=weight, criterion=one)


def affirmed_until(criterion: Criterion, course: Course) -> datetime | None:
    """Until when the affirmation holds that a person gave; None without one that counts."""
    role, lasts = _folded(criterion.params.role), timedelta(seconds=criterion.params.valid_for)
    if criterion.params.signed:
        theirs = [s for s in course.record.signatures if not s.override and _folded(s.role) == role]
        given = [s.at for s in theirs if not why_not(s, course)]
    else:
        given = [
            a.at
            for a in _attestations(criterion, course)
            if _folded(a.role) == role and a.by.strip() and a.at <= course.now
        ]
    return max(given) + lasts if given else None


def _why_unaffirmed(criterion: Criterion, course: Course) -> str:
    """What is missing of a person's answer; empty if it is there and still holds."""
    role, until = str(criterion.params.role), affirmed_until(criterion, course)
    if until is not None:
        return "" if until > course.now else f"was affirmed by the {role} only until {wording.moment(until)}"
    if criterion.params.signed:
        return f"waits for the signature of the {role}"
    others = [a for a in _attestations(criterion, course) if _folded(a.role) != _folded(role)]
    return f"is not attested by the {role}" + (f" ({others[0].by} did, as {others[0].role})" if others else "")


def _attestations(criterion: Criterion, course: Course) -> list[Attestation]:
    """Those of this criterion, the oldest first."""
    ids = (criterion.id, criterion.base_id)
    given = [a for a in course.record.attestations if a.criterion in ids]
    return sorted(given, key=lambda a: (a.at, a.by))


def _the(roles: Iterable[str]) -> str:
    return wording.listed([f"the {role}" for role in roles])


def _folded(role: str) -> str:
    return role.strip().casefold()
