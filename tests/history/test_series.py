"""Series: every measurement of a criterion over time, by name and unit."""

from __future__ import annotations

from golive.history.runs import add_outcome, begin_run
from golive.history.series import Point, measured, series
from golive.history.store import History
from golive.model import Status
from tests.history import made
from tests.history.made import AT, HOUR, outcome, run


def filled(history: History) -> None:
    for number in range(4):
        name, at = f"r{number}", AT + number * HOUR
        begin_run(history, run(name, at, watch="w1" if number else None))
        values = (
            made.measured(number, warning=70.0, samples=30),
            made.measured(number / 10, "memory", unit="MB", better="higher", inclusive=True, critical=None),
        )
        add_outcome(history, name, outcome("shop.a.b", at=at, measurements=values), environment="prod")
    add_outcome(history, "r3", outcome("shop.silent", status=Status.UNKNOWN), environment="prod")
    begin_run(history, run("elsewhere", environment="staging"))
    add_outcome(history, "elsewhere", outcome("shop.a.b", 99.0), environment="staging")


def test_points_carry_what_they_were_judged_by(history: History) -> None:
    filled(history)
    cpu, memory = series(history, "prod", "shop.a.b")
    assert (cpu.criterion, cpu.name, cpu.unit) == ("shop.a.b", "cpu", "%")
    assert cpu.points[1] == Point(AT + HOUR, 1.0, "r1", 70.0, 80.0, 30, "lower", False)
    assert memory.points[3] == Point(AT + 3 * HOUR, 0.3, "r3", None, None, None, "higher", True)
    assert [p.value for p in cpu.points] == [0.0, 1.0, 2.0, 3.0]


def test_points_are_chosen(history: History) -> None:
    filled(history)

    def runs(**how: object) -> list[str]:
        return [p.run for s in series(history, "prod", "shop.a.b", name="cpu", **how) for p in s.points]  # type: ignore[arg-type]

    assert runs() == ["r0", "r1", "r2", "r3"]
    assert runs(since=AT + HOUR) == ["r1", "r2", "r3"]
    assert runs(until=AT + HOUR) == ["r0", "r1"]
    assert runs(watch="w1", until=AT + 2 * HOUR) == ["r1", "r2"]
    assert series(history, "prod", "shop.a.b", name="disk") == []
    assert series(history, "prod", "shop.a.b", since=AT + 9 * HOUR) == [], "a series without a point is left out"
    assert series(history, "prod", "shop.silent") == []


def test_another_unit_is_another_series(history: History) -> None:
    begin_run(history, run())
    values = (made.measured(1.0), made.measured(2.0), made.measured(3.0, unit="ms"))
    add_outcome(history, "r1", outcome("shop.a.b", measurements=values), environment="prod")
    found = [(s.unit, [p.value for p in s.points]) for s in series(history, "prod", "shop.a.b")]
    assert found == [("%", [1.0, 2.0]), ("ms", [3.0])]


def test_what_was_measured_is_known(history: History) -> None:
    filled(history)
    assert measured(history, "prod") == ["shop.a.b"]
    assert measured(history, "nowhere") == []
