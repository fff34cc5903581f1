"""A limit follows its parameter only where there is no doubt that it came from it."""

from __future__ import annotations

from typing import Any

import pytest

from golive.judge.relimited import Untraceable, relimited
from golive.model import Measurement


def measured(name: str = "cpu", unit: str = "%", **limits: Any) -> Measurement:
    return Measurement(name=name, value=70.0, unit=unit, **limits)


def limits(*found: Measurement) -> list[tuple[float | None, float | None]]:
    return [(m.warning, m.critical) for m in found]


def test_limits_take_the_new_values_of_their_parameters() -> None:
    before = {"host": "app", "warning": 70.0, "critical": 80.0, "again": 2}
    after = {"host": "app", "warning": 60.0, "critical": 90.0, "again": 2}
    found = relimited([measured(warning=70.0, critical=80.0)], before, after)
    assert limits(*found) == [(60.0, 90.0)]


def test_nothing_changes_without_a_change() -> None:
    given = (measured(critical=80.0), measured("free", critical=3.0))
    assert relimited(given, {"critical": 80.0}, {"critical": 80.0}) == given


@pytest.mark.parametrize(
    ("unit", "limit", "before", "after", "expected"),
    [
        ("ms", 500.0, 0.5, 0.4, 400.0),
        ("ms", 500.0, 500.0, 400.0, 400.0),
        ("s", 0.5, 500.0, 400.0, 0.4),
        ("h", 2.0, 7200.0, 3600.0, 1.0),
        ("min", 5.0, 300.0, 600.0, 10.0),
        ("d", 14.0, 14 * 86400.0, 7 * 86400.0, 7.0),
        ("MB", 512.0, 512_000_000, 256_000_000, 256.0),
        ("kB", 4.0, 4096, 8192, 8.0),
        ("%", 5.0, 0.05, 0.02, 2.0),
        ("errors", 3.0, 3, 0, 0.0),
        ("errors", 0.0, 0, 5, 5.0),
    ],
)
def test_a_limit_is_traced_through_its_unit(
    unit: str, limit: float, before: float, after: float, expected: float
) -> None:
    found = relimited([measured(unit=unit, critical=limit)], {"limit": before}, {"limit": after})
    assert found[0].critical == pytest.approx(expected)


def test_one_parameter_may_be_the_limit_of_several_values() -> None:
    given = [measured("disk /", critical=85.0), measured("disk /home", critical=85.0)]
    assert limits(*relimited(given, {"critical": 85}, {"critical": 70})) == [(None, 70.0), (None, 70.0)]


def test_nested_parameters_are_traced() -> None:
    before, after = {"limits": {"p95": 300.0, "p99": 900.0}}, {"limits": {"p95": 250.0, "p99": 900.0}}
    given = [measured("p95", "ms", critical=300.0), measured("p99", "ms", critical=900.0)]
    assert [m.critical for m in relimited(given, before, after)] == [250.0, 900.0]


def test_a_limit_that_is_taken_away_is_gone() -> None:
    found = relimited([measured(warning=70.0, critical=80.0)], {"warning": 70, "critical": 80}, {"critical": 80})
    assert limits(*found) == [(None, 80.0)]


def test_a_warning_beside_a_critical_limit_is_added() -> None:
    before, after = {"critical": 500.0, "warning": None}, {"critical": 500.0, "warning": 300.0}
    given = [measured("p95", "ms", critical=500.0), measured("requests", "", critical=None)]
    assert limits(*relimited(given, before, after)) == [(300.0, 500.0), (None, None)]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({"critical": 80.0, "host": "app"}, {"critical": 80.0, "host": "db"}, "'host' changed from 'app' to 'db'"),
        ({"critical": 80.0, "deep": True}, {"critical": 80.0, "deep": False}, "'deep' changed from True to False"),
        (
            {"critical": 80.0, "paths": ["/"]},
            {"critical": 80.0, "paths": ["/", "/home"]},
            "'paths.1' changed from None to '/home'",
        ),
        (
            {"critical": 80.0, "window": 60.0},
            {"critical": 80.0, "window": 30.0},
            "'window' changed from 60 to 30, and no measured value has it as its limit",
        ),
        ({"critical": 80.0}, {"critical": 80.0, "swap": 5}, "'swap' changed from nothing to 5, and no measured value"),
        (
            {"critical": 80.0, "swap": 80.0},
            {"critical": 90.0, "swap": 80.0},
            "the limit 80 % of cpu may come from 'critical' or 'swap'",
        ),
        ({"critical": 79.0}, {"critical": 90.0}, "'critical' changed from 79 to 90, and no measured value has it"),
        ({"warning": 80.0}, {"warning": 70.0}, "'warning' changed from 80 to 70, and no measured value has it"),
    ],
)
def test_what_cannot_be_followed_is_refused(before: dict[str, Any], after: dict[str, Any], why: str) -> None:
    with pytest.raises(Untraceable) as refused:
        relimited([measured(critical=80.0)], before, after)
    assert str(refused.value).startswith(why)


def test_a_parameter_that_equals_the_limits_of_different_values_is_refused() -> None:
    given = [measured("turned away", "connections", critical=0.0), measured("broken", "violations", critical=0.0)]
    with pytest.raises(Untraceable, match="'rejected' may be the limit of values of different kinds"):
        relimited(given, {"rejected": 0}, {"rejected": 5})


def test_two_parameters_that_change_alike_leave_no_doubt() -> None:
    before, after = {"limit": 5.0, "idle_limit": 5.0}, {"limit": 3.0, "idle_limit": 3.0}
    assert relimited([measured("idle", "s", critical=5.0)], before, after)[0].critical == 3.0


def test_zero_in_a_unit_leaves_the_factor_in_doubt() -> None:
    with pytest.raises(Untraceable, match="the limit 0 ms of wait may come from 'allowed'"):
        relimited([measured("wait", "ms", critical=0.0)], {"allowed": 0.0}, {"allowed": 2.0})


def test_without_measurements_no_change_can_be_followed() -> None:
    with pytest.raises(Untraceable):
        relimited([], {"critical": 80.0}, {"critical": 90.0})
