"""Whether the environment asks less of a watch than it did at its start. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from golive.judge import wording
from golive.judge.course import Course
from golive.judge.objections import Objection, objection
from golive.model import ProbePolicy, SignOff

_MORE_IS_LESS = (
    ("every_s", "the time between two probes"),
    ("begin_within_s", "the time to the first probe"),
    ("unknown_at_most_s", "the time that may pass unseen"),
)


def loosened(course: Course) -> Iterator[Objection]:
    """What is asked less than at the start of the watch; nothing where that was not kept. Asking more is no reason."""
    before = course.watch.policy
    if not before:
        return
    told = [*_sign_off(before["sign_off"], course.record.sign_off), *_flapping(before, course)]
    told += [*_availability(before["availability"], course.record.probe_policy)]
    told += [*_milestones(before["milestones"], course.record.milestones)]
    if told:
        text = f"the environment asks less than at the start of the watch: {'; '.join(told)}"
        yield objection("policy-loosened", text, at=course.watch.starts_at, final=True, acceptable=False)


def _sign_off(before: Mapping[str, Any], now: SignOff) -> Iterator[str]:
    present = {_folded(role) for role in now.roles}
    if gone := [role for role in before["roles"] if _folded(role) not in present]:
        yield f"no signature of {wording.listed([f'the {role}' for role in gone])}"
    needed_then, needed_now = before["quorum"] or len(before["roles"]), now.quorum or len(now.roles)
    if needed_now < needed_then:
        yield f"{needed_now} instead of {wording.count(needed_then, 'signature', 'signatures')}"
    role = before["override_role"]
    if now.override_role is not None and _folded(now.override_role) != _folded(role or ""):
        yield f"the {now.override_role} may accept a NO-GO, which {f'only the {role}' if role else 'nobody'} could"


def _flapping(before: Mapping[str, Any], course: Course) -> Iterator[str]:
    if before["flapping_blocks"] and not course.record.flapping_blocks:
        yield "a pass on retry is allowed"


def _availability(before: Mapping[str, Any] | None, now: ProbePolicy | None) -> Iterator[str]:
    if before is None:
        return
    if now is None:
        yield "no availability"
        return
    if gone := [endpoint for endpoint in before["endpoints"] if endpoint not in now.endpoints]:
        yield f"no availability of {wording.listed(gone)}"
    if now.at_least_percent < before["at_least_percent"]:
        yield f"an availability of {now.at_least_percent:g} % instead of {before['at_least_percent']:g} %"
    for name, says in _MORE_IS_LESS:
        if getattr(now, name) > before[name]:
            yield f"{says} is {getattr(now, name):g} s instead of {before[name]:g} s"


def _milestones(before: Mapping[str, float], now: Mapping[str, float]) -> Iterator[str]:
    for name, offset_s in before.items():
        if name not in now:
            yield f"no milestone '{name}'"
        elif now[name] < offset_s:
            yield f"milestone '{name}' after {wording.span(now[name])} instead of {wording.span(offset_s)}"


def _folded(role: str) -> str:
    return role.strip().casefold()
