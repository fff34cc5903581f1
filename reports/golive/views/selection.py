"""Which series are drawn, which are only listed, and in what order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.golive.views.plots import Picture, picture
from reports.golive.views.series import Tier, Trace

MOST_PLOTS = 60
"""So many series are drawn; the others are listed with their spread."""
MOST_LISTED = 400
_NEAREST = 6
Drawn = tuple[Trace, Picture]


@dataclass(frozen=True, kw_only=True)
class Plotted:
    """The series as they are shown: those nearest to their limits, the others by area, and what is only listed."""

    nearest: Sequence[Drawn]
    areas: Sequence[tuple[str, Sequence[Drawn]]]
    listed: Sequence[Trace]
    left_out: int


def plotted(found: Sequence[Trace], hours: float) -> Plotted:
    """The series of a time of so many hours; `found` has the most telling ones first."""
    drawn: list[Drawn] = []
    listed: list[Trace] = []
    for trace in found:
        drawable = len(drawn) < MOST_PLOTS and trace.tier is not Tier.CONSTANT
        made = picture(trace, hours) if drawable else None
        if made is None:
            listed.append(trace)
        else:
            drawn.append((trace, made))
    nearest = [pair for pair in drawn[:_NEAREST] if pair[0].nearness is not None]
    areas: dict[str, list[Drawn]] = {}
    for pair in drawn[len(nearest) :]:
        areas.setdefault(pair[0].area, []).append(pair)
    return Plotted(
        nearest=nearest,
        areas=sorted(areas.items()),
        listed=sorted(listed, key=lambda trace: trace.key)[:MOST_LISTED],
        left_out=max(0, len(listed) - MOST_LISTED),
    )
