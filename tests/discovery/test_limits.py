"""Limits stand above what was measured, are round, and are none where there is no room."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.discovery.proposing.limits import Limits, above, milliseconds, share, size


@pytest.mark.parametrize(
    ("used", "warning", "critical"),
    [(0.0, 75, 85), (12.5, 75, 85), (69.9, 75, 85), (72.0, 80, 85), (80.0, 85, 90), (89.0, 95, 98), (91.0, None, 98),
     (97.4, None, 98), (97.6, None, None), (100.0, None, None)],
)  # fmt: skip
def test_share_leaves_room(used: float, warning: int | None, critical: int | None) -> None:
    found = share(used)
    assert (found.warning, found.critical) == (warning, critical)


def test_high_use_is_told() -> None:
    assert share(40).remark == ""
    assert share(80).remark == "already high: look why before you trust this limit"
    assert share(99) == Limits(warning=None, critical=None, remark="no limit leaves room: make room first")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.floats(0, 100))
def test_no_limit_is_below_what_was_measured(used: float) -> None:
    found = share(used)
    assert found.critical is None or used < found.critical < 100
    assert found.warning is None or (found.critical is not None and used < found.warning < found.critical)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.floats(0, 1e9), st.sampled_from([1.0, 2.0, 10.0]), st.floats(0.001, 1e6))
def test_above_is_round_and_enough(measured: float, times: float, least: float) -> None:
    found = above(measured, times=times, least=least)
    assert found >= max(measured * times, least) * (1 - 1e-6)
    assert found <= max(measured * times, least) * 1.5 * (1 + 1e-6)


def test_units() -> None:
    assert milliseconds(12, times=10, least_ms=500) == "500 ms"
    assert milliseconds(80, times=10, least_ms=500) == "800 ms"
    assert milliseconds(230, times=10, least_ms=500) == "2.5 s"
    assert size(66_000_000, times=2, least_bytes=64_000_000) == "150 MB"
    assert size(0, times=2, least_bytes=64_000_000) == "80 MB"
