"""Arrivals at a rate: who comes while the server stalls is counted from when it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from golive.judge.load.histogram import Histogram
from tests.load.inside.pressing import Pressed, plan, press, pressing, scenario, step, terminate
from tests.load.inside.target import Target, target


@pytest.fixture
def server() -> Iterator[Target]:
    with target() as running:
        yield running


def both(pressed: Pressed) -> tuple[Histogram, Histogram]:
    """Latencies from the real and from the intended start."""
    real, intended = Histogram(), Histogram()
    for second in pressed.seconds():
        real.merge(second.histogram)
        assert second.intended is not None
        intended.merge(second.intended)
    return real, intended


def test_as_many_arrive_as_are_planned_whoever_is_slow(server: Target, tmp_path: Path) -> None:
    told = plan(
        server.url, scenario(step("GET /slow"), think=[0, 0]), model="open", levels=((0, 20), (3, 20)), users=20
    )
    pressed = press(told, tmp_path)
    assert pressed.count() == 60 == server.count("/slow")
    real, intended = both(pressed)
    assert real.count == intended.count == 60
    assert real.percentile(50) >= 300
    assert pressed.lines("state")[-1]["users"] == 20


def test_who_arrives_while_the_server_stalls_counts_from_its_arrival(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0]), model="open", levels=((0, 50), (4, 50)), users=2)
    with pressing(told, tmp_path) as pressed:
        pressed.wait_for(lambda: len(server.asked) > 20, "it began")
        server.goes_on.clear()
        time.sleep(1.2)
        server.goes_on.set()
        assert pressed.wait() == {"w1": 0}
    assert pressed.count() == 200
    real, intended = both(pressed)
    # Two requests waited for the server, sixty for those two: a closed loop would have told the two.
    assert real.percentile(95) < 500 < real.max_ms
    assert intended.percentile(80) > 300
    assert intended.percentile(95) > 900
    assert intended.max_ms >= real.max_ms - 1
    assert sum(second.late_us for second in pressed.seconds()) > 20 * 500_000
    assert max(state["queued"] for state in pressed.lines("state")) > 5


def test_arrivals_that_found_nobody_free_are_unfinished(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0]), model="open", levels=((0, 30), (60, 30)), users=3)
    with pressing({**told, "timeout": 30}, tmp_path) as pressed:
        pressed.wait_for(lambda: pressed.count() > 10, "it began")
        server.goes_on.clear()
        pressed.wait_for(lambda: any(state["queued"] > 20 for state in pressed.lines("state")), "a queue")
        terminate(pressed.processes["w1"])
        assert pressed.wait() == {"w1": 0}
    assert pressed.failures()["unfinished"] > 23
    assert pressed.count() == len(server.asked) - 3


def test_arrivals_choose_their_scenario_by_weight_and_go_its_whole_way(server: Target, tmp_path: Path) -> None:
    first = scenario(step("GET /ok?a"), step("GET /ok?b"), weight=3, think=[0, 0])
    second = scenario(step("GET /ok?c"), weight=1, think=[0, 0])
    told = plan(server.url, first, second, model="open", levels=((0, 100), (3, 100)), users=10, arrivals="poisson")
    pressed = press(told, tmp_path)
    # Whoever was on its way when the last stage was over did not begin its second request.
    assert 0 <= pressed.count("GET /ok?a") - pressed.count("GET /ok?b") <= 10
    assert 0.6 < pressed.count("GET /ok?a") / (pressed.count("GET /ok?a") + pressed.count("GET /ok?c")) < 0.88
    assert 200 < pressed.count("GET /ok?a") + pressed.count("GET /ok?c") < 400


def test_the_cap_makes_arrivals_wait_and_shows_it(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0]), model="open", levels=((0, 60), (2, 60)), users=5)
    pressed = press({**told, "max_rate": 20}, tmp_path)
    real, intended = both(pressed)
    assert pressed.count() <= 90
    assert real.percentile(50) < 200
    assert intended.percentile(90) > 800
    assert pressed.count() + pressed.failures()["unfinished"] == 120


def test_stages_change_the_rate(server: Target, tmp_path: Path) -> None:
    levels = ((0, 10), (2, 10), (2, 40), (4, 40))
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0]), model="open", levels=levels, users=8)
    threads = threading.active_count()
    pressed = press(told, tmp_path)
    assert pressed.count() == 100
    began = min(asked.at for asked in server.asked)
    assert abs(sum(asked.at - began < 1.95 for asked in server.asked) - 20) <= 3
    assert threading.active_count() <= threads + 10
