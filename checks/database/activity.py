"""Users do what they usually do: activity neither stops nor jumps.

Why: a system that nobody can use looks healthy from inside, and a sudden rush is abuse or a fault in a loop.
When it fails: for none ask whether it is open for business at all; for a jump look who causes it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Count, DatabaseRef
from golive.judge.limits import number
from golive.targets.postgres import Database
from golive.targets.postgres_errors import DatabaseTrouble


class Params(CheckParams):
    database: DatabaseRef
    metrics: dict[str, str] = Field(description="queries by name, each giving one number, as of the last hour")
    zero: Literal["pass", "warn", "fail"] = Field("warn", description="what no activity means")
    jump: Literal["warn", "fail"] = Field("warn", description="what a jump means")
    factor: Annotated[float, Field(gt=1)] = Field(
        3.0, description="how many times more than at the last look is a jump"
    )
    jump_from: Count = Field(20, description="a number up to this is no jump, however it compares")

    def asserts_nothing(self) -> str | None:
        return None if self.metrics else "'metrics' is empty"


def test_activity_is_usual(
    criterion: Params, criterion_id: str, database: Database, context: RunContext, measure: Measure
) -> None:
    key = f"database:{criterion_id}:metrics"
    last: Any = context.state.committed(key) or {}
    seen: dict[str, float] = {}
    for name, sql in criterion.metrics.items():
        try:
            seen[name] = database.number(sql)
        except DatabaseTrouble as problem:
            measure.unknown(f"{name}: {problem}")
            continue
        measure(seen[name], unit="", name=name)
        _judge(name, seen[name], last.get(name), criterion, measure)
    context.state.put(key, {**last, **seen})


def _judge(name: str, value: float, before: float | None, criterion: Params, measure: Measure) -> None:
    said = {"warn": measure.warn, "fail": measure.fail, "pass": measure.note}
    if value == 0:
        said[criterion.zero](f"{name}: none at all")
    elif before and value > criterion.jump_from and value > criterion.factor * before:
        said[criterion.jump](
            f"{name}: {number(value)}, more than {criterion.factor:g} times the {number(before)} of the last look"
        )
