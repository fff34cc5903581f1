"""One real process of locust against a real server: what it counts is what was asked."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.inside.pressing import Pressed, plan, press, pressing, scenario, step, terminate
from tests.load.inside.target import Target, nobody, target

TOKEN = "Bearer planted-3f9c2d71-secret"


@pytest.fixture
def server() -> Iterator[Target]:
    with target() as running:
        yield running


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pressed, Target]]:
    """A load of everything that a server may answer."""
    away = "GET /away?http://127.0.0.1:9/gone"
    requests = ["/ok", "/error", "/slow", "/reset", "/half", "/large", "/rubbish", "/chunks", "/early"]
    each = [step(f"GET {path}", name=f"GET {path}") for path in requests]
    other = [
        step(away, name="GET /away"),
        step("HEAD /ok", name="HEAD /ok"),
        step("GET /ok", name="GET /ok wants 201", status=[201]),
        step("POST /things", body={"sku": "{sku}"}, status=[201], save={"id": "data.id"},
             clean_up="DELETE /things/{id}"),
        step("GET /things/{id}", name="GET /things/{id}"),
        step("POST /ok", name="POST saves what is not there", save={"none": "data.id"}),
    ]  # fmt: skip
    feed = {"rows": [{"sku": "a b"}, {"sku": "c"}], "order": "in turn"}
    headers = {"Authorization": TOKEN}
    first = scenario(*each, think=[0, 0.01], name="answers")
    second = scenario(*other, feed=feed, headers=headers, **{"as": "cashier"}, think=[0, 0.01])
    with target() as running:
        told = plan(running.url, first, second, levels=((0, 6), (3, 6)), timeout=1.0)
        yield press(told, tmp_path_factory.mktemp("mixed")), running


def test_every_request_that_was_asked_is_counted(mixed: tuple[Pressed, Target]) -> None:
    pressed, server = mixed
    asked = server.paths()
    assert pressed.count("GET /error") == asked["/error"] > 0
    assert pressed.count("GET /large") == asked["/large"] > 0
    assert pressed.count("GET /away") == asked["/away?http://127.0.0.1:9/gone"] > 0
    assert pressed.count("GET /things/{id}") > 0
    whole = sum(second.n for second in pressed.seconds()) + pressed.failures()["unfinished"]
    # One that the server had not read when it was given up may be missing there.
    repeated = asked["/reset"] - pressed.count("GET /reset")
    assert 0 <= whole - (len(server.asked) - repeated) <= 6


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("GET /ok", None),
        ("GET /slow", None),
        ("GET /large", None),
        ("GET /chunks", None),
        ("GET /early", None),
        ("GET /away", None),
        ("HEAD /ok", None),
        ("POST /things", None),
        ("GET /error", "500"),
        ("GET /reset", "reset"),
        ("GET /half", "reset"),
        ("GET /rubbish", "other: HTTPParseError"),
        ("GET /ok wants 201", "200"),
        ("POST saves what is not there", "failed"),
    ],
)
def test_each_failure_has_its_kind(mixed: tuple[Pressed, Target], name: str, kind: str | None) -> None:
    failures = mixed[0].failures(name)
    del failures["unfinished"]
    assert failures == ({} if kind is None else {kind: mixed[0].count(name)})
    assert mixed[0].count(name) > 0


def test_latencies_are_those_of_the_server(mixed: tuple[Pressed, Target]) -> None:
    slow = [second.histogram for second in mixed[0].seconds("GET /slow")]
    assert min(histogram.percentile(1) for histogram in slow) >= 300
    assert min(histogram.percentile(50) for histogram in slow) < 600


def test_a_redirect_is_an_answer_and_not_followed(mixed: tuple[Pressed, Target]) -> None:
    assert mixed[0].failures("GET /away")["302"] == 0
    assert not [path for path in mixed[1].paths() if "gone" in path and not path.startswith("/away")]


def test_whoever_reads_the_servers_log_sees_who_asked(mixed: tuple[Pressed, Target]) -> None:
    headers = [asked.headers for asked in mixed[1].asked]
    assert {each["User-Agent"] for each in headers} == {"golive-load-test"}
    ids = Counter(each["X-Request-Id"] for asked, each in zip(mixed[1].asked, headers, strict=True)
                  if asked.path != "/reset")  # fmt: skip
    assert set(ids.values()) == {1}
    assert all(each.startswith("run-7-w1-") for each in ids)


def test_a_session_goes_with_its_own_scenario_only(mixed: tuple[Pressed, Target]) -> None:
    tokens = {asked.path: asked.headers.get("Authorization") for asked in mixed[1].asked if asked.path != "/ok"}
    assert tokens["/things"] == TOKEN
    assert tokens["/slow"] is None


def test_a_feed_is_taken_in_turn_and_put_into_the_body(mixed: tuple[Pressed, Target]) -> None:
    bodies = [json.loads(asked.body)["sku"] for asked in mixed[1].asked if asked.path == "/things"]
    counts = Counter(bodies)
    assert set(counts) == {"a b", "c"}
    assert abs(counts["a b"] - counts["c"]) <= 6


def test_what_was_made_is_told_with_how_it_is_undone(mixed: tuple[Pressed, Target]) -> None:
    pressed, server = mixed
    made = pressed.lines("made")
    assert len(made) == pressed.count("POST /things")
    assert {line["as"] for line in made} == {"cashier"}
    assert len({line["clean_up"] for line in made}) == len(made)
    assert made[0]["clean_up"].startswith("DELETE /things/")
    assert server.count("/things") - len(made) <= 6


def test_an_answer_without_the_value_is_a_problem(mixed: tuple[Pressed, Target]) -> None:
    assert "POST saves what is not there: the answer has no data.id" in mixed[0].problems()
    assert "GET /away was redirected (302), is the session over? If not, give its 'status'" in mixed[0].problems()


def test_the_stream_is_whole_and_in_order(mixed: tuple[Pressed, Target]) -> None:
    lines = mixed[0].lines()
    assert lines[0]["kind"] == "began"
    assert (lines[-1]["kind"], lines[-1]["reason"]) == ("ended", "done")
    assert 2.9 <= lines[-1]["at"] - lines[0]["at"] < 8
    states = mixed[0].lines("state")
    assert {state["users"] for state in states} == {6}
    assert {state["level"] for state in states} == {6.0}
    assert any(state["cpu"] > 0 for state in states)
    # Whoever is still waiting when the last stage is over was asked in its time: no second comes after it.
    assert max(second.at for second in mixed[0].seconds()) <= lines[0]["at"] + 3.2


def test_no_secret_is_in_what_it_wrote(mixed: tuple[Pressed, Target]) -> None:
    folder = mixed[0].stream.parent
    for file in folder.iterdir():
        assert b"planted" not in file.read_bytes(), file


def test_a_request_has_a_time_limit_as_a_whole(server: Target, tmp_path: Path) -> None:
    steps = [step("GET /never"), step("GET /drips")]
    pressed = press(plan(server.url, scenario(*steps), levels=((0, 2), (2, 2)), timeout=0.4), tmp_path)
    for name in ("GET /never", "GET /drips"):
        failures = pressed.failures(name)
        assert set(failures) <= {"timeout", "unfinished"}
        assert failures["timeout"] == pressed.count(name) > 0
        assert min(second.histogram.percentile(1) for second in pressed.seconds(name)) >= 395


def test_requests_that_hang_when_the_last_stage_is_over_are_time_outs(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /never")), levels=((0, 3), (2, 3)), timeout=3.0)
    pressed = press(told, tmp_path)
    assert pressed.failures() == {"timeout": 3}
    (second,) = pressed.seconds()
    began = pressed.lines("began")[0]["at"]
    # They belong to the stage that they were asked in.
    assert began <= second.at + 0.5 < began + 2


def test_a_server_that_refuses_is_not_asked_without_a_pause(tmp_path: Path) -> None:
    pressed = press(plan(nobody(), scenario(step("GET /x"), think=[0, 0]), levels=((0, 3), (1.5, 3))), tmp_path)
    assert pressed.failures() == {"refused": pressed.count()}
    assert 3 <= pressed.count() <= 3 * 17


def test_a_cap_on_requests_per_second_holds_in_every_second(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0]), levels=((0, 8), (3, 8)), max_rate=30)
    pressed = press(told, tmp_path)
    times = sorted(asked.at for asked in server.asked)
    # The server's own clock saw them, a little later each: a second of it holds a few more at the most.
    assert max(sum(at <= other < at + 0.95 for other in times) for at in times) <= 33
    assert 70 <= pressed.count() <= 95


def test_what_is_on_its_way_when_it_is_stopped_is_told_and_not_counted(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), think=[0, 0.05]), levels=((0, 4), (60, 4)), timeout=30)
    with pressing(told, tmp_path) as pressed:
        pressed.wait_for(lambda: pressed.count() > 20, "it began")
        server.goes_on.clear()
        asked = len(server.asked)
        pressed.wait_for(lambda: len(server.asked) >= asked + 1, "asked while it stalls")
        time.sleep(0.5)
        began = time.monotonic()
        terminate(pressed.processes["w1"])
        assert pressed.wait() == {"w1": 0}
    assert time.monotonic() - began < 5
    assert pressed.failures() == {"unfinished": 4}
    assert pressed.count() == len(server.asked) - 4
    assert pressed.lines()[-1]["reason"] == "stopped"


def test_a_ramp_and_a_spike_have_the_users_that_are_planned(server: Target, tmp_path: Path) -> None:
    levels = ((0, 0), (2, 8), (3, 8), (3, 20), (5, 20), (5, 2), (7, 2))
    pressed = press(plan(server.url, scenario(step("GET /ok")), levels=levels), tmp_path)
    began = pressed.lines("began")[0]["at"]
    users = {round(state["at"] - began): state["users"] for state in pressed.lines("state")}
    assert max(users.values()) == 20
    assert [state["users"] for state in pressed.lines("state")][-1] == 2
    assert 1 <= min(users.values()) <= 8
    assert pressed.failures() == {}


def test_killed_it_leaves_what_it_had_written(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 4), (60, 4)))
    with pressing(told, tmp_path) as pressed:
        pressed.wait_for(lambda: len(pressed.lines("second")) > 1, "two seconds")
        pressed.processes["w1"].kill()
        assert pressed.wait() == {"w1": -9}
    assert pressed.read().ended_at is None
    assert pressed.count() > 20


def test_a_plan_that_cannot_be_run_ends_it_with_the_reason(tmp_path: Path) -> None:
    told = plan("http://127.0.0.1:1", scenario(step("GET /x"), headers={"Authorization": TOKEN}))
    with pressing({**told, "allowed_hosts": ["http://127.0.0.1:2"]}, tmp_path) as pressed:
        assert pressed.wait() == {"w1": 1}
    assert "http://127.0.0.1:1 is not among the allowed hosts" in pressed.said()
    assert "planted" not in pressed.said()
    assert not pressed.stream.exists()


def test_the_process_list_holds_no_secret(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok"), headers={"Authorization": TOKEN}), levels=((0, 1), (30, 1)))
    with pressing(told, tmp_path) as pressed:
        pressed.wait_for(lambda: server.asked, "the first request")
        at = Path("/proc") / str(pressed.processes["w1"].pid)
        assert server.asked[0].headers["Authorization"] == TOKEN
        assert b"planted" not in (at / "cmdline").read_bytes()
        assert b"planted" not in (at / "environ").read_bytes()
        assert os.path.exists(at)  # noqa: PTH110 - it was there all the time


def test_what_cannot_be_written_is_not_gone_on_with(server: Target, tmp_path: Path) -> None:
    (tmp_path / "stream.jsonl").symlink_to("/dev/full")
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 4), (60, 4)))
    with pressing(told, tmp_path) as pressed:
        assert pressed.wait()["w1"] != 0
    assert "No space left on device" in pressed.said()
    assert len(server.asked) < 100
