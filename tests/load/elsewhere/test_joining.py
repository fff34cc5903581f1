"""Workers that join by themselves: who knows the token gets a plan, and the connection is its lifeline."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook
from load import runner
from load.elsewhere import join, joining
from load.elsewhere.joining import Joined, Joining, await_workers
from load.elsewhere.sealing import NotSealed, Seal
from load.workers import free_port
from tests.load.processes import Known, all_gone, below
from tests.load.targets import READ, SESSIONS, TOKEN, WRITE, Target, section, target

ROOT = Path(__file__).resolve().parents[3]
WORD = "a-word-that-both-sides-know"
LONG = [{"ramp": "200 ms", "users": 4}, {"hold": "60 s"}]


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as running:
        yield running


@pytest.fixture
def here() -> Joining:
    return Joining(count=2, token=WORD, host="127.0.0.1", plan_port=free_port(), locust_port=free_port(), patience_s=40)


@contextlib.contextmanager
def pods(here: Joining, count: int = 2, word: str = WORD) -> Iterator[list[subprocess.Popen[str]]]:
    """Workers that were told where the master will be."""
    words = [sys.executable, "-m", "load.elsewhere.join", f"127.0.0.1:{here.plan_port}"]
    environ = {**os.environ, joining.TOKEN: word}
    started = [subprocess.Popen(words, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        yield started
    finally:
        below_them = [known for pod in started for known in below(pod.pid)]
        for pod in started:
            pod.send_signal(signal.SIGTERM)
            pod.communicate(timeout=20)
        assert all_gone(below_them, 12)


def press(shop: Target, here: Joining, directory: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> LoadResult:
    monkeypatch.setattr(Joining, "of", lambda _: here)
    stages = more.pop("stages", [{"ramp": "500 ms", "users": 6}, {"hold": "3 s"}])
    environment = section(shop.url, READ, WRITE, stages=stages)
    profile = environment.load.profiles["steady"]
    given = {"sessions": SESSIONS, "directory": directory, "user_agent": "golive-test/1", "run": "run-7", **more}
    return runner.run("steady", profile, environment, **given)


def test_they_make_the_load_together_and_do_so_again_for_the_next_profile(
    shop: Target, here: Joining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pods(here):
        for folder in ("first", "second"):
            result = press(shop, here, tmp_path / folder, monkeypatch)
            assert (result.stopped, result.problems) == ("", ())
            assert dict(result.workers) == {"pod-1": "quit", "pod-2": "quit"}
            assert result.window(with_warm_up=True).n > 50
    assert shop.orders == set()


def test_a_stop_ends_them(shop: Target, here: Joining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pods(here) as started:
        working: list[Known] = []

        def guard() -> str | None:
            if len(shop.times) < 40:
                return None
            working.extend(known for pod in started for known in below(pod.pid))
            return "enough"

        result = press(shop, here, tmp_path, monkeypatch, guards=guard, stages=LONG)
        assert result.stopped == "enough"
        assert len(working) == 2
        assert all_gone(working, 8)


def test_one_that_goes_is_named(shop: Target, here: Joining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pods(here) as started:
        gone: list[float] = []

        def guard() -> str | None:
            if len(shop.times) > 40 and not gone:
                started[0].send_signal(signal.SIGKILL)
                gone.append(time.time())
            return "seen enough" if gone and time.time() - gone[0] > 6 else None

        result = press(shop, here, tmp_path, monkeypatch, guards=guard, stages=LONG)
        assert len(result.lost) == 1
        assert any(text.startswith(f"worker {result.lost[0]} was lost after ") for text in result.problems)


def test_a_stranger_gets_nothing_and_is_not_counted(here: Joining) -> None:
    told: list[bytes] = []

    def strange() -> None:
        for word in (b"let me in\n", Seal("another-word-than-theirs").line({"joins": "x"})):
            with _connected(here) as connection:
                connection.sendall(word)
                told.append(connection.recv(1000))
        with _connected(here) as connection:
            connection.sendall(Seal(WORD).line({"joins": "x"}))
            told.append(joining.line_from(connection))

    thread = threading.Thread(target=strange)
    thread.start()
    one = Joining(count=1, token=WORD, host=here.host, plan_port=here.plan_port, patience_s=20)
    (joined,) = await_workers(one, lambda name: {"worker": name, "scenarios": [TOKEN]})
    thread.join(20)
    joined.end()
    assert told[:2] == [b"", b""]
    assert TOKEN.split()[1].encode() not in told[2]
    assert Seal(WORD).opened(told[2])["plan"] == {"worker": "pod-1", "scenarios": [TOKEN]}


def test_too_few_of_them_are_told_and_let_go(here: Joining) -> None:
    heard: list[bytes] = []

    def only_one() -> None:
        with _connected(here) as connection:
            connection.sendall(Seal(WORD).line({}))
            joining.line_from(connection)
            heard.append(connection.recv(1000))

    thread = threading.Thread(target=only_one)
    thread.start()
    two = Joining(count=2, token=WORD, host=here.host, plan_port=here.plan_port, patience_s=2)
    with pytest.raises(CouldNotLook, match=r"^1 of 2 workers joined within 2 s, so no load began$"):
        await_workers(two, lambda name: {"worker": name})
    thread.join(20)
    assert heard == [b""]


def test_a_port_that_is_taken_is_told(here: Joining) -> None:
    told = f"^workers cannot be awaited at port {here.plan_port}: "
    with socket.create_server((here.host, here.plan_port)), pytest.raises(CouldNotLook, match=told):
        await_workers(here, lambda name: {"worker": name})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({joining.COUNT: "many", joining.TOKEN: WORD}, "is the number of workers that join, as in 4; got 'many'"),
        ({joining.COUNT: "0", joining.TOKEN: WORD}, "is the number of workers"),
        ({joining.COUNT: "2"}, f"^{joining.TOKEN} is missing"),
    ],
)
def test_variables_that_make_no_sense_are_refused(variables: dict[str, str], told: str) -> None:
    with pytest.raises(CouldNotLook, match=told):
        Joining.of(variables)


def test_variables_say_how_many_join() -> None:
    assert Joining.of({}) is None
    found = Joining.of({joining.COUNT: "4", joining.TOKEN: WORD})
    assert found is not None
    assert (found.count, found.token) == (4, WORD)
    assert WORD not in repr(found)


def test_a_short_token_is_refused(here: Joining) -> None:
    short = Joining(count=1, token="short", host=here.host, plan_port=here.plan_port)
    with pytest.raises(CouldNotLook, match=f"^{joining.TOKEN}: the token has at least 16 characters"):
        await_workers(short, lambda name: {"worker": name})


@pytest.mark.parametrize("line", [b"", b"rubbish\n", Seal("another-word-than-theirs").line({"a": 1})])
def test_only_what_was_sealed_with_the_word_is_opened(line: bytes) -> None:
    with pytest.raises(NotSealed):
        Seal(WORD).opened(line)
    assert Seal(WORD).opened(Seal(WORD).line({"a": 1})) == {"a": 1}


def test_a_seal_without_a_plan_is_none() -> None:
    seal = Seal(WORD)
    with pytest.raises(NotSealed, match="no plan"):
        seal.opened(seal._fernet.encrypt(json.dumps([1]).encode()))


def test_a_connection_tells_when_it_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        joined = Joined("pod-1", ours)
        assert joined.exit_code() is None
        theirs.close()
        joined._listening.join(5)
        assert joined.exit_code() == 0
        joined.end()


def test_without_a_master_there_is_nothing_to_join(here: Joining) -> None:
    assert join.join(here.host, here.plan_port, Seal(WORD)) is False


def test_wrong_words_are_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(joining.TOKEN, raising=False)
    assert join.main(["master:5556"]) == 2
    assert "usage: GOLIVE_LOAD_TOKEN=… python -m load.elsewhere.join HOST[:PORT]" in capsys.readouterr().err


def _connected(here: Joining) -> socket.socket:
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection((here.host, here.plan_port), timeout=10)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
