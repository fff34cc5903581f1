"""A locustfile of the user's own, measured and kept in bounds as ours are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.load.inside.pressing import Plan, plan, press, pressing
from tests.load.inside.target import Target, nobody, target

USERS = """
import os
from locust import FastHttpUser, HttpUser, constant, task

class Fast(FastHttpUser):
    wait_time = constant(0.05)
    @task
    def go(self):
        self.client.get("/ok?n=1", name="/ok")
        self.client.get("/error")
        self.client.get("/never")
        with self.client.get("/ok", name="/checked", catch_response=True) as answer:
            answer.failure("it says nothing")
        with self.client.get("/error", name="/taken", catch_response=True) as answer:
            answer.success()

class Plain(HttpUser):
    wait_time = constant(0.05)
    @task
    def go(self):
        self.client.get("/ok", name="/plain")
        self.client.post("/things", json={"a": 1}, headers={"X-Request-Id": "mine"})
        self.client.get("/reset")
        self.client.get("/never", name="/plain never")
"""


@pytest.fixture
def server() -> Iterator[Target]:
    with target() as running:
        yield running


def own(server: Target, folder: Path, text: str, **more: Any) -> Plan:
    file = folder / "own_users.py"
    file.write_text(text)
    return plan(server.url, locustfile=str(file), timeout=0.5, **more)


def test_users_of_ones_own_are_measured_as_ours(server: Target, tmp_path: Path) -> None:
    pressed = press(own(server, tmp_path, USERS, levels=((0, 4), (3, 4))), tmp_path)
    kinds = {
        name: {k for k in pressed.failures(name) if k != "unfinished"} for name in {s.name for s in pressed.seconds()}
    }
    assert kinds == {
        "GET /ok": set(),
        "GET /error": {"500"},
        "GET /never": {"timeout"},
        "GET /checked": {"failed"},
        "GET /taken": set(),
        "GET /plain": set(),
        "POST /things": set(),
        "GET /reset": {"reset"},
        "GET /plain never": {"timeout"},
    }
    assert pressed.count("POST /things") == server.count("/things") > 0
    assert "a check of the locustfile failed: it says nothing" in pressed.problems()
    fast = [asked for asked in server.asked if asked.path == "/ok?n=1"]
    assert {asked.headers["User-Agent"] for asked in server.asked} == {"golive-load-test"}
    assert len({asked.headers["X-Request-Id"] for asked in fast}) == len(fast)
    assert {asked.headers["X-Request-Id"] for asked in server.asked if asked.path == "/things"} == {"mine"}


def test_other_hosts_are_refused_before_a_request_is_sent(server: Target, tmp_path: Path) -> None:
    text = """
import http.client, requests, urllib.request
from locust import FastHttpUser, HttpUser, constant, task
OTHER = {other!r}
class Strays(FastHttpUser):
    wait_time = constant(0.2)
    @task
    def go(self):
        self.client.get(OTHER + "/absolute", name="absolute")
        self.client.get("/away?" + OTHER + "/redirected", name="redirected")
        for ask in (lambda: requests.get(OTHER + "/requests"), lambda: urllib.request.urlopen(OTHER + "/urllib")):
            try:
                ask()
            except OSError as error:
                self.client.get("/ok", name=type(error).__name__)
class Plain(HttpUser):
    wait_time = constant(0.2)
    @task
    def go(self):
        self.client.get(OTHER + "/absolute", name="plain absolute")
        self.client.get("/away?" + OTHER + "/redirected", name="plain redirected")
        self.client.get("/ok", name="plain ok")
"""
    with target() as other:
        told = own(server, tmp_path, text.replace("{other!r}", repr(other.url)), levels=((0, 2), (2, 2)))
        pressed = press(told, tmp_path)
        assert other.connections == 0
    for name in ("absolute", "redirected", "plain absolute", "plain redirected"):
        assert pressed.count(f"GET {name}") > 0
        assert pressed.failures(f"GET {name}").total() == pressed.count(f"GET {name}"), name
    assert pressed.count("GET plain ok") > 0
    assert pressed.failures("GET plain ok").total() == 0
    assert pressed.count("GET URLError") + pressed.count("GET ConnectionError") > 0
    told_of = f"{other.url} is no host at which this load may be aimed; the request was not sent"
    assert pressed.problems().count(told_of) == 1


def test_a_shape_of_ones_own_is_kept_and_capped(server: Target, tmp_path: Path) -> None:
    shape = """
from locust import LoadTestShape
class Mine(LoadTestShape):
    def tick(self):
        return (50, 50) if self.get_run_time() < 2.5 else None
"""
    text = USERS.replace('self.client.get("/never")', "pass").replace(
        'self.client.get("/never", name="/plain never")', ""
    )
    pressed = press(own(server, tmp_path, text + shape, levels=((0, 1), (60, 1)), max_users=6), tmp_path)
    assert {state["users"] for state in pressed.lines("state")} == {6}
    assert pressed.lines()[-1]["reason"] == "done"
    assert pressed.lines()[-1]["at"] - pressed.lines()[0]["at"] < 12


def test_the_cap_on_requests_per_second_holds_for_them_too(server: Target, tmp_path: Path) -> None:
    text = """
from locust import FastHttpUser, task
class Fast(FastHttpUser):
    @task
    def go(self):
        self.client.get("/ok")
"""
    pressed = press(own(server, tmp_path, text, levels=((0, 8), (2, 8)), max_rate=25), tmp_path)
    assert 35 <= pressed.count() <= 55
    assert pressed.failures() == {}


def test_a_user_that_stumbles_is_a_problem(server: Target, tmp_path: Path) -> None:
    text = """
from locust import FastHttpUser, constant, task
class Clumsy(FastHttpUser):
    wait_time = constant(0.1)
    @task
    def go(self):
        self.client.get("/ok")
        raise KeyError("no such thing")
"""
    pressed = press(own(server, tmp_path, text), tmp_path)
    assert "a user stumbled: KeyError: 'no such thing'" in pressed.problems()
    assert pressed.count() > 5


def test_a_file_without_users_ends_it_with_the_reason(server: Target, tmp_path: Path) -> None:
    with pressing(own(server, tmp_path, "X = 1\n"), tmp_path) as pressed:
        assert pressed.wait() == {"w1": 1}
    assert "own_users.py has no class of users" in pressed.said()


def test_a_server_that_refuses_is_told_as_such(tmp_path: Path) -> None:
    gone = Target(url=nobody())
    pressed = press(own(gone, tmp_path, USERS, levels=((0, 2), (1.5, 2))), tmp_path)
    failures = pressed.failures()
    assert set(failures) == {"refused", "failed"} or set(failures) == {"refused"}
    assert failures["refused"] > 0
