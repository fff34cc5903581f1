"""load/resources, load/connections, load/growth and load/responsive on what somebody saw beside a load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from checks.load import connections, growth, resources, responsive
from fixtures.load_params import Loaded, LoadParams
from fixtures.load_watched import Seen
from golive.environment.sections import ServicesSection
from golive.judge.load.result import LoadResult
from golive.model import Status
from tests.checks.load.made import BEGAN, judge, loaded, profile, steady
from tests.judged import Judged, run_context

HOST: dict[str, Any] = {"host": "app", "cpu": 80, "memory": 90}
DATABASE: dict[str, Any] = {"database": "main"}
ASKED: dict[str, Any] = {"endpoint": "web", "requests": ["GET /dashboard"], "critical": "1 s"}
GROWS: dict[str, Any] = {"services": "all"}
LONG = profile({"ramp": "2 s", "users": 5}, {"hold": "4 s"}, {"soak": "40 s"})


def points(values: Sequence[float], *, first: float = 2.0, every: float = 2.0) -> list[tuple[float, float]]:
    """Looks at times after the beginning of the load."""
    return [(BEGAN + first + every * i, value) for i, value in enumerate(values)]


def seen(found: LoadResult, check: ModuleType, keys: Mapping[str, Any], **what: Any) -> Loaded:
    """The load with what was seen of what the criterion watches."""
    params: LoadParams = check.Params.model_validate({"profile": "noon", **keys})
    watched = params.watched()
    assert watched is not None
    return loaded(found, seen={watched: Seen(**what)})


def beside(check: ModuleType, keys: Mapping[str, Any], found: LoadResult | None = None, **what: Any) -> Judged:
    return judge(check, seen(found or steady(), check, keys, **what), **keys)


# Resources


def test_a_host_with_something_left_passes() -> None:
    outcome = beside(resources, HOST, values={"cpu": points([50, 60, 95, 55]), "memory": points([40, 41, 42, 41])})
    assert outcome.status is Status.PASS
    assert (outcome.value("cpu under load"), outcome.value("memory under load")) == (65, 41)
    assert "6 s 95" in outcome.seen


@pytest.mark.parametrize(("cpu", "memory", "told"), [(85, 40, "CPU"), (50, 95, "memory")])
def test_a_host_that_is_used_up_fails(cpu: float, memory: float, told: str) -> None:
    outcome = beside(resources, HOST, values={"cpu": points([cpu] * 4), "memory": points([memory] * 4)})
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith(f"{told} of host app under load: ")


def test_the_highest_look_may_be_judged() -> None:
    keys = {"host": "app", "cpu": 80, "by": "highest"}
    outcome = beside(resources, keys, values={"cpu": points([50, 60, 95, 55])})
    assert outcome.status is Status.FAIL
    assert "(highest of 4 looks, 95 at most)" in outcome.message


def test_looks_outside_of_the_load_or_the_phase_do_not_count() -> None:
    early_and_late = {"cpu": [*points([99] * 3, first=-9), *points([50] * 4), *points([99] * 3, first=20)]}
    keys = {"host": "app", "cpu": 80}
    assert beside(resources, keys, values=early_and_late).value("cpu under load") == 50
    ramp = {"cpu": [*points([99], first=1), *points([50] * 4, first=3)]}
    assert beside(resources, {**keys, "phase": "hold 1"}, values=ramp).value("cpu under load") == 50


@pytest.mark.parametrize("found", [steady(), steady(lasted_s=3.0, stopped="it hurt")])
def test_too_few_looks_are_unknown_and_say_why(found: LoadResult) -> None:
    problems = [(BEGAN + 1.0, "host app: refused the connection")] * 2
    outcome = beside(resources, HOST, found, values={"cpu": points([50])}, problems=problems)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message.startswith("only 1 looks (2x host app: refused the connection), 3 are needed")
    assert ("it hurt" in outcome.message) is bool(found.stopped)


def test_a_few_looks_do_not_speak_for_many_that_failed() -> None:
    problems = [(BEGAN + 5.0 + at / 10, "app cannot be reached") for at in range(9)]
    outcome = beside(resources, HOST, values={"cpu": points([20] * 3), "memory": points([20] * 3)}, problems=problems)
    assert (outcome.status, outcome.message) == (Status.UNKNOWN, "most looks failed: 9x app cannot be reached")
    few = beside(resources, HOST, values={"cpu": points([20] * 3), "memory": points([20] * 3)}, problems=problems[:3])
    assert few.status is Status.PASS


def test_limits_that_nothing_breaks_are_refused() -> None:
    for keys in ({}, {"cpu": 100}, {"cpu": 80, "memory": 100}):
        assert resources.Params.model_validate({"profile": "noon", "host": "app", **keys}).asserts_nothing()


# Connections


def test_connections_are_judged_by_the_highest_look() -> None:
    outcome = beside(connections, DATABASE, values={"connections": points([10, 40, 20])})
    assert outcome.status is Status.PASS
    assert outcome.value("connections in use under load") == 40
    full = beside(connections, DATABASE, values={"connections": points([10, 100, 20])})
    assert full.status is Status.FAIL
    assert full.message.startswith("connections in use under load: 100 %, below 80 % needed (highest of 3 looks)")


def test_a_database_that_was_not_reached_is_unknown() -> None:
    outcome = beside(connections, DATABASE, problems=[(BEGAN + 3.0, "database main is unreachable")])
    assert outcome.status is Status.UNKNOWN
    assert "only 0 looks (database main is unreachable), 3 are needed" in outcome.message


# Growth


def grown(tmp_path: Path, found: LoadResult | None = None, *, keys: Mapping[str, Any] = GROWS, **what: Any) -> Judged:
    services = {"all": ServicesSection(kind="supervisor", host="app", expected=("api", "worker"))}
    context = run_context(tmp_path, services=services)
    run = seen(found or steady(of=LONG), growth, keys, **what)
    try:
        return judge(growth, loaded(run.result, LONG, seen=run.seen), {"context": context}, **keys)
    finally:
        assert context.close() == []


FLAT = points([50.0, 50.1, 49.9, 50.0, 50.1] * 4)
LEAK = points([50.0 + i for i in range(20)])
CACHE = points([50.0 + min(i, 6) * 3 for i in range(20)], first=7)


def test_memory_that_stays_passes(tmp_path: Path) -> None:
    outcome = grown(tmp_path, values={"api": FLAT, "worker": FLAT})
    assert outcome.status is Status.PASS
    assert outcome.message == "2 services, none of which grows steadily by more than 10 %"
    assert "worker: 6 s 49.9" in outcome.seen


def test_memory_that_grows_steadily_fails(tmp_path: Path) -> None:
    outcome = grown(tmp_path, values={"api": FLAT, "worker": LEAK})
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("steady growth of the memory of worker: ")
    assert "steadily, 30 MB a minute over " in outcome.message


def test_memory_that_rises_from_next_to_nothing_fails(tmp_path: Path) -> None:
    """The line through it begins below zero, so that there is no share to tell."""
    outcome = grown(tmp_path, values={"api": FLAT, "worker": points([1.0 + i**2 / 2 for i in range(20)])})
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("memory of worker rises from next to nothing (")


def test_a_cache_that_fills_up_or_a_little_noise_is_no_leak(tmp_path: Path) -> None:
    assert grown(tmp_path, values={"api": FLAT, "worker": CACHE}).status is Status.PASS
    keys = {**GROWS, "noise": "100 MB"}
    assert grown(tmp_path, keys=keys, values={"api": FLAT, "worker": LEAK}).status is Status.PASS


def test_growth_is_that_of_the_longest_soak(tmp_path: Path) -> None:
    """Memory follows the load up the ramp; that is no leak."""
    rising = [(BEGAN + at, 50.0 + 5 * min(at, 6)) for at in range(0, 46, 2)]
    assert grown(tmp_path, values={"api": rising, "worker": rising}).status is Status.PASS


def test_too_few_looks_leave_that_service_unknown(tmp_path: Path) -> None:
    stopped = steady(of=LONG, lasted_s=12.0, stopped="it hurt")
    outcome = grown(tmp_path, stopped, values={"api": FLAT, "worker": LEAK})
    assert outcome.status is Status.UNKNOWN
    assert "memory of api: 4 of at least 5 points (the load was stopped: it hurt)" in outcome.message
    assert grown(tmp_path, values={"api": FLAT}).status is Status.UNKNOWN
    assert grown(tmp_path, keys={**GROWS, "only": ["api"]}, values={"api": FLAT}).status is Status.PASS


def test_a_load_that_never_came_to_its_soak_is_unknown(tmp_path: Path) -> None:
    outcome = grown(tmp_path, steady(of=LONG, lasted_s=5.0, stopped="it hurt"), values={"api": FLAT, "worker": LEAK})
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "the load never came to soak 1 (the load was stopped: it hurt)"


def test_a_service_that_was_started_anew_is_unknown(tmp_path: Path) -> None:
    began_anew = [(BEGAN + 20.0, "worker was started anew")]
    outcome = grown(tmp_path, values={"api": FLAT, "worker": FLAT}, faults=began_anew)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "worker was started anew"


def test_growth_without_a_steady_part_or_of_a_strange_service_is_refused(tmp_path: Path) -> None:
    params = growth.Params.model_validate({"profile": "noon", **GROWS})
    ramp_only = profile({"ramp": "9 s", "users": 9})
    assert "neither a soak nor a hold" in str(params.unfit_for(ramp_only))
    services = {"all": ServicesSection(kind="supervisor", host="app", expected=("api", "worker"))}
    context = run_context(tmp_path, services=services)
    strange = growth.Params.model_validate({"profile": "noon", **GROWS, "only": ["wroker"]})
    assert "worker" in str(strange.unfit(context.environment.section))
    assert context.close() == []


# Responsive


def test_what_is_answered_in_time_passes() -> None:
    outcome = beside(responsive, ASKED, values={"GET /dashboard": points([20, 30, 25], every=1)})
    assert outcome.status is Status.PASS
    assert outcome.value("slowest GET /dashboard under load") == 30


def test_what_is_slow_or_wrong_under_load_fails() -> None:
    slow = beside(responsive, ASKED, values={"GET /dashboard": points([20, 1500, 25], every=1)})
    assert slow.status is Status.FAIL
    assert "1500 ms, below 1000 ms needed (slowest of 3)" in slow.message
    faults = [(BEGAN + 5.0, "GET /dashboard at web answered 500"), (BEGAN + 6.0, "web did not answer within 5 s")]
    wrong = beside(responsive, ASKED, values={"GET /dashboard": points([20])}, faults=faults)
    assert wrong.status is Status.FAIL
    assert wrong.message.startswith("2 of 3 requests failed under load: GET /dashboard at web answered 500, web did")
    assert "5.0 s  GET /dashboard at web answered 500" in wrong.seen
    lenient = {**ASKED, "max_errors": 2}
    good = {"GET /dashboard": points([20, 30, 25])}
    assert beside(responsive, lenient, values=good, faults=faults).status is Status.PASS


def test_too_few_answers_are_unknown() -> None:
    outcome = beside(responsive, ASKED, values={"GET /dashboard": points([20, 30])})
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "only 2 looks, 3 are needed"


def test_a_first_answer_that_comes_in_meanwhile_does_not_break_a_guard() -> None:
    class Growing(list[tuple[float, float]]):
        def __iter__(self) -> Iterator[tuple[float, float]]:
            values.setdefault("GET /other", points([20]))
            return super().__iter__()

    values: dict[str, list[tuple[float, float]]] = {"GET /dashboard": Growing(points([20, 30]))}
    params = responsive.Params.model_validate({"profile": "noon", **ASKED})
    assert params.broken(Seen(values=values)) is None


# What they share


@pytest.mark.parametrize(
    ("check", "keys"), [(resources, HOST), (connections, DATABASE), (responsive, ASKED)], ids=["host", "db", "asked"]
)
def test_what_nobody_looked_at_is_unknown(check: ModuleType, keys: dict[str, Any]) -> None:
    outcome = judge(check, loaded(steady()), **keys)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "nobody looked while noon ran"


def test_what_was_seen_of_half_a_load_is_unknown() -> None:
    lost = steady(workers={"w1": "quit", "w2": "lost"}, problems=("worker w2 was lost after 3 s",))
    outcome = beside(connections, DATABASE, lost, values={"connections": points([10, 40, 20])})
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "worker w2 was lost after 3 s"


GUARDS: list[tuple[ModuleType, dict[str, Any], dict[str, Any], str]] = [
    (resources, HOST, {"values": {"cpu": points([50, 85, 90, 95])}}, "cpu of host app at 95 %, below 80 % needed"),
    (resources, HOST, {"values": {"cpu": points([95, 95, 50])}}, "None"),
    (resources, HOST, {"values": {"cpu": points([95, 95])}}, "None"),
    (connections, DATABASE, {"values": {"connections": points([20, 90, 91])}}, "91 % of the connections of main in"),
    (connections, DATABASE, {"values": {"connections": points([20, 20, 91])}}, "None"),
    (responsive, ASKED, {"values": {"GET /dashboard": points([20, 1200])}}, "GET /dashboard took 1200 ms while"),
    (responsive, ASKED, {"faults": [(BEGAN + 1.0, "web refused")]}, "web refused while the load lasted"),
    (responsive, ASKED, {"values": {"GET /dashboard": points([20, 120])}}, "None"),
]


@pytest.mark.parametrize(("check", "keys", "what", "told"), GUARDS)
def test_a_guard_says_when_to_stop(check: ModuleType, keys: dict[str, Any], what: Any, told: str) -> None:
    params: LoadParams = check.Params.model_validate({"profile": "noon", **keys, "guard": True})
    assert str(params.broken(Seen(**what))).startswith(told)
