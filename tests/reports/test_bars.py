"""The picture of a value against its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.model import Measurement, Status
from reports.bars import bar, limit_words, spoken
from tests.reports.samples import cpu


def test_percentages_are_drawn_on_a_scale_of_a_hundred() -> None:
    drawn = bar(cpu(45.0))
    assert drawn is not None
    assert (drawn.fill.start, drawn.fill.width) == (0, 45)
    assert (drawn.warning, drawn.critical) == (70, 80)
    assert drawn.forbidden is not None
    assert (drawn.forbidden.start, drawn.forbidden.width) == (80, 20)
    assert (drawn.status, drawn.torn_at) == (Status.PASS, None)


def test_a_minimum_shades_what_lies_below_it() -> None:
    drawn = bar(Measurement(name="free", value=5, unit="GB", critical=10, better="higher"))
    assert drawn is not None
    assert drawn.forbidden is not None
    assert drawn.forbidden.start == 0
    assert drawn.fill.width < drawn.forbidden.width
    assert drawn.status is Status.FAIL


def test_a_value_far_out_is_drawn_at_the_edge_and_leaves_the_limit_in_sight() -> None:
    drawn = bar(Measurement(name="restarts", value=1e9, unit="", critical=10))
    assert drawn is not None
    assert drawn.torn_at is not None
    assert drawn.fill.width == 100
    assert drawn.critical is not None
    assert 20 < drawn.critical < 50


def test_a_limit_of_zero_has_a_bar_too() -> None:
    drawn = bar(Measurement(name="errors", value=3, unit="", critical=0, inclusive=True))
    assert drawn is not None
    assert drawn.critical == 0
    assert drawn.fill.width > 50


def test_values_below_zero_are_drawn_to_the_left_of_it() -> None:
    drawn = bar(Measurement(name="skew", value=-0.3, unit="s", critical=0.5))
    assert drawn is not None
    zero = drawn.fill.start + drawn.fill.width
    assert drawn.critical is not None
    assert 0 < drawn.fill.start < zero < drawn.critical


@given(
    value=st.floats(),
    warning=st.none() | st.floats(),
    critical=st.none() | st.floats(),
    better=st.sampled_from(["lower", "higher"]),
    unit=st.sampled_from(["%", "ms", ""]),
)
def test_every_bar_stays_within_its_frame(
    value: float, warning: float | None, critical: float | None, better: str, unit: str
) -> None:
    measurement = Measurement(
        name="x",
        value=value,
        unit=unit,
        warning=warning,
        critical=critical,
        better=better,  # type: ignore[arg-type]
    )
    drawn = bar(measurement)
    if drawn is None:
        return
    for place in (drawn.warning, drawn.critical):
        assert place is None or 0 <= place <= 100
    for zone in (drawn.fill, drawn.forbidden):
        assert zone is None or (zone.start >= 0 and zone.width >= 0 and zone.start + zone.width <= 100.02)


def test_the_words_say_what_the_picture_shows() -> None:
    assert spoken(cpu(91.2)) == "cpu: 91.2 %, below 80 % needed; beyond its limit"
    assert spoken(cpu(74)) == "cpu: 74 %, below 70 % wanted; beyond its warning limit"
    assert spoken(cpu(12)) == "cpu: 12 %, below 80 % needed; within its limits"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "below 80 %, warning at 70 %"),
        ({"warning": None}, "below 80 %"),
        ({"critical": None}, "below 70 % wanted"),
        ({"inclusive": True, "warning": None}, "at most 80 %"),
        ({"better": "higher", "warning": 90}, "at least 80 %, warning at 90 %"),
        ({"warning": None, "critical": None}, ""),
    ],
)
def test_limits_in_words(limits: dict[str, object], said: str) -> None:
    assert limit_words(cpu(1, **limits)) == said
