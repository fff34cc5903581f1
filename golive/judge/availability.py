"""Whether the endpoints were up as long as they must be, and were watched while they were. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from golive.judge import wording
from golive.judge.course import Course
from golive.judge.objections import Objection, objection
from golive.judge.uptime import Uptime, uptime
from golive.model import ProbePolicy


def availability(course: Course, *, until: datetime | None = None) -> Iterator[Objection]:
    """What the probes from hour 0 `until` some moment show, the end of the watch if None; nothing without a policy."""
    policy, watch = course.record.probe_policy, course.watch
    if policy is None or course.now <= watch.starts_at:
        return
    last = max(checkpoint.due_at for checkpoint in course.checkpoints)
    whole = last if until is None else until
    end = min(course.now, whole)
    if not policy.endpoints:
        yield objection("availability-absent", "no endpoint is probed between the checkpoints", at=end, final=True)
    found = uptime(course.record.probes, begin=watch.starts_at, end=end, policy=policy)
    yield from _unprobed([e for e, seen in found.items() if not seen.sampled], course, policy)
    yield from _unseen({e: seen for e, seen in found.items() if seen.sampled}, policy)
    for endpoint, seen in found.items():
        yield from _below(endpoint, seen, policy, rest_s=(whole - end).total_seconds())


def _unprobed(endpoints: Sequence[str], course: Course, policy: ProbePolicy) -> Iterator[Objection]:
    if endpoints:
        begin_by = course.watch.starts_at + timedelta(seconds=policy.begin_within_s)
        names, were = wording.listed(endpoints), "was" if len(endpoints) == 1 else "were"
        text = f"availability: {names} {were} never probed"
        if course.now <= begin_by:
            text = (
                f"availability: {names} {were} not probed yet, the first probe must come by {wording.moment(begin_by)}"
            )
        yield objection("availability-absent", text, at=begin_by, final=course.now > begin_by)


def _unseen(found: Mapping[str, Uptime], policy: ProbePolicy) -> Iterator[Objection]:
    gaps = {endpoint: seen for endpoint, seen in found.items() if seen.unknown_s > policy.unknown_at_most_s}
    if gaps:
        told = wording.listed([f"{wording.span(seen.unknown_s)} of {endpoint}" for endpoint, seen in gaps.items()])
        text = f"availability: {told} passed unseen, at most {wording.span(policy.unknown_at_most_s)} may"
        yield objection("availability-unseen", text, at=min(seen.begin for seen in gaps.values()), final=True)


def _below(endpoint: str, found: Uptime, policy: ProbePolicy, *, rest_s: float) -> Iterator[Objection]:
    """Too little of the known time up; mended by time as long as the rest of the watch can make up for it."""
    if found.percent is None or found.percent >= policy.at_least_percent or not found.outages:
        return
    first, count = found.outages[0], len(found.outages)
    times = "" if count == 1 else f" in {wording.count(count, 'outage', 'outages')}"
    text = (
        f"availability: {endpoint} was down for {wording.span(found.down_s)}{times} from {wording.moment(first.begin)}"
        f" ({wording.brief(first.message) or 'no reason was recorded'}), which makes {_percent(found.percent)} up, "
        f"at least {policy.at_least_percent:g} % needed"
    )
    up_s = found.up_s + rest_s
    at_best = 100 * up_s / (up_s + found.down_s)
    yield objection("availability-below", text, at=first.begin, final=at_best < policy.at_least_percent)


def _percent(share: float) -> str:
    """Rounded down, so that nothing short of a limit looks as if it reached it."""
    return f"{math.floor(share * 100) / 100:g} %"
