"""The percentile spectrum: how long the slowest share of the requests took, down to the last one. Pure geometry.

The axis shows 1 / (1 - p) logarithmically, so that 99 %, 99.9 % and 99.99 % lie equally far apart, as in the plots of
HdrHistogram (Gil Tene, "How NOT to Measure Latency").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from golive.judge.load.histogram import Histogram
from reports.axes import Frame, Mark
from reports.bars import amount
from reports.load.charts import apart, beyond, framed, named_apart, near, path_data, spans_decades, value_ticks
from reports.load.parts import Chart, Rule, Stroke

_NAMED = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999)


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """One line of the picture."""

    css: str
    label: str
    histogram: Histogram


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A limit of one percentile (100 is the maximum), in milliseconds."""

    css: str
    label: str
    percentile: float
    value_ms: float


def spectrum_chart(title: str, spectra: Sequence[Spectrum], bounds: Sequence[Bound] = ()) -> Chart | None:
    """The picture; None where nothing was measured."""
    told = [one for one in spectra if one.histogram.count]
    if not told:
        return None
    decades = max(math.log10(one.histogram.count) for one in told) or 1.0
    lines = [(one, _points(one.histogram)) for one in told]
    values = [value for _, points in lines for _, value in points]
    log = spans_decades(values)
    drawn = [bound for bound in bounds if near(bound.value_ms, values, log=log)]
    frame = framed([*values, *(bound.value_ms for bound in drawn)], decades, log=log)
    return Chart(
        title=title,
        unit="ms",
        log=log,
        words=_words(title, told),
        beyond=beyond([(bound.label, bound.value_ms) for bound in bounds if bound not in drawn], values, "ms"),
        ticks=value_ticks(frame),
        times=tuple(Mark(frame.x(_place(p)), f"{p:g} %") for p in _NAMED if _place(p) <= decades + 1e-9),
        phases=(),
        strokes=apart(_stroke(one, points, frame) for one, points in lines),
        rules=named_apart(_rule(bound, frame, decades) for bound in drawn),
    )


def _points(histogram: Histogram) -> list[tuple[float, float]]:
    """(place on the axis, milliseconds) from the smallest value to the largest one."""
    end = math.log10(histogram.count)
    reached = [(_place(share) if share < 100 else end, value) for value, share in histogram.spectrum()]
    return [(0.0, reached[0][1]), *((min(place, end), value) for place, value in reached)]


def _place(percentile: float) -> float:
    return -math.log10(1 - percentile / 100)


def _stroke(one: Spectrum, points: Sequence[tuple[float, float]], frame: Frame) -> Stroke:
    drawn = [(frame.x(place), frame.y(value)) for place, value in points]
    return Stroke(css=one.css, label=one.label, paths=path_data(drawn), label_y=drawn[-1][1] + 3.5)


def _rule(bound: Bound, frame: Frame, decades: float) -> Rule:
    """A short line around the percentile that it limits."""
    place = decades if bound.percentile >= 100 else min(_place(bound.percentile), decades)
    at = frame.x(place)
    return Rule(css=bound.css, label=bound.label, x1=at - 16, x2=at + 16, y=frame.y(bound.value_ms))


def _words(title: str, told: Sequence[Spectrum]) -> str:
    said = []
    for one in told:
        shown = [f"{p:g} % within {amount(one.histogram.percentile(p), 'ms')}" for p in (50.0, 95.0, 99.0)]
        said.append(f"{one.label} " + ", ".join([*shown, f"the slowest {amount(one.histogram.max_ms, 'ms')}"]))
    return f"{title}: " + "; ".join(said)
