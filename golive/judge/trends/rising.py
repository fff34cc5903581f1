"""Whether a series rises or falls steadily, or only by chance: the test of Mann and Kendall."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from golive.judge.trends.points import Sample, prepared

KENDALL_MINIMUM = 5
"""With four points no order at all is rarer than 2 in 24, so that nothing could be significant at 5 %."""
_EXACT_UP_TO = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Kendall:
    """`s` counts the pairs that rise minus those that fall; `p` is how likely chance alone is that far from 0.

    `p` is of both sides: as far from 0 in either direction.
    """

    s: int
    p: float
    exact: bool
    points: int

    def rises(self, alpha: float) -> bool:
        """Whether the series rises, at the level `alpha`."""
        return self.s > 0 and self.p < alpha


def mann_kendall(samples: Iterable[Sample], *, minimum: int = KENDALL_MINIMUM) -> Kendall:
    """The test for a monotone trend, whatever its shape; equal values are allowed for.

    Up to 40 points `p` is exact, also with equal values; above, it is the normal approximation
    with the variance corrected for ties and S brought nearer to 0 by 1 (Kendall 1975, Rank
    Correlation Methods). It takes the points as independent, and those of a process are not
    quite: ask for a noticeable growth as well. TooFewPoints below `minimum`.
    """
    values = [value for _, value in prepared(samples, max(minimum, KENDALL_MINIMUM))]
    s = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    ties = sorted(Counter(values).values())
    exact = len(values) <= _EXACT_UP_TO
    p = _exact_p(s, ties) if exact else _normal_p(s, ties)
    return Kendall(s=s, p=p, exact=exact, points=len(values))


def _exact_p(s: int, ties: Sequence[int]) -> float:
    """Share of all orders of these values in which S is as far from 0.

    In an order with i inversions S is the number of unequal pairs less 2 i. How many orders
    have i inversions is the coefficient of q^i in the Gaussian multinomial coefficient, the
    product of (1 - q^k) for k up to n divided by the same for each group of equal values.
    """
    n = sum(ties)
    unequal = (n * (n - 1) - sum(t * (t - 1) for t in ties)) // 2
    orders = [1] + [0] * unequal
    for k in range(1, n + 1):
        for i in range(unequal, k - 1, -1):
            orders[i] -= orders[i - k]
    for k in (k for t in ties for k in range(1, t + 1)):
        for i in range(k, unequal + 1):
            orders[i] += orders[i - k]
    far = sum(count for i, count in enumerate(orders) if abs(unequal - 2 * i) >= abs(s))
    return far / sum(orders)


def _normal_p(s: int, ties: Sequence[int]) -> float:
    n = sum(ties)
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if s == 0 or variance == 0:
        return 1.0
    return math.erfc((abs(s) - 1) / math.sqrt(2 * variance))
