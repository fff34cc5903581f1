"""The small values that a load is written in: rates, levels, think times and hours of the day."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from golive.environment.params import seconds

_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|min|h)\s*", re.ASCII)
_PER = {"s": 1.0, "min": 60.0, "h": 3600.0}
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%?\s*", re.ASCII)
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", re.ASCII)
_DAY_MIN = 24 * 60
_RATE_PATTERN = r"^\s*\d+(\.\d+)?\s*/\s*(s|min|h)\s*$"
_TIME_PATTERN = r"\d+(\.\d+)?\s*(ms|s|min|m|h|d)"


def per_second(value: Any) -> float:
    """`"600/min"` as 10.0; ValueError on a number without unit, on any other text and on no rate at all."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not float(found[1]):
        raise ValueError(f"a rate is a number above 0 for a time (/s, /min, /h), as in '40/s'; got {value!r}")
    return float(found[1]) / _PER[found[2]]


def _percent(value: Any) -> float:
    """`"50 %"` and `50` as 50.0; ValueError on anything that is no share of a hundred above 0."""
    found = _PERCENT.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or found is None or not 0 < float(found[1]) <= 100:
        raise ValueError(f"a share is above 0 and at most 100, as in '50 %'; got {value!r}")
    return float(found[1])


def think_time(value: Any) -> tuple[float, float]:
    """`"200 ms to 1 s"` as (0.2, 1.0), one duration as a constant; ValueError on any other text or order."""
    if isinstance(value, tuple):
        return value
    words = re.split(r"\s+to\s+", value) if isinstance(value, str) else []
    try:
        low, high = seconds(words[0]), seconds(words[-1])
    except (IndexError, ValueError):
        low, high = 1.0, 0.0
    if len(words) > 2 or low > high:
        raise ValueError(f"a think time is a duration or a range, as in '200 ms to 1 s'; got {value!r}")
    return low, high


_RATE_SCHEMA = {"type": "string", "pattern": _RATE_PATTERN, "examples": ["40/s", "600/min"]}
_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%?\s*$", "examples": ["50 %"]},
    ]
}
_THINK_SCHEMA = {
    "type": "string",
    "pattern": rf"^\s*{_TIME_PATTERN}(\s+to\s+{_TIME_PATTERN})?\s*$",
    "examples": ["200 ms to 1 s", "500 ms"],
}

Rate = Annotated[float, BeforeValidator(per_second), WithJsonSchema(_RATE_SCHEMA)]
"""Requests per second, written as text with a unit."""
Share = Annotated[float, BeforeValidator(_percent), WithJsonSchema(_SHARE_SCHEMA)]
"""A share of a hundred, above 0, written with or without its sign."""
ThinkTime = Annotated[tuple[float, float], BeforeValidator(think_time), WithJsonSchema(_THINK_SCHEMA)]
"""Seconds that a user waits between two steps: at least and at most."""
Users = Annotated[int, Field(ge=0)]
"""How many users are there at the same time."""


class Level(NamedTuple):
    """How hard it is pressed: a number of users, or (`is_rate`) of requests per second."""

    amount: float
    is_rate: bool

    def __str__(self) -> str:
        return f"{self.amount:g}/s" if self.is_rate else f"{self.amount:g} users"

    @classmethod
    def parse(cls, value: Any) -> Level:
        """`10` as users, `"10/s"` as a rate; ValueError on anything else and on nothing."""
        if isinstance(value, Level):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return cls(float(value), is_rate=False)
        try:
            return cls(per_second(value), is_rate=True)
        except ValueError:
            raise ValueError(f"a number of users or a rate, as in 10 or '10/s'; got {value!r}") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, dict(_RATE_SCHEMA)]}


class Hours(NamedTuple):
    """A part of each day in UTC, in minutes after midnight; it goes over midnight where it ends before it begins."""

    begin_min: int
    end_min: int

    def __str__(self) -> str:
        (begin, begin_rest), (end, end_rest) = divmod(self.begin_min, 60), divmod(self.end_min, 60)
        return f"{begin:02}:{begin_rest:02}-{end:02}:{end_rest:02}"

    @classmethod
    def parse(cls, value: Any) -> Hours:
        """`"22:00-05:00"`; ValueError on any other text, on times that there are not and on two that are the same."""
        if isinstance(value, Hours):
            return value
        found = _HOURS.fullmatch(value) if isinstance(value, str) else None
        if found is not None and int(found[2]) < 60 and int(found[4]) < 60:
            begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
            if begin < _DAY_MIN and end <= _DAY_MIN and begin != end:
                return cls(begin, end)
        raise ValueError(f"hours are two different times of the day in UTC, as in '22:00-05:00'; got {value!r}")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*$", "examples": ["22:00-05:00"]}
