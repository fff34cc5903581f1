"""`golive watch` as a user starts, interrupts, kills and asks it, with real runs against a small environment."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from golive.model import utc_text
from tests.rogues import always, rogue
from tests.sessions import BIN, ROOT, Shop, file_there, run, surroundings, wait_for

GOLIVE = [str(BIN / "golive")]
ALL = ["smoke", "checkpoint", "golive"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CTRL_C = signal.SIGINT


@dataclass
class Watched:
    """A shop whose one criterion is that a file is there, and whose deployment was `deployed_min` minutes ago."""

    shop: Shop
    deployed_min: float = 15.5
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def there(self) -> Path:
        return self.shop.folder / "there"

    @property
    def output(self) -> Path:
        return self.shop.folder / "output"

    def write(self, *, criteria: Any = None, **watch: Any) -> None:
        self.there.write_text("here", encoding="utf-8")
        deployed_at = datetime.now(UTC) - timedelta(minutes=self.deployed_min)
        section = {"schedule": ["15 min smoke", "1 h", "24 h golive"], **watch}
        self.shop.write(
            criteria or [file_there("shop.files.there", self.there, host="app", when=ALL)],
            deployment={"version": "1.0", "deployed_at": utc_text(deployed_at)},
            watch={key: value for key, value in section.items() if key != "endpoints"},
            endpoints=watch.get("endpoints", {}),
        )

    def command(self, *args: str) -> list[str]:
        return [*GOLIVE, "watch", *args, f"--env={self.shop.file}", f"--output={self.output}"]

    def ask(self, *args: str) -> tuple[int, str]:
        done = run(self.command(*args), self.shop.variables)
        return done.returncode, done.stdout

    def start(self, *args: str, **more: Any) -> subprocess.Popen[str]:
        given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **more}
        process = subprocess.Popen(
            self.command(*args), cwd=ROOT, env=surroundings(self.shop.variables), text=True, **given
        )
        self.started.append(process)
        return process

    @property
    def log(self) -> str:
        file = self.output / "shop" / "watch.log"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def said(self, text: str) -> bool:
        return text in self.log

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.output / "shop" / "history.sqlite")) as store:
            return store.execute(query).fetchall()

    @property
    def runs(self) -> list[str]:
        return [
            label for (label,) in self.rows("select checkpoint from runs where finished_at is not null order by id")
        ]

    @property
    def open_watches(self) -> list[str]:
        return [name for (name,) in self.rows("select id from watches where closed_at is null")]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(Shop(tmp_path, {"GOLIVE_DEMO_DIR": str(tmp_path / "demo")}))
    made.write()
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def lines(out: str) -> list[str]:
    """What was said, without the time in front."""
    return [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ", "", line) for line in out.splitlines()]


# To the end


def test_a_whole_trial_runs_every_checkpoint_and_ends_with_the_verdict(watched: Watched) -> None:
    with rogue(always(OK)) as port:
        watched.write(
            schedule=["15 min smoke", "1 h", "2 h golive"],
            tolerance="60 min",
            trial=True,
            endpoints={"api": {"url": f"http://127.0.0.1:{port}"}},
            availability={"probes": [{"endpoint": "api", "request": "GET /health"}]},
        )
        code, out = watched.ask("--time-scale=900")
    said = lines(out)
    assert re.fullmatch(
        r"beginning watch shop-\S+, a trial at 900 times the speed, hour 0\.0 of 2, next checkpoint 15min in \S+ m?s",
        said[0],
    )
    told = [line for line in said if line.startswith("checkpoint ") and "due" not in line]
    assert told == [
        "checkpoint 15min begins (smoke)",
        "checkpoint 15min has ended: 1 pass",
        "checkpoint 1h begins (checkpoint)",
        "checkpoint 1h has ended: 1 pass",
        "checkpoint 2h begins (checkpoint and golive)",
        "checkpoint 2h has ended: 1 pass",
    ]
    assert watched.runs == ["15min", "1h", "2h"]
    (verdict,) = [line for line in said if line.startswith("verdict: ")]
    assert code == {"verdict: GO": 0, "verdict: NO-GO": 1, "verdict: PENDING": 3}[verdict]
    assert re.search(r"^api +up +100 % +0 ms", out, re.MULTILINE)
    assert watched.log.count("= test session starts =") == 3
    assert watched.rows("select endpoint, state from probe_spans") == [("api", "up")]


def test_what_fails_and_what_cannot_be_run_is_told(watched: Watched) -> None:
    watched.write(schedule=["15 min smoke", "1 h"], tolerance="10 min", trial=True)
    watched.there.unlink()
    process = watched.start("--time-scale=300")
    wait_for(lambda: watched.said("checkpoint 15min has ended: 1 fail"), "the first checkpoint")
    assert watched.said("  shop.files.there: fail: ")
    watched.shop.file.write_text("nonsense: [", encoding="utf-8")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "checkpoint 1h cannot be run now, trying again: " in out
    assert "shop.yaml:" in out
    assert re.search(r"checkpoint 1h was missed: nothing ran until ", out)
    assert "verdict: NO-GO" in lines(out)


# Interrupted, killed, started again


def test_it_is_stopped_in_order_and_goes_on_where_it_was(watched: Watched) -> None:
    first = watched.start()
    wait_for(lambda: watched.said("checkpoint 15min begins"), "the first checkpoint")
    first.send_signal(CTRL_C)
    out, _ = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "stopping once checkpoint 15min has ended; ask again to stop it at once" in out
    assert "checkpoint 15min has ended: 1 pass" in out
    assert lines(out)[-1] == "stopped; the same command goes on with this watch"
    assert watched.runs == ["15min"]

    second = watched.start()
    wait_for(lambda: watched.said("continuing watch"), "the second one")
    second.send_signal(signal.SIGTERM)
    out, _ = second.communicate(timeout=30)
    assert second.returncode == 143
    assert re.fullmatch(
        r"continuing watch shop-\S+, hour 0\.3 of 24, next checkpoint 1h in 4\d min( \d+ s)?", lines(out)[0]
    )
    assert watched.runs == ["15min"]


def slow_checkpoint(watched: Watched) -> None:
    """A criterion of the team's own that takes long."""
    watched.shop.own(
        """
        import time
        import pytest

        @pytest.mark.criterion("shop.own.slow", says="It is slow", severity="low", when=["smoke", "checkpoint"])
        def test_slow():
            time.sleep(6)
        """
    )
    data = watched.shop.file.read_text(encoding="utf-8").replace('"system"', '"checks_path": ["own"], "system"', 1)
    watched.shop.file.write_text(data, encoding="utf-8")


def test_asked_twice_it_stops_the_checkpoint_too(watched: Watched) -> None:
    slow_checkpoint(watched)
    process = watched.start()
    wait_for(lambda: watched.said("collected 2 items"), "a run")
    process.send_signal(CTRL_C)
    wait_for(lambda: watched.said("ask again to stop it at once"), "the answer to the first Ctrl-C")
    asked = time.monotonic()
    process.send_signal(CTRL_C)
    out, _ = process.communicate(timeout=30)
    assert time.monotonic() - asked < 6
    assert process.returncode == 130
    assert "checkpoint 15min did not come to its end (exit code 2); too late to repeat" in out
    assert [state for (state,) in watched.rows("select aborted is not null from runs")] == [1]


def test_killed_in_the_middle_of_a_run_it_neither_doubles_nor_loses_it(watched: Watched) -> None:
    slow_checkpoint(watched)
    first = watched.start()
    wait_for(lambda: watched.said("checkpoint 15min begins"), "a run")
    first.kill()
    first.communicate()
    second = watched.start()
    wait_for(lambda: watched.said("continuing watch"), "the second one")
    wait_for(lambda: "15min" in watched.runs, "the end of the run that the first one began")
    second.send_signal(CTRL_C)
    out, _ = second.communicate(timeout=30)
    assert "checkpoint 15min begins" not in out
    assert watched.rows("select checkpoint, aborted from runs") == [("15min", None)]


def test_only_one_keeps_a_watch(watched: Watched) -> None:
    process = watched.start()
    wait_for(lambda: watched.said("beginning watch"), "the watch")
    code, out = watched.ask()
    assert code == 4
    assert re.fullmatch(rf"shop: the watch is kept by process {process.pid} of \S+ on \S+, since \S+Z\n", out)
    assert (watched.output / "shop" / ".shop.watch.lock").exists()
    process.send_signal(CTRL_C)
    process.communicate(timeout=30)


def test_a_terminal_that_has_gone_ends_no_watch(watched: Watched) -> None:
    reading, writing = os.pipe()
    process = watched.start(stdout=writing, stderr=subprocess.DEVNULL)
    os.close(writing)
    assert os.read(reading, 100)
    os.close(reading)
    wait_for(lambda: watched.said("checkpoint 15min has ended: 1 pass"), "the checkpoint")
    assert process.poll() is None
    process.send_signal(CTRL_C)
    process.communicate(timeout=30)
    assert process.returncode == 130


# On a terminal


@contextmanager
def terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    leader, follower = pty.openpty()
    seen = bytearray()
    os.set_blocking(leader, False)

    def read() -> str:
        with suppress(OSError):
            while chunk := os.read(leader, 65536):
                seen.extend(chunk)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode("utf-8", "replace"))

    yield follower, read
    os.close(follower)
    os.close(leader)


def test_on_a_terminal_the_board_shows_how_it_stands(watched: Watched) -> None:
    with terminal() as (follower, read):
        process = watched.start(stdout=follower, stderr=follower)
        wait_for(lambda: "checkpoint 15min has ended: 1 pass" in read(), "the checkpoint")
        wait_for(lambda: re.search(r"15min +\S+Z +done +1 pass", read()) is not None, "its row")
        wait_for(
            lambda: re.search(r"hour 0\.3 of 24; next checkpoint 1h in 4\d min", read()) is not None, "the countdown"
        )
        wait_for(lambda: "verdict so far: " in read(), "the verdict")
        process.send_signal(CTRL_C)
        process.wait(30)
    assert process.returncode == 130


# Actions


def test_the_status_tells_how_it_stands_and_who_keeps_it(watched: Watched) -> None:
    code, out = watched.ask("status")
    assert code == 4
    assert "history.sqlite" in out
    process = watched.start()
    wait_for(lambda: watched.said("checkpoint 15min has ended: 1 pass"), "the checkpoint")
    code, out = watched.ask("status")
    assert code == 0
    assert f"the watch is kept by process {process.pid} of" in out
    assert re.search(r"^hour 0\.3 of 24; next checkpoint 1h in 4\d min", out, re.MULTILINE)
    assert re.search(r"^15min +\S+Z +done +1 pass$", out, re.MULTILINE)
    assert re.search(r"^24h +\S+Z +upcoming$", out, re.MULTILINE)
    assert "verdict so far: " in out
    process.send_signal(CTRL_C)
    process.communicate(timeout=30)
    assert "nobody keeps it: golive watch --env=" in watched.ask("status")[1]


def test_a_declared_change_begins_anew_and_who_keeps_the_watch_follows(watched: Watched) -> None:
    process = watched.start()
    wait_for(lambda: watched.said("checkpoint 15min has ended: 1 pass"), "the checkpoint")
    before = watched.open_watches
    code, out = watched.ask("restart", "--reason=the pool was made larger")
    assert code == 0
    after = watched.open_watches
    assert len(after) == 1 and after != before
    assert out.splitlines()[:2] == [
        f"watch {before[0]} is closed: the pool was made larger",
        f"watch {after[0]} has begun; keep it with: golive watch --env={watched.shop.file}",
    ]
    wait_for(
        lambda: watched.said(f"continuing watch {after[0]}, hour 0.0 of 24, next checkpoint 15min in 14 min"), "it"
    )
    process.send_signal(CTRL_C)
    process.communicate(timeout=30)


def test_a_restart_needs_a_reason_and_an_open_watch(watched: Watched) -> None:
    assert watched.ask("restart") == (4, "--reason: say what was changed\n")
    assert watched.ask("restart", "--reason= ") == (4, "--reason: say what was changed\n")
    run(watched.shop.command("--co"), watched.shop.variables)
    watched.deployed_min = 1
    watched.write()
    assert watched.ask("--once")[0] == 3
    with closing(sqlite3.connect(watched.output / "shop" / "history.sqlite")) as store, store:
        store.execute("update watches set closed_at = '2026-05-01T00:00:00+00:00'")
    code, out = watched.ask("restart", "--reason=a fix")
    assert (code, out) == (4, f"no watch of shop is open: golive watch --env={watched.shop.file} begins one\n")
    assert watched.ask("status") == (1, out)


def test_once_runs_what_is_due_and_nothing_else(watched: Watched) -> None:
    code, out = watched.ask("--once")
    assert code == 3
    assert "checkpoint 15min has ended: 1 pass" in out
    code, out = watched.ask("--once")
    assert code == 3
    assert "begins" not in out
    assert watched.runs == ["15min"]


def test_probes_only_leaves_the_checkpoints_to_others(watched: Watched) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watched.write(
            endpoints={"api": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}"}},
            availability={
                "probes": [{"endpoint": "api", "request": "GET /health"}], "every": "200 ms", "timeout": "200 ms",
            },
        )  # fmt: skip
        process = watched.start("--probes-only")
        wait_for(lambda: watched.said("api is down: api did not answer within 0.2 s"), "the probe")
        time.sleep(1)
        process.send_signal(CTRL_C)
        process.communicate(timeout=30)
    assert watched.rows("select count(*) from runs") == [(0,)]


# What cannot be watched


@pytest.mark.parametrize(
    ("args", "watch", "told"),
    [
        (["--time-scale=240"], {}, "--time-scale: shop allows no trial; set 'trial: true' under 'watch', never for"),
        (["--probes-only"], {}, "--probes-only: shop has no 'availability' under 'watch'"),
        (["--once", "--probes-only"], {}, "--once runs a checkpoint and --probes-only never does: give one of them"),
    ],
)
def test_what_it_cannot_do_is_one_line(watched: Watched, args: list[str], watch: Any, told: str) -> None:
    watched.write(**watch)
    code, out = watched.ask(*args)
    assert (code, out.count("\n")) == (4, 1)
    assert out.startswith(told)


def test_without_a_watch_in_the_environment_there_is_nothing_to_keep(watched: Watched) -> None:
    watched.shop.write([file_there("shop.files.there", watched.there, host="app")])
    for action in ([], ["restart", "--reason=x"]):
        code, out = watched.ask(*action)
        assert (code, out) == (4, "shop: the environment has no 'watch', so there is nothing to keep\n")


@pytest.mark.parametrize("scale", ["0.5", "fast", "nan", "1e9"])
def test_a_scale_is_a_number_that_makes_time_faster(watched: Watched, scale: str) -> None:
    code, out = watched.ask(f"--time-scale={scale}")
    assert code == 2
    assert f"a number from 1 to 100000, as in 240; got '{scale}'" in out


def test_an_unknown_deployment_time_is_no_hour_0(watched: Watched) -> None:
    watched.shop.write([file_there("shop.files.there", watched.there, host="app")], watch={})
    code, out = watched.ask()
    assert code == 4
    assert out == (
        "when shop was deployed is unknown, and it has no 'services' to ask: write 'deployed_at' under 'deployment'\n"
    )
