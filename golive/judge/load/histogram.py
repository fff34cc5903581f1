"""Latencies counted by buckets that grow with the value, so that millions fit into a few hundred numbers. Pure.

Whole microseconds go in. Below 256 each value has a bucket of its own; above, each doubling is cut into 128 buckets
of the same width, so that what is read back is at most 1/128 (0.8 %) more than what went in, never less: the layout
of HdrHistogram (G. Tene) with 7 bits. Imports nothing but the standard library: load processes use it, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Self

_BITS = 7
_HALF = 1 << _BITS
_EXACT = 2 * _HALF
_MOST = 1 << 53
"""What JSON carries exactly; no sum of microseconds comes near."""


def bucket_of(us: int) -> int:
    """The bucket of a latency in whole microseconds, 0 or more."""
    if us < _EXACT:
        return us
    shift = us.bit_length() - _BITS - 1
    return (shift << _BITS) + (us >> shift)


def edges_of(bucket: int) -> tuple[int, int]:
    """The lowest and the highest value, in microseconds, that `bucket_of` puts into that bucket."""
    if bucket < _EXACT:
        return bucket, bucket
    shift = (bucket >> _BITS) - 1
    head = (bucket & (_HALF - 1)) + _HALF
    return head << shift, ((head + 1) << shift) - 1


_LAST = bucket_of(_MOST)


class Histogram:
    """How many latencies fell into which bucket, with the exact number, sum and maximum."""

    __slots__ = ("_buckets", "_count", "_max_us", "_sum_us")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._count = 0
        self._sum_us = 0
        self._max_us = 0

    @classmethod
    def of(cls, values_us: Iterable[int]) -> Self:
        """The histogram of all these microseconds; ValueError if one is negative."""
        made = cls()
        for value in values_us:
            made.add(value)
        return made

    def add(self, us: int, n: int = 1) -> None:
        """Count a latency `n` times; ValueError if it is negative, or `n` below 1."""
        if us < 0 or n < 1:
            raise ValueError(f"a latency is 0 or more and counts at least once; got {us} us, {n} times")
        bucket = bucket_of(us)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + n
        self._count += n
        self._sum_us += us * n
        self._max_us = max(self._max_us, us)

    def merge(self, other: Histogram) -> None:
        """Count everything that `other` holds, which stays as it is."""
        for bucket, n in list(other._buckets.items()):
            self._buckets[bucket] = self._buckets.get(bucket, 0) + n
        self._count += other._count
        self._sum_us += other._sum_us
        self._max_us = max(self._max_us, other._max_us)

    @property
    def count(self) -> int:
        """How many latencies it holds."""
        return self._count

    @property
    def max_ms(self) -> float:
        """The greatest latency, exact, in milliseconds; 0 where there is none."""
        return self._max_us / 1000

    @property
    def mean_ms(self) -> float:
        """The average latency, exact, in milliseconds; ValueError where there is none."""
        if not self._count:
            raise ValueError("no latency was measured, so there is no average")
        return self._sum_us / self._count / 1000

    def percentile(self, p: float) -> float:
        """The latency in milliseconds that `p` per cent do not exceed, by nearest rank.

        It is the upper edge of that rank's bucket (at most 1 % too high), and never above the greatest latency.
        ValueError where there is no latency, or unless 0 < p <= 100.
        """
        if not 0 < p <= 100:
            raise ValueError(f"a percentile lies above 0 and at most at 100; got {p}")
        if not self._count:
            raise ValueError("no latency was measured, so there is no percentile")
        # In fractions: 99.9 / 100 * 1000 is a little more than 999 in floats, which would be the next rank.
        rank = math.ceil(Fraction(str(p)) * self._count / 100)
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(edges_of(bucket)[1], self._max_us) / 1000
        raise AssertionError("a rank is at most the count")

    def spectrum(self) -> list[tuple[float, float]]:
        """(milliseconds, share of a hundred that do not exceed it) for each bucket that holds something."""
        found, seen = [], 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            found.append((min(edges_of(bucket)[1], self._max_us) / 1000, 100 * seen / self._count))
        return found

    def as_data(self) -> dict[str, Any]:
        """`{"buckets": {"<bucket>": n}, "max_us": …, "sum_us": …}`, ready for JSON (see `from_data`)."""
        buckets = {str(bucket): self._buckets[bucket] for bucket in sorted(self._buckets)}
        return {"buckets": buckets, "max_us": self._max_us, "sum_us": self._sum_us}

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Rebuild it from `as_data`; ValueError for anything else, also for numbers that contradict each other."""
        if not isinstance(data, Mapping) or not isinstance(data.get("buckets"), Mapping):
            raise ValueError("a histogram is a mapping with 'buckets', 'max_us' and 'sum_us'")
        made = cls()
        for name, n in data["buckets"].items():
            made._buckets[_bucket(name)] = whole(n, "the count of a bucket", least=1)
        made._count = sum(made._buckets.values())
        made._max_us = whole(data.get("max_us"), "'max_us'")
        made._sum_us = whole(data.get("sum_us"), "'sum_us'")
        made._check()
        return made

    def _check(self) -> None:
        highest = max(self._buckets, default=0)
        low = sum(edges_of(bucket)[0] * n for bucket, n in self._buckets.items())
        high = sum(edges_of(bucket)[1] * n for bucket, n in self._buckets.items())
        if bucket_of(self._max_us) != highest or not low <= self._sum_us <= high:
            raise ValueError("a histogram's 'max_us' and 'sum_us' fit its buckets")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self.as_data() == other.as_data()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Histogram(count={self._count}, max_ms={self.max_ms:g})"


def whole(value: object, what: str, *, least: int = 0) -> int:
    """`value` itself; ValueError unless it is a whole number from `least` up to what JSON carries exactly."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        raise ValueError(f"{what} is a whole number of at least {least}")
    return value


def _bucket(name: object) -> int:
    # Written in one way only ("7", not "007"): two names of one bucket would replace each other.
    is_number = isinstance(name, str) and name.isascii() and name.isdigit() and str(int(name[:9])) == name
    if not is_number or int(str(name)) > _LAST:
        raise ValueError("a bucket is named by its number")
    return int(str(name))
