"""What a JSON answer must hold, as a criterion writes it, and in what an answer falls short. Pure.

```yaml
expect:
  status: [ok, healthy]          # one of
  checks.*.status: ok            # every entry; none at all is a breach
  total: {type: number, min: 0}
  version: {matches: '6\\.1\\..*'}
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from golive.environment.params import Strict
from golive.targets.paths import MISSING, select
from golive.targets.wire.answer import excerpt

Scalar = bool | int | float | str | None


class Rule(Strict):
    """Conditions on one value, all of which must hold."""

    equals: Scalar = None
    one_of: tuple[Scalar, ...] = ()
    min: float | None = None
    max: float | None = None
    type: Literal["text", "number", "integer", "flag", "list", "object"] | None = None
    matches: Annotated[str | None, Field(description="regular expression that the whole text must match")] = None

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a rule needs at least one of equals, one_of, min, max, type, matches")
        return self


Expected = Rule | bool | int | float | str | tuple[Scalar, ...] | None
"""A value that must be equal, a list of which one must be, or a `Rule`."""
Expectations = dict[str, Expected]
"""What must be found, by dotted path."""


def breaches(data: Any, expectations: Mapping[str, Expected]) -> list[str]:
    """One sentence for each value that is not as expected; empty when all are."""
    return [
        sentence
        for path, expected in expectations.items()
        for at, value in select(data, path)
        if (sentence := _breach(at, value, expected))
    ]


def shown(value: Any) -> str:
    """A JSON value for a message: bounded, on one line, harmless."""
    if value is MISSING:
        return "nothing"
    return excerpt(f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 80)


def same(one: Any, other: Any) -> bool:
    """Equality as JSON has it: 1 equals 1.0, but neither true nor \"1\"."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def is_number(value: Any) -> bool:
    """A JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _breach(at: str, value: Any, expected: Expected) -> str | None:
    if value is MISSING:
        return f"{at} is missing"
    wish = _unmet(value, expected)
    return f"{at} is {shown(value)}, {wish} needed" if wish else None


def _unmet(value: Any, expected: Expected) -> str | None:
    """What was wished and is not met, or None."""
    if isinstance(expected, Rule):
        return _unmet_rule(value, expected)
    if isinstance(expected, tuple):
        return None if any(same(value, one) for one in expected) else f"one of {', '.join(map(shown, expected))}"
    return None if same(value, expected) else shown(expected)


def _unmet_rule(value: Any, rule: Rule) -> str | None:
    if rule.type is not None and not _is_of(value, rule.type):
        return f"a value of type {rule.type}"
    if "equals" in rule.model_fields_set and not same(value, rule.equals):
        return shown(rule.equals)
    if rule.one_of and not any(same(value, one) for one in rule.one_of):
        return f"one of {', '.join(map(shown, rule.one_of))}"
    if rule.matches is not None and not (isinstance(value, str) and re.fullmatch(rule.matches, value)):
        return f"text that matches {rule.matches}"
    if (rule.min is not None or rule.max is not None) and not is_number(value):
        return "a number"
    if rule.min is not None and value < rule.min:
        return f"at least {rule.min:g}"
    if rule.max is not None and value > rule.max:
        return f"at most {rule.max:g}"
    return None


def _is_of(value: Any, kind: str) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "integer":
            return is_number(value) and float(value).is_integer()
    return is_number(value)
