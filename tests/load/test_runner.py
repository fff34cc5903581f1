"""Real loads by real locust processes against a small shop on loopback."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from golive.judge.load.permission import LoadRefused
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook
from load import runner, workers
from load.workers import Crew
from tests.load.processes import all_gone, below, comes_true
from tests.load.targets import READ, SESSIONS, TOKEN, WRITE, Target, section, target

LONG = [{"ramp": "200 ms", "users": 4}, {"hold": "60 s"}]
QUIET = {"abort_on": [{"errors": "100 %", "over": "60 s", "min_requests": 1_000_000}]}


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    before = set(below(os.getpid()))
    yield
    assert all_gone(set(below(os.getpid())) - before, 1)


def press(environment: Any, directory: Path, **more: Any) -> LoadResult:
    profile = environment.load.profiles["steady"]
    given = {"sessions": SESSIONS, "directory": directory, "user_agent": "golive-test/1", "run": "run-7", **more}
    return runner.run("steady", profile, environment, **given)


def after(seconds: float, action: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer


def crews(monkeypatch: pytest.MonkeyPatch) -> list[Crew]:
    """The crews that are started from now on."""
    found: list[Crew] = []
    start = workers.Start.crew

    def started(self: workers.Start, *given: Any) -> Crew:
        found.append(start(self, *given))
        return found[-1]

    monkeypatch.setattr(workers.Start, "crew", started)
    return found


def test_a_load_is_made_measured_written_and_cleaned_up(shop: Target, tmp_path: Path) -> None:
    shown: list[str] = []
    result = press(section(shop.url, READ, WRITE), tmp_path / "steady", progress=shown.append)
    assert (result.stopped, result.problems) == ("", ())
    totals = result.window(with_warm_up=True)
    asked = shop.count("GET ") + shop.count("POST ")
    assert totals.failed() == 0
    assert 20 < totals.n <= asked <= totals.n + totals.failures["unfinished"] + 4
    assert result.names == ("GET /orders", "POST /orders")
    assert (shop.orders, shop.count("DELETE ")) == (set(), shop.made)
    assert len(shown) >= 2
    assert shown[-1].startswith("load steady  0:0")

    rows = list(csv.DictReader((tmp_path / "steady" / "seconds.csv").read_text().splitlines()))
    assert sum(int(row["n"]) for row in rows) == totals.n
    assert any(row["users"] == "4" for row in rows)
    assert LoadResult.from_data(json.loads((tmp_path / "steady" / "result.json").read_text())) == result


def test_requests_can_be_told_from_those_of_others_and_secrets_are_not_written(shop: Target, tmp_path: Path) -> None:
    press(section(shop.url, WRITE), tmp_path)
    for _, headers in shop.asked:
        assert headers["User-Agent"] == "golive-test/1"
        assert headers["X-Request-Id"].startswith("run-7-")
        assert headers["Authorization"] == TOKEN
    ids = [headers["X-Request-Id"] for _, headers in shop.asked]
    assert len(set(ids)) == len(ids)
    written = "".join(file.read_text() for file in tmp_path.iterdir())
    assert TOKEN.split()[1] not in written


def test_the_session_is_on_no_command_line_and_in_no_environment(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = crews(monkeypatch)
    seen: list[bytes] = []

    def look() -> None:
        for number in (crew[0].main.pid,):  # type: ignore[attr-defined]
            seen.append(b"".join(Path(f"/proc/{number}/{what}").read_bytes() for what in ("cmdline", "environ")))

    press(section(shop.url, WRITE), tmp_path, guards=lambda: look() if not seen else None)
    assert seen
    assert TOKEN.split()[1].encode() not in seen[0]


def test_four_workers_give_one_result_that_is_their_sum(shop: Target, tmp_path: Path) -> None:
    result = press(
        section(shop.url, READ, processes=4, stages=[{"ramp": "1 s", "users": 8}, {"hold": "3 s"}]), tmp_path
    )
    assert (result.stopped, result.problems) == ("", ())
    assert dict(result.workers) == {f"w{number}": "quit" for number in range(1, 5)}
    lines = [json.loads(line) for line in (tmp_path / "stream.jsonl").read_text().splitlines()]
    seconds = [line for line in lines if line["kind"] == "second"]
    assert {line["worker"] for line in seconds} == {"w1", "w2", "w3", "w4"}
    totals = result.window(with_warm_up=True)
    assert totals.n == sum(line["n"] for line in seconds) > 50
    assert totals.n <= shop.count("GET ") <= totals.n + totals.failures["unfinished"] + 8
    sums = sum(line["histogram"]["sum_us"] for line in seconds)
    assert totals.histogram.as_data()["sum_us"] == sums


def crossed_at(shop: Target, broken_at: float) -> float:
    """When half of the last three seconds' requests had failed, as the shop itself has it."""
    for at in shop.times:
        within = [one for one in shop.times if at - 3 < one <= at]
        if len(within) >= 20 and 2 * sum(one > broken_at for one in within) >= len(within):
            return at
    raise AssertionError("half of them never failed")


def test_errors_stop_it_within_five_seconds_of_crossing(shop: Target, tmp_path: Path) -> None:
    broken: list[float] = []

    def break_it() -> None:
        shop.status = 503
        broken.append(time.time())

    environment = section(shop.url, READ, stages=LONG, abort_on=[{"errors": "50 %", "over": "3 s", "min_requests": 20}])
    after(3, break_it)
    result = press(environment, tmp_path)
    assert result.stopped.startswith("errors ")
    assert result.stopped.endswith(", abort_on says 50 %")
    assert shop.times[-1] - crossed_at(shop, broken[0]) < 5
    assert result.window(with_warm_up=True).failures["503"] > 0
    assert result.lasted_s < 15


def test_workers_stop_with_it(shop: Target, tmp_path: Path) -> None:
    environment = section(shop.url, READ, stages=LONG, processes=2)
    asked_at: list[float] = []

    def guard() -> str | None:
        if len(shop.times) < 40:
            return None
        asked_at.append(time.time())
        return "the shop asks for mercy"

    result = press(environment, tmp_path, guards=guard)
    assert result.stopped == "the shop asks for mercy"
    assert shop.times[-1] - asked_at[0] < 5
    assert result.window(with_warm_up=True).n >= 40


def test_what_it_made_is_taken_back_after_it_was_stopped(shop: Target, tmp_path: Path) -> None:
    result = press(section(shop.url, WRITE, stages=LONG), tmp_path, guards=lambda: "enough" if shop.made > 20 else None)
    assert result.stopped == "enough"
    assert shop.made > 20
    left = shop.orders
    # What was on its way when it was stopped was answered to nobody: at most one for each user.
    assert len(left) <= 4
    assert shop.count("DELETE ") == shop.made - len(left)
    ledger = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert sum(entry.get("done", False) for entry in ledger) == shop.count("DELETE ")


def test_what_cannot_be_taken_back_is_a_problem_of_the_load(shop: Target, tmp_path: Path) -> None:
    shop.keeps = True
    result = press(section(shop.url, WRITE), tmp_path)
    assert any(text.startswith("test data was left behind: DELETE /orders/") for text in result.problems)


def test_a_killed_worker_is_named_and_the_rest_goes_on(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = crews(monkeypatch)
    killed: list[float] = []

    def kill() -> str | None:
        if len(shop.times) > 30 and not killed:
            killed.append(time.time())
            crew[0].workers[1].end()
        return None

    environment = section(shop.url, READ, processes=2, stages=[{"ramp": "200 ms", "users": 4}, {"hold": "8 s"}])
    result = press(environment, tmp_path, guards=kill)
    assert result.lost == ("w2",)
    assert result.workers["w1"] == "quit"
    assert any(text.startswith("worker w2 was lost after ") for text in result.problems)
    assert result.stopped == ""
    assert shop.times[-1] - killed[0] > 2


def test_without_any_worker_it_stops(shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = crews(monkeypatch)

    def kill() -> str | None:
        if len(shop.times) > 30:
            for worker in crew[0].workers:
                worker.end()
        return None

    result = press(section(shop.url, READ, processes=2, stages=LONG), tmp_path, guards=kill)
    assert result.stopped == "every worker is gone"
    assert set(result.lost) == {"w1", "w2"}


def test_a_generator_that_dies_is_told(shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = crews(monkeypatch)

    def kill() -> str | None:
        if len(shop.times) > 30:
            crew[0].main.end()
        return None

    result = press(section(shop.url, READ, stages=LONG), tmp_path, guards=kill)
    assert result.stopped.startswith("locust ended with exit code -9")
    assert result.window(with_warm_up=True).n > 0


def test_a_target_that_is_not_allowed_is_refused_before_the_first_request(shop: Target, tmp_path: Path) -> None:
    environment = section("http://127.0.0.1:1", READ)
    other = environment.endpoints["api"].model_copy(update={"url": shop.url})
    profile = environment.load.profiles["steady"].model_copy(update={"endpoint": "other"})
    load = environment.load.model_copy(update={"profiles": {"steady": profile}})
    both = {"endpoints": {**environment.endpoints, "other": other}, "load": load}
    with pytest.raises(LoadRefused, match="other"):
        press(environment.model_copy(update=both), tmp_path / "never")
    assert shop.asked == []
    assert not (tmp_path / "never").exists()


def test_outside_of_its_hours_it_is_refused(shop: Target, tmp_path: Path) -> None:
    environment = section(shop.url, READ, load={"hours": ["22:00-05:00"]})
    with pytest.raises(LoadRefused):
        press(environment, tmp_path, now=lambda: datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert shop.asked == []


def test_without_locust_it_says_what_to_install(shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(CouldNotLook, match=r"^load needs locust: pip install 'golive\[load\]'$"):
        press(section(shop.url, READ), tmp_path)


def test_data_of_another_load_is_not_added_to(shop: Target, tmp_path: Path) -> None:
    (tmp_path / "stream.jsonl").write_text("")
    with pytest.raises(CouldNotLook, match=r"holds the data of another load$"):
        press(section(shop.url, READ), tmp_path)
    assert shop.asked == []


def test_without_a_session_it_does_not_begin(shop: Target, tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"^scenario writer: account ann has no session$"):
        press(section(shop.url, WRITE), tmp_path, sessions={})


def test_a_locust_that_cannot_begin_says_why(shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no fuel')\n")
    monkeypatch.setattr(workers, "_LOCUSTFILE", broken)
    with pytest.raises(CouldNotLook, match=r"^load steady did not begin: locust ended with exit code 1: no fuel$"):
        press(section(shop.url, READ), tmp_path / "steady")


STUBBORN = """\
import json, signal, sys, time
plan = json.loads(sys.stdin.readline())
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
with open(plan["stream"], "a") as stream:
    stream.write(LINES)
time.sleep(100)
"""


def stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A load process that writes these lines, and then neither works nor ends."""
    file = tmp_path / "stubborn.py"
    file.write_text(STUBBORN.replace("LINES", repr("".join(f"{line}\n" for line in lines))))
    monkeypatch.setattr(workers, "_LOCUSTFILE", file)
    monkeypatch.setattr(workers, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(runner, "_GRACE_S", 0.0)


def test_it_never_outlives_its_time_and_what_does_not_listen_is_killed(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn(tmp_path, monkeypatch, json.dumps({"kind": "began", "at": time.time()}))
    environment = section(shop.url, READ, stages=[{"ramp": "1 s", "users": 1}], timeout="1 s")
    result = press(environment, tmp_path / "steady")
    assert result.stopped == "it was not over 2 s after its beginning"


def test_a_record_that_cannot_be_read_stops_it(shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn(tmp_path, monkeypatch, json.dumps({"kind": "began", "at": time.time()}), '{"kind": "second", "n": "many"}')
    result = press(section(shop.url, READ, stages=LONG), tmp_path / "steady")
    assert result.stopped.startswith("a line of kind second cannot be understood")


def test_an_error_of_a_guard_leaves_nothing_behind(shop: Target, tmp_path: Path) -> None:
    def guard() -> str | None:
        if shop.made > 5:
            raise RuntimeError("the guard broke")
        return None

    with pytest.raises(RuntimeError, match="the guard broke"):
        press(section(shop.url, WRITE, stages=LONG), tmp_path, guards=guard)
    assert comes_true(lambda: len(shop.orders) <= 4, 2)
