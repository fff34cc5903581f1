"""Rates, think times, hours and levels are text with a unit, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from golive.environment.loads import Hours, Level, Rate, fields_in
from golive.environment.loads.values import Share, ThinkTime

RUBBISH: tuple[Any, ...] = (None, True, [], {}, "", "x", "-1", -1, "1 /", "٣/s", "1e9/s", float("nan"), "1\x00s")


@pytest.mark.parametrize(("written", "per_second"), [("40/s", 40), ("600/min", 10), (" 1.5 / s ", 1.5), ("36/h", 0.01)])
def test_rate_is_a_number_for_a_time(written: str, per_second: float) -> None:
    assert TypeAdapter(Rate).validate_python(written) == pytest.approx(per_second)


@pytest.mark.parametrize("written", [*RUBBISH, 40, "40", "0/s", "40/d", "40/s/s"], ids=repr)
def test_anything_else_is_no_rate(written: Any) -> None:
    with pytest.raises(ValidationError, match=r"a rate is a number above 0 for a time|Value error"):
        TypeAdapter(Rate).validate_python(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("200 ms to 1 s", (0.2, 1.0)), ("1 s", (1.0, 1.0)), ("0 s to 1 min", (0.0, 60.0)), ("1 s to 1 s", (1.0, 1.0))],
)
def test_think_time_is_a_duration_or_a_range(written: str, expected: tuple[float, float]) -> None:
    assert TypeAdapter(ThinkTime).validate_python(written) == expected


@pytest.mark.parametrize(
    "written", [*RUBBISH, 5, "2 s to 1 s", "1 s to", "to 1 s", "1 s to 2 s to 3 s", "1 to 2"], ids=repr
)
def test_anything_else_is_no_think_time(written: Any) -> None:
    with pytest.raises(ValidationError, match="a think time is a duration or a range, as in '200 ms to 1 s'"):
        TypeAdapter(ThinkTime).validate_python(written)


@pytest.mark.parametrize(("written", "expected"), [("50 %", 50), ("50%", 50), (50, 50), ("0.5", 0.5), (100, 100)])
def test_share_may_carry_its_sign(written: Any, expected: float) -> None:
    assert TypeAdapter(Share).validate_python(written) == expected


@pytest.mark.parametrize("written", [*RUBBISH, 0, 101, "0 %", "fifty %"], ids=repr)
def test_anything_else_is_no_share(written: Any) -> None:
    with pytest.raises(ValidationError, match="a share is above 0 and at most 100, as in '50 %'"):
        TypeAdapter(Share).validate_python(written)


def test_hours_may_go_over_midnight_and_end_with_the_day() -> None:
    assert Hours.parse("22:00-05:30") == (22 * 60, 5 * 60 + 30)
    assert str(Hours.parse("7:05 - 24:00")) == "07:05-24:00"


@pytest.mark.parametrize(
    "written", [*RUBBISH, "22-05", "24:00-05:00", "05:00-05:00", "05:60-06:00", "05:00-25:00"], ids=repr
)
def test_anything_else_is_no_part_of_a_day(written: Any) -> None:
    with pytest.raises(ValueError, match="hours are two different times of the day in UTC, as in '22:00-05:00'"):
        Hours.parse(written)


def test_level_is_a_number_of_users_or_a_rate() -> None:
    assert Level.parse(10) == (10.0, False)
    assert Level.parse("10/s") == (10.0, True)
    assert [str(Level.parse(written)) for written in (10, "30/min")] == ["10 users", "0.5/s"]


@pytest.mark.parametrize("written", [*RUBBISH, 0, 1.5, "10"], ids=repr)
def test_anything_else_is_no_level(written: Any) -> None:
    with pytest.raises(ValueError, match="a number of users or a rate, as in 10 or '10/s'"):
        Level.parse(written)


def test_fields_are_found_however_deep_and_json_is_none() -> None:
    assert fields_in({"a": ["{sku}", {"b": "x{order}y{sku}"}], "c": 5, "d": None}) == {"sku", "order"}
    assert fields_in('{"a": 1, "b": {}} { name } {1} {a-b}') == set()
