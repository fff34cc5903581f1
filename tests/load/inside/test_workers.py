"""A master and its workers: one stream, equal to the sum, and nobody vanishes in silence."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.inside.pressing import plan, press, pressing, scenario, step, terminate
from tests.load.inside.target import Target, target


@pytest.fixture
def server() -> Iterator[Target]:
    with target() as running:
        yield running


def test_four_workers_make_one_result_equal_to_the_sum(server: Target, tmp_path: Path) -> None:
    feed = {"rows": [{"n": number} for number in range(5000)], "order": "in turn"}
    one = scenario(step("GET /ok?n={n}", name="GET /ok"), feed=feed)
    pressed = press(plan(server.url, one, levels=((0, 8), (4, 8)), users=8), tmp_path, workers=4)
    lines = pressed.lines("second")
    by_worker = Counter[str]()
    for line in lines:
        by_worker[line["worker"]] += line["n"]
    assert set(by_worker) == {"w1", "w2", "w3", "w4"}
    assert sum(by_worker.values()) == pressed.count() == len(server.asked)
    assert pressed.failures() == {}
    merged = {second.at: second for second in pressed.seconds()}
    for at, second in merged.items():
        parts = [line for line in lines if line["at"] == at]
        assert second.n == sum(line["n"] for line in parts) == second.histogram.count
        assert second.histogram.max_ms * 1000 == max(line["histogram"]["max_us"] for line in parts)
    # Like dealt cards: no row twice before all were had.
    assert set(server.paths().values()) == {1}
    assert pressed.read().workers == dict.fromkeys(["w1", "w2", "w3", "w4"], "quit")
    assert (pressed.lines()[-1]["kind"], pressed.lines()[-1]["reason"]) == ("ended", "done")
    assert pressed.problems() == []
    assert {state["worker"] for state in pressed.lines("state")} == {"master", "w1", "w2", "w3", "w4"}
    assert len({asked.headers["X-Request-Id"] for asked in server.asked}) == len(server.asked)


def test_workers_share_the_arrivals_of_the_open_model(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0]), model="open", levels=((0, 40), (4, 40)), users=6)
    pressed = press(told, tmp_path, workers=2)
    assert pressed.count() == 160 == len(server.asked)
    shares = Counter[str]()
    for line in pressed.lines("second"):
        shares[line["worker"]] += line["n"]
    assert shares == {"w1": 80, "w2": 80}


def test_a_worker_that_is_killed_is_named_and_the_others_go_on(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 4), (8, 4)))
    with pressing(told, tmp_path, workers=2) as pressed:
        pressed.wait_for(lambda: {line["worker"] for line in pressed.lines("second")} == {"w1", "w2"}, "both")
        pressed.processes["w2"].kill()
        codes = pressed.wait()
    assert codes == {"master": 0, "w1": 0, "w2": -9}
    assert pressed.read().workers == {"w1": "quit", "w2": "lost"}
    assert next(text for text in pressed.read().told() if "w2" in text).startswith("worker w2 was lost after")
    last = max(second.at for second in pressed.seconds())
    assert last >= pressed.lines("began")[0]["at"] + 7
    assert pressed.lines()[-1]["reason"] == "done"


def test_a_worker_that_ends_early_hands_over_and_is_told(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 4), (6, 4)))
    with pressing(told, tmp_path, workers=2) as pressed:
        pressed.wait_for(lambda: {line["worker"] for line in pressed.lines("second")} == {"w1", "w2"}, "both")
        terminate(pressed.processes["w2"])
        assert pressed.wait() == {"master": 0, "w1": 0, "w2": 0}
    assert [text for text in pressed.problems() if text.startswith("worker w2 ended by itself after ")]
    assert pressed.count() + pressed.failures()["unfinished"] == len(server.asked)


def test_a_master_that_is_stopped_gathers_what_workers_have(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0.02]), levels=((0, 6), (60, 6)))
    with pressing(told, tmp_path, workers=2) as pressed:
        pressed.wait_for(lambda: pressed.count() > 50, "it began")
        terminate(pressed.processes["master"])
        assert pressed.wait() == {"master": 0, "w1": 0, "w2": 0}
    assert pressed.count() + pressed.failures()["unfinished"] == len(server.asked)
    assert (pressed.lines()[-1]["kind"], pressed.lines()[-1]["reason"]) == ("ended", "stopped")
    assert pressed.read().workers == {"w1": "quit", "w2": "quit"}
    assert pressed.problems() == []


def test_a_worker_that_answers_no_more_is_lost_and_told(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 4), (60, 4)))
    with pressing(told, tmp_path, workers=2) as pressed:
        pressed.wait_for(lambda: {line["worker"] for line in pressed.lines("second")} == {"w1", "w2"}, "both")
        pressed.processes["w2"].send_signal(signal.SIGSTOP)
        terminate(pressed.processes["master"])
        pressed.wait_for(lambda: pressed.lines("ended"), "it ended without w2")
        assert pressed.processes["w1"].wait(30) == 0
        assert pressed.processes["master"].wait(30) == 0
    assert pressed.read().workers == {"w1": "quit", "w2": "lost"}
    assert pressed.problems() == ["worker w2 did not hand over its last figures"]


def test_all_workers_gone_is_the_end(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 2), (60, 2)))
    with pressing(told, tmp_path, workers=1) as pressed:
        pressed.wait_for(lambda: pressed.count() > 5, "it began")
        pressed.processes["w1"].kill()
        assert pressed.wait() == {"master": 0, "w1": -9}
    assert pressed.lines()[-1]["reason"] == "stopped"
    assert pressed.read().workers == {"w1": "lost"}


def test_a_locustfile_of_ones_own_runs_in_several_workers(server: Target, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from locust import FastHttpUser, constant, task\n"
        "class Mine(FastHttpUser):\n"
        "    wait_time = constant(0.05)\n"
        "    @task\n"
        "    def go(self):\n"
        "        self.client.get('/ok')\n"
    )
    told = plan(server.url, locustfile=str(tmp_path / "mine.py"), levels=((0, 4), (3, 4)))
    pressed = press(told, tmp_path, workers=2)
    assert pressed.count("GET /ok") == len(server.asked) > 50
    assert {line["worker"] for line in pressed.lines("second")} == {"w1", "w2"}
    assert pressed.failures() == {}
