"""When GO can be reached at the soonest, after what, and until when one holds. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from golive.judge import wording
from golive.judge.course import Course, Look, is_by_person, is_watched
from golive.judge.objections import Objection
from golive.judge.signoff import affirmed_until, signed, why_not
from golive.model import Signature, Status

Forecast = tuple[datetime | None, str]
"""The soonest moment of GO, None if there is none, and a sentence."""


def gone(standing: Sequence[Objection]) -> Forecast:
    """No GO any more, for the worst of these."""
    more = len([o for o in standing if o.is_final]) - 1
    others = f" (and {more} more)" if more else ""
    return None, f"GO no longer reachable: {standing[0].reason.text}{others}"


def possible(course: Course, standing: Sequence[Objection]) -> Forecast:
    """GO as soon as all is over that is still to come, if everybody does what is theirs."""
    if any(o.reason.kind == "criterion-unanswered" for o in standing):
        return None, "GO not reachable in this watch: answering a criterion changes the rules, so begin it anew then"
    soonest = course.now if course.is_over else max(course.now, course.last.due_at)
    waits = list(_still_to_come(course, standing))
    after = f", after {wording.listed(waits)}" if waits else ""
    return soonest, f"GO possible at the soonest {wording.moment(soonest)}{after}"


def reached(course: Course, override: Signature | None) -> Forecast:
    """GO, and the first moment at which something that it rests on expires."""
    ends = sorted(_expiries(course, override))
    if not ends:
        return course.now, "GO, and nothing that it rests on expires"
    at, what = ends[0]
    return course.now, f"GO holds until {wording.moment(at)}, when {what} expires"


def _still_to_come(course: Course, standing: Sequence[Objection]) -> Iterator[str]:
    kinds = {o.reason.kind for o in standing}
    coming = [c.label for c in course.checkpoints if not c.counted or (c is course.last and c.going_on)]
    blamed = {o.reason.checkpoint for o in standing} - set(coming)
    unclean = [c.label for c in course.checkpoints if c.label in blamed]
    if coming:
        several = f"{wording.count(len(coming), 'checkpoint', 'checkpoints')} up to {coming[-1]}"
        yield several if len(coming) > 1 else f"checkpoint {coming[-1]}"
    if unclean:
        yield f"a repetition of {wording.checkpoints(unclean)}"
    if "role-unsigned" in kinds:
        yield wording.count(signed(course).still_needed, "signature", "signatures")
    if "attestation-missing" in kinds:
        yield "what people have to attest"


def _expiries(course: Course, override: Signature | None) -> Iterator[tuple[datetime, str]]:
    if override is not None and override.expires is not None:
        yield override.expires, f"the override by {override.name}"
    for signature in course.record.signatures:
        if not signature.override and signature.expires is not None and not why_not(signature, course):
            yield signature.expires, f"the signature of the {signature.role}"
    waived = {name for c in course.checkpoints for name, looks in c.looks.items() if _is_waived(looks)}
    for waiver in course.record.waivers:
        covers = any(waiver.criterion in (name, name.partition("[")[0]) for name in waived)
        if covers and waiver.expires > course.now:
            yield waiver.expires, f"the waiver of {waiver.criterion}"
    for criterion in course.record.criteria:
        until = affirmed_until(criterion, course) if is_by_person(criterion) and is_watched(criterion) else None
        if until is not None and until > course.now:
            yield until, f"the affirmation of {criterion.id}"


def _is_waived(looks: Iterable[Look]) -> bool:
    return any(look.status is Status.WAIVED for look in looks)
