"""Counts from look to look: as rates, fallen silent, gone backwards, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, TypeVar

from golive.judge.trends.points import Sample, TooFewPoints, prepared

SILENCE_MINIMUM = 3
"""So many earlier looks tell that a count is usually above 0."""
_PAIR = 2
K = TypeVar("K", bound=Hashable)


class Reads(StrEnum):
    """What a recorded number counts."""

    RATE = "rate"
    COUNT = "count"
    TOTAL = "total"


class Fall(NamedTuple):
    """A counter that was lower at one look than at the one before."""

    before: Sample
    after: Sample


def per_hour(samples: Iterable[Sample], reads: Reads, *, begin: float, shortest: float) -> list[Sample]:
    """The samples as rates by which looks that lie unevenly can be compared.

    A `rate` is one already. A `count` is of what came since the last look, the first since
    `begin`; it is divided by the hours between, `shortest` at least, so that two looks in a row
    are no burst. A `total` counts up since the process that counts was started: what was added
    is divided likewise, the first sample adds nothing yet, and after a fall the whole total is
    new.
    """
    ordered = prepared(samples, 0)
    if reads is Reads.RATE or not ordered:
        return ordered
    if reads is Reads.COUNT:
        looks = [(begin, 0.0), *ordered]
        return [(t, value / max(t - before, shortest)) for (before, _), (t, value) in pairwise(looks)]
    return [
        (t, (value - last if value >= last else value) / max(t - before, shortest))
        for (before, last), (t, value) in pairwise(ordered)
    ]


def fell_silent(values: Sequence[float], *, usually: float = 1.0, minimum: int = SILENCE_MINIMUM) -> bool:
    """Whether the last value is 0 though the share `usually` (0 to 1) of the earlier ones, at least, was above 0.

    TooFewPoints when there are fewer than `minimum` earlier ones.
    """
    earlier = values[:-1]
    if len(earlier) < max(minimum, SILENCE_MINIMUM):
        raise TooFewPoints(len(earlier), max(minimum, SILENCE_MINIMUM))
    active = sum(value > 0 for value in earlier)
    return values[-1] <= 0 and active > 0 and active >= usually * len(earlier)


def went_backwards(samples: Iterable[Sample], began_anew: Callable[[float, float], bool]) -> list[Fall]:
    """Each step at which a counter fell, unless `began_anew(hour before, hour after)` explains it.

    TooFewPoints on less than two samples.
    """
    ordered = prepared(samples, _PAIR)
    return [Fall(a, b) for a, b in pairwise(ordered) if b[1] < a[1] and not began_anew(a[0], b[0])]


def recurring(looks: Sequence[Collection[K]], times: int) -> dict[K, list[int]]:
    """What occurred in at least `times` looks, each with the positions of those looks.

    TooFewPoints when there are fewer looks than that: nothing could have come back.
    """
    if len(looks) < times:
        raise TooFewPoints(len(looks), times)
    seen: dict[K, list[int]] = {}
    for place, look in enumerate(looks):
        for key in dict.fromkeys(look):
            seen.setdefault(key, []).append(place)
    return {key: places for key, places in seen.items() if len(places) >= times}
