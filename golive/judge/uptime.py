"""How long each endpoint was up, down and unseen, from the probes of one or several probers. Pure.

A sample stands for the time up to the next one, at most twice the interval between probes: what lies beyond that
was not seen. Where probers disagree the outage counts.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from golive.model import ProbePolicy, ProbeSpan, ProbeState

_GAP_INTERVALS = 2


class Outage(NamedTuple):
    """An endpoint was down from `begin` to `end`; `message` is what the first of these probes got."""

    begin: datetime
    end: datetime
    message: str

    @property
    def duration_s(self) -> float:
        """Seconds that it lasted."""
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class Uptime:
    """One endpoint over `begin` to `end`: seconds up, down and unseen, which add up to all of it.

    `sampled` is False when no probe tells anything about this time.
    """

    begin: datetime
    end: datetime
    up_s: float
    down_s: float
    unknown_s: float
    outages: tuple[Outage, ...] = ()
    sampled: bool = True

    @property
    def percent(self) -> float | None:
        """The share of the known time that it was up; None when nothing is known."""
        known_s = self.up_s + self.down_s
        return None if known_s == 0 else 100 * (self.up_s / known_s)


class _Stretch(NamedTuple):
    begin: datetime
    end: datetime
    message: str


def uptime(spans: Iterable[ProbeSpan], *, begin: datetime, end: datetime, policy: ProbePolicy) -> Mapping[str, Uptime]:
    """The uptime of every endpoint of `policy` between two moments, in the order of the policy.

    Time before an endpoint's first sample is left out of account, up to `policy.begin_within_s`. A span whose clock
    ran backwards proves no up time, and neither does one with fewer samples than its length takes.
    """
    by_endpoint: dict[str, list[ProbeSpan]] = {endpoint: [] for endpoint in policy.endpoints}
    for span in spans:
        if span.endpoint in by_endpoint:
            by_endpoint[span.endpoint].append(span)
    return {endpoint: _uptime(theirs, begin, end, policy) for endpoint, theirs in by_endpoint.items()}


def _uptime(spans: list[ProbeSpan], begin: datetime, end: datetime, policy: ProbePolicy) -> Uptime:
    ordered = sorted(spans, key=lambda span: (min(span.first_at, span.last_at), span.last_at, span.state))
    begin = _begin_of_account(ordered, begin, policy)
    longest = timedelta(seconds=_GAP_INTERVALS * policy.every_s)
    starts = sorted({span.first_at for span in ordered})
    stretches: dict[ProbeState, list[_Stretch]] = {state: [] for state in ProbeState}
    for span in ordered:
        stretches[span.state] += _stretches(span, starts, longest)
    down = _merged(stretches[ProbeState.DOWN], begin, end)
    seen = _merged([*stretches[ProbeState.DOWN], *stretches[ProbeState.UP]], begin, end)
    down_s, seen_s = _length_s(down), _length_s(seen)
    return Uptime(
        begin=begin,
        end=end,
        up_s=seen_s - down_s,
        down_s=down_s,
        unknown_s=max(0.0, (end - begin).total_seconds() - seen_s),
        outages=tuple(Outage(*stretch) for stretch in down),
        sampled=any(span.first_at <= end for span in ordered),
    )


def _begin_of_account(spans: Sequence[ProbeSpan], begin: datetime, policy: ProbePolicy) -> datetime:
    if not spans:
        return begin
    first = min(span.first_at for span in spans)
    return max(begin, min(first, begin + timedelta(seconds=policy.begin_within_s)))


def _stretches(span: ProbeSpan, starts: list[datetime], longest: timedelta) -> list[_Stretch]:
    """The time that a span's samples stand for; none for an unknown state."""
    if span.state is ProbeState.UNKNOWN:
        return []
    tail = _Stretch(span.last_at, _until(span.last_at, starts, longest), span.message)
    if span.last_at < span.first_at:
        # Which of the two clocks was right nobody knows: it proves no up time, but it was down at both.
        first = _Stretch(span.first_at, _until(span.first_at, starts, longest), span.message)
        return [first, tail] if span.state is ProbeState.DOWN else []
    covered = span.last_at
    if span.state is ProbeState.UP:
        covered = min(span.last_at, span.first_at + max(0, span.samples - 1) * longest)
    return [_Stretch(span.first_at, covered, span.message), tail]


def _until(sample: datetime, starts: list[datetime], longest: timedelta) -> datetime:
    """The end of what the last sample of a span stands for: where the next span begins, if that is near enough."""
    following = bisect.bisect_right(starts, sample)
    end = sample + longest
    return min(end, starts[following]) if following < len(starts) else end


def _merged(stretches: list[_Stretch], begin: datetime, end: datetime) -> list[_Stretch]:
    """The stretches within `begin` to `end`, those that touch joined; the first one's message stays."""
    merged: list[_Stretch] = []
    for stretch in sorted(stretches):
        start, stop = max(stretch.begin, begin), min(stretch.end, end)
        if stop <= start:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, stop))
        else:
            merged.append(_Stretch(start, stop, stretch.message))
    return merged


def _length_s(stretches: list[_Stretch]) -> float:
    return sum((stretch.end - stretch.begin).total_seconds() for stretch in stretches)
