"""Latency of an endpoint: samples with their phases apart, and percentiles by a stated method."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from golive.environment.params import Request
from golive.targets.http import Client, NoAnswer
from golive.targets.wire.answer import Phases

Phase = Literal["total", "first_byte", "connect"]
MINIMUM = 20
"""Fewer samples say nothing about a tail: the 95th of a hundred is then the slowest one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """What a series of requests came to. `asked` counts all, `phases` those that were answered properly."""

    asked: int
    phases: tuple[Phases, ...]
    problems: tuple[str, ...]
    planned: int
    unanswered: int = 0

    def values(self, of: str) -> list[float]:
        """Milliseconds of one phase (`total`, `first_byte`, `connect`, `dns`, `tls`) of every sample that had it."""
        found = (getattr(phases, f"{of}_ms") for phases in self.phases)
        return [value for value in found if value is not None]

    @property
    def trouble(self) -> str:
        """What went wrong and how often, most frequent first: `2x answered 500, 1x did not answer within 5 s`."""
        return ", ".join(f"{count}x {words}" for words, count in Counter(self.problems).most_common(3))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` percent of them do not exceed (nearest rank, no interpolation).

    Always a value that was seen. ValueError without values or for a share outside (0, 100].
    """
    if not values or not 0 < share <= 100:
        raise ValueError(f"no {share} % of {len(values)} values")
    return sorted(values)[max(1, math.ceil(share / 100 * len(values))) - 1]


def sample(
    client: Client,
    requests: Sequence[Request],
    *,
    count: int,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    fresh: bool = True,
    within_s: float = 30.0,
) -> Samples:
    """Send `count` requests one after another, taking turns, and stop early once `within_s` seconds are over.

    `fresh`: each on a connection of its own, so that every sample has all phases. An answer of 400 or above
    is a problem and not a sample: errors are often the fastest answers.
    """
    phases: list[Phases] = []
    problems: list[str] = []
    unanswered = 0
    end = time.monotonic() + within_s
    asked = 0
    while asked < count and time.monotonic() < end:
        try:
            answer = client.send(requests[asked % len(requests)], headers=headers, body=body, fresh=fresh)
            if answer.status < 400:
                phases.append(answer.phases)
            else:
                problems.append(f"{answer.request} answered {answer.status}")
        except NoAnswer as error:
            unanswered += 1
            problems.append(str(error))
        asked += 1
    return Samples(asked=asked, phases=tuple(phases), problems=tuple(problems), planned=count, unanswered=unanswered)
