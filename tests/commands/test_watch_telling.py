"""What a watch says: with the time, without secrets, bounded, and into its log whatever becomes of the terminal."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from commands.watching.board import Board
from commands.watching.signals import asked_to_stop
from commands.watching.telling import Teller
from commands.watching.view import coming, hour, plain
from golive.environment.redaction import MASK, Redactor
from golive.judge.uptime import Outage, Uptime
from golive.model import Decision, ProbeSpan, ProbeState, Reason, Status, Verdict
from golive.watch.schedule import state_of_slots
from tests.sessions import wait_for
from tests.watch.made import CPU, REQUIRED, START, day, held, hours, run_at

WATCH = day()


def teller(log: Path) -> Teller:
    return Teller(log, redact=Redactor(["hunter2-secret"]), now=lambda: START)


def test_every_line_has_its_time_and_none_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "deep" / "watch.log"
    teller(log).say("one hunter2-secret\ntwo \x1b[31mred")
    teller(log).say("x" * 1000)
    said = capsys.readouterr().out
    first, second, third = said.splitlines()
    assert (first, second) == (f"2026-05-01 09:00:00Z one {MASK}", "2026-05-01 09:00:00Z two \\x1b[31mred")
    assert third.endswith("…") and len(third) < 330
    assert log.read_text(encoding="utf-8") == said


def test_a_log_that_cannot_be_written_is_said_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    teller(tmp_path / "file" / "watch.log").say("it goes on")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("it goes on")
    assert "watch.log cannot be written: " in second


def test_the_first_signal_asks_and_the_second_one_hurries() -> None:
    stop, hurry = threading.Event(), threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    with asked_to_stop(stop, hurry) as caught:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
        assert not hurry.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert hurry.wait(5)
        wait_for(lambda: caught == [signal.SIGTERM, signal.SIGINT], "both")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with asked_to_stop(threading.Event(), threading.Event()) as caught:
            os.kill(os.getpid(), signal.SIGHUP)
        assert caught == []
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_board_tells_everything_that_matters() -> None:
    now = START + hours(4.5)
    broken = run_at(WATCH, START + hours(2), "2h", aborted="its process died")
    passed = run_at(WATCH, START + hours(4), "4h", outcomes=(held(START), held(START, CPU, Status.FAIL, "91 %")))
    outage = Outage(START + hours(1), START + hours(1) + timedelta(seconds=20), "answered 503")
    up = Uptime(begin=START, end=now, up_s=16000, down_s=20, unknown_s=180, outages=(outage,))
    span = ProbeSpan(
        endpoint="api", state=ProbeState.DOWN, first_at=START, last_at=now, samples=9, message="api refused"
    )
    reasons = tuple(
        Reason(kind="criterion-failed", decision=Decision.NO_GO, text=f"shop.c{n} failed") for n in range(8)
    )
    board = Board(
        environment="shop",
        watch=WATCH,
        at=now,
        states=state_of_slots(WATCH, [broken, passed], now, required=REQUIRED),
        verdict=Verdict(decision=Decision.NO_GO, reasons=reasons, at=now),
        label="4h",
        failures=[held(START, f"shop.health.c{n}", Status.FAIL, f"{n} %") for n in range(8)],
        uptime={"api": up, "web": Uptime(begin=START, end=now, up_s=0, down_s=0, unknown_s=16200, sampled=False)},
        last_spans={"api": span},
    )
    text = plain(board, now, kept_by="nobody keeps it")
    rows = {line.split()[0]: line.split(maxsplit=3) for line in text.splitlines() if line}
    assert text.splitlines()[:3] == [
        f"watch {WATCH.id} of shop", "hour 4.5 of 24; next checkpoint 6h in 1 h 30 min", "nobody keeps it",
    ]  # fmt: skip
    assert rows["2h"] == ["2h", "2026-05-01T11:00:00Z", "missed", "aborted: its process died"]
    assert rows["4h"] == ["4h", "2026-05-01T13:00:00Z", "done", "1 fail, 1 pass"]
    assert rows["24h"][2] == "upcoming"
    assert "api       down          99.88 %  20.0 s    3 min       api refused" in text
    assert "web       never probed  -" in text
    assert "blocking at 4h:\n  shop.health.c0: fail: 0 %" in text
    assert "verdict so far: NO-GO\n  NO-GO: shop.c0 failed" in text
    assert text.count("… and 2 more") == 2


def test_what_comes_next() -> None:
    def told(now: datetime, *, going_on: bool = False) -> str:
        runs = [run_at(WATCH, START + hours(4), "4h", finished_at=None)] if going_on else []
        return coming(state_of_slots(WATCH, runs, now), now)

    assert told(START) == "next checkpoint 15min in 15 min"
    assert told(START + hours(4)) == "checkpoint 4h is due, within 15 min"
    assert told(START + hours(4), going_on=True) == "checkpoint 4h is being run"
    assert told(START + hours(25)) == "no checkpoint is left"
    assert hour(WATCH, START + hours(30)) == "hour 24.0 of 24"
    assert hour(WATCH, START - hours(1)) == "hour 0.0 of 24"
    assert hour(day(time_scale=240), START + timedelta(minutes=1)) == "hour 4.0 of 24"
