"""The first look at a log is part of its host's one visit; later ones cost a command each, and only what is new."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from checks.logs import evidence, no_critical
from fixtures import logs as fixture
from fixtures.context import RunContext
from fixtures.hosts import host_of
from fixtures.logs import LogLook, LogWindow, log_questions
from golive.logs import Said, Sought
from golive.model import CouldNotLook, Criterion, Place, Severity, When
from golive.targets.hosts.host import Host
from tests.checks.logs.conftest import Logs


def criterion(number: int, params: Any) -> Criterion:
    return Criterion(
        id=f"shop.logging.c{number}",
        says="x",
        severity=Severity.HIGH,
        when=(When.CHECKPOINT,),
        answer="check",
        place=Place(file="x", line=1),
        params=params,
    )


def wanted(*sources: str, count: int = 3, **more: Any) -> list[Criterion]:
    params = no_critical.Params.model_validate({"logs": sources or ("api",), **more})
    return [criterion(number, params) for number in range(count)]


def begin(context: RunContext, criteria: list[Criterion]) -> Host:
    """Let the visit begin as a run does."""
    questions = list(log_questions(context, criteria))
    host = host_of(context, "app")
    host.ask(*(question for _, question in questions))
    host.begin(with_rates=False)
    return host


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that hosts were given beside the visit."""
    given: list[str] = []
    real = Host.run

    def run(self: Host, command: str, **more: Any) -> Any:
        given.append(command)
        return real(self, command, **more)

    monkeypatch.setattr(Host, "run", run)
    return given


def read(context: RunContext, one: Criterion, *, fresh: bool = False) -> Any:
    return LogWindow(context, one.id, one.params, datetime.now(UTC)).read(fresh=fresh)


def test_three_criteria_on_two_logs_cost_no_command_of_their_own(logs: Logs, commands: list[str]) -> None:
    logs.sources = ("api", "web")
    logs.write("ledger lost", level="CRITICAL")
    logs.write("usual", source="web", at=datetime(2020, 1, 1, tzinfo=UTC))
    context, criteria = logs.context(), wanted("api", "web")
    begin(context, criteria)
    counts = [read(context, one).counts["CRITICAL"] for one in criteria]
    assert (counts, commands) == ([1, 1, 1], [])
    context.state.commit()
    logs.write("lost again", "and again", level="CRITICAL")
    context = logs.context()
    begin(context, criteria)
    assert [read(context, one).counts["CRITICAL"] for one in criteria] == [2, 2, 2]
    assert commands == []


def test_what_came_since_the_visit_is_read_when_it_matters(logs: Logs, commands: list[str]) -> None:
    context, (one, *_) = logs.context(), wanted()
    host = begin(context, [one])
    _ = host.facts
    logs.write("ledger lost", level="CRITICAL")
    assert read(context, one).counts["CRITICAL"] == 0  # the visit was just now
    assert read(context, one, fresh=True).counts["CRITICAL"] == 1
    assert len(commands) == 1


def test_a_visit_of_a_while_ago_is_read_on_from(logs: Logs, commands: list[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(fixture, "_FRESH_S", 0.2)
    context, (one, *_) = logs.context(), wanted()
    _ = begin(context, [one]).facts
    logs.write("ledger lost", level="CRITICAL")
    time.sleep(0.3)
    assert read(context, one).counts["CRITICAL"] == 1
    assert len(commands) == 1 and "O=0" not in commands[0]


def test_more_than_fits_into_a_visit_comes_by_a_command_of_its_own(logs: Logs, commands: list[str]) -> None:
    logs.write(*["usual " + "y" * 200] * 6_000)
    logs.write("ledger lost", level="CRITICAL")
    context, (one, *_) = logs.context(), wanted()
    begin(context, [one])
    reading = read(context, one)
    assert (reading.counts["CRITICAL"], reading.counts["lines"]) == (1, 6_002)
    assert len(commands) == 1


def test_a_log_that_may_not_be_read_is_told_from_the_visit(logs: Logs, commands: list[str]) -> None:
    logs.path().unlink()
    context, (one, *_) = logs.context(), wanted()
    begin(context, [one])
    with pytest.raises(CouldNotLook, match=r"api\.log on host app: it is not there"):
        read(context, one)


def test_what_all_criteria_look_for_comes_along(logs: Logs) -> None:
    logs.limit = "200 kB"
    logs.write(*["usual " + "y" * 200] * 2_000)
    logs.write("2FA of ann")
    context = logs.context()
    other = criterion(9, evidence.Params.model_validate({"logs": ["api"], "pattern": "2FA", "forbid": "eyJ.*ey"}))
    criteria = (*wanted(count=1), other)
    object.__setattr__(context, "environment", replace(context.environment, criteria=criteria))
    object.__setattr__(context, "selected", tuple(one.id for one in criteria))
    reading = read(context, criteria[0])
    assert [e.message for e in reading.find(Sought(pattern="2FA")).events] == ["2FA of ann"]
    assert reading.find(Sought(pattern="eyJ.*ey")).incomplete is None
    assert reading.find(Sought(pattern="other")).incomplete is not None


def test_looks_that_came_in_part_are_could_not_look() -> None:
    looks = [LogLook("echo a"), LogLook("echo b"), LogLook("echo c")]
    whole = b"F-begin\na\n\nF-over\nF-begin\nb\n\nF-over\nF-begin\nhal"
    found = LogLook.parse(looks, whole, "F")
    assert [one if isinstance(one, Said) else "cut" for one in found.values()] == [
        Said(mark="F-look", output=b"a\n"),
        Said(mark="F-look", output=b"b\n"),
        "cut",
    ]
    assert all(isinstance(one, CouldNotLook) for one in LogLook.parse(looks, b"", "F").values())


def test_criteria_without_a_start_ask_nothing(logs: Logs) -> None:
    logs.deployed = None
    assert list(log_questions(logs.context(), wanted(since="deployment"))) == []
    assert len(list(log_questions(logs.context(), wanted("api")))) == 1
