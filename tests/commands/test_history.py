"""`golive history` as a user types it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.history.baselines import Baseline, set_baseline
from golive.history.runs import add_outcome, begin_run, finish_run, run_records
from golive.history.store import History
from golive.history.watches import open_watch
from golive.model import EXTRA, Status
from tests.history.made import measured, outcome, run, watch
from tests.servers import PASSWORD, free_port
from tests.sessions import BIN, ROOT, Shop, surroundings
from tests.sessions import run as command

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
CRITERIA = """
    - {id: shop.health.cpu, says: The file is there, check: hosts/file, severity: high, path: /etc/passwd}
    - {id: shop.health.disk, says: "{item} is there", check: hosts/file, severity: high, path: "/etc/{item}",
       for_each: [hosts, passwd]}
    - {id: shop.health.silent, says: Nobody looked, check: hosts/file, severity: high, path: /etc/group}
"""


@dataclass
class Past:
    """A shop with a history."""

    shop: Shop

    @property
    def store(self) -> Path:
        return self.shop.folder / "output" / "shop" / "history.sqlite"

    def words(self, *args: str) -> list[str]:
        where = [f"--env={self.shop.file}", f"--output={self.shop.folder / 'output'}"]
        return [str(BIN / "golive"), "history", *args, *where]

    def __call__(self, *args: str, **variables: str) -> tuple[int, str]:
        done = command(self.words(*args), {**self.shop.variables, **variables})
        return done.returncode, done.stdout

    def on_a_terminal(self, *args: str, **variables: str) -> str:
        ours, theirs = pty.openpty()
        surrounding = {**surroundings({**self.shop.variables, **variables}), "TERM": "xterm"}
        process = subprocess.Popen(self.words(*args), cwd=ROOT, env=surrounding, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:
            pass  # the terminal has gone with its last process
        process.wait()
        os.close(ours)
        return said.decode()


@pytest.fixture
def past(tmp_path: Path) -> Past:
    shop = Shop(tmp_path, {"GOLIVE_DEMO_DIR": str(tmp_path / "demo")})
    shop.write(CRITERIA)
    return Past(shop)


@pytest.fixture
def history(past: Past) -> Iterator[History]:
    """Four runs: an old one, one at a checkpoint, one that was broken off, one that goes on."""
    past.store.parent.mkdir(parents=True)
    with History.open(past.store) as opened:
        for number, (name, age, checkpoint) in enumerate(
            (("old", 100 * DAY, None), ("first", 3 * DAY, "4h"), ("broken", 2 * DAY, EXTRA), ("last", DAY, None))
        ):
            begin_run(opened, run(name, NOW - age, environment="shop", checkpoint=checkpoint))
            values = (
                measured(40.0 + number, "cpu use", warning=70.0),
                measured(900.0, "free", unit="MB", better="higher"),
            )
            found = outcome("shop.health.cpu", at=NOW - age, measurements=values, status=Status.WARN)
            add_outcome(opened, name, found, environment="shop")
            add_outcome(opened, name, outcome("shop.health.disk[hosts]", 5.0, at=NOW - age), environment="shop")
            if name != "last":
                ended = "Ctrl-C" if name == "broken" else None
                finish_run(opened, name, finished_at=NOW - age + timedelta(seconds=90), aborted=ended)
        yield opened


def test_runs_are_listed_oldest_first(past: Past, history: History) -> None:
    code, out = past("list")
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["old", "first", "broken", "last", "4 runs"]
    assert rows[1][1:] == [
        f"{NOW - 3 * DAY:%Y-%m-%dT%H:%M:%S}Z", "4h", "complete in 1 min 30 s", "1 pass, 1 warn",
    ]  # fmt: skip
    assert [row[2:4] for row in rows[2:4]] == [["extra run", "aborted: Ctrl-C"], ["-", "going on"]]
    code, out = past("list", "--since=50h")
    assert [line.partition("\t")[0] for line in out.splitlines()] == ["broken", "last", "2 runs"]
    assert past("list", f"--since={(NOW - DAY).isoformat()}")[1].startswith("last\t")


def test_no_run_is_a_negative_answer(past: Past, history: History) -> None:
    code, out = past("list", "--since=1h")
    assert (code, out.startswith("no run of shop is kept since ")) == (1, True)


def test_a_terminal_gets_a_table(past: Past, history: History) -> None:
    shown = past.on_a_terminal("list", COLUMNS="120")
    assert "checkpoint" in shown.splitlines()[0]
    assert "complete in 1 min 30 s" in shown


def test_a_criterion_is_shown_with_all_that_it_measured(past: Past, history: History) -> None:
    code, out = past("show", "shop.health.cpu")
    assert code == 0
    cpu, free = out.split("\n\n")
    assert cpu.startswith("shop.health.cpu: cpu use (%), 4 values\n")
    assert "min 40  median 41.5  max 43  last 43  - warning: below 70  = critical: below 80" in cpu
    assert "*" in cpu
    assert out.isascii()
    assert "= critical: at least 80" in free
    code, out = past("show", "shop.health.cpu", "--name=free", "--since=30h")
    assert out.startswith("shop.health.cpu: free (MB), 1 value\n")


def test_a_terminal_gets_dots_if_it_can_show_them(past: Past, history: History) -> None:
    shown = past.on_a_terminal("show", "shop.health.cpu", PYTHONIOENCODING="utf-8")
    assert any("\u2800" < c <= "\u28ff" for c in shown)
    assert "┄ warning: below 70" in shown
    shown = past.on_a_terminal("show", "shop.health.cpu", PYTHONIOENCODING="latin-1")
    assert shown.isascii()
    assert "*" in shown


def test_a_criterion_without_its_item_is_all_of_them(past: Past, history: History) -> None:
    begin_run(history, run("more", NOW, environment="shop"))
    add_outcome(history, "more", outcome("shop.health.disk[passwd]", 7.0, at=NOW), environment="shop")
    code, out = past("show", "shop.health.disk")
    assert code == 0
    assert [line for line in out.splitlines() if "value" in line] == [
        "shop.health.disk[hosts]: cpu (%), 4 values",
        "shop.health.disk[passwd]: cpu (%), 1 value",
    ]
    assert "disk[passwd]" not in past("show", "shop.health.disk[hosts]")[1]


def test_a_criterion_without_a_value_is_a_negative_answer(past: Past, history: History) -> None:
    assert past("show", "shop.health.silent") == (1, "shop.health.silent: nothing was measured yet\n")
    code, out = past("show", "shop.health.cpu", "--since=1h")
    assert code == 1
    assert out.startswith("shop.health.cpu: nothing was measured since ")
    assert f"the last time was {NOW - DAY:%Y-%m-%dT%H:%M:%S}" in out


def test_what_a_target_named_itself_does_not_steer_the_terminal(past: Past, history: History) -> None:
    begin_run(history, run("odd", NOW, environment="shop"))
    values = (measured(float("nan"), "\x1b[31mred\0\ud800", unit="\n%"),)
    add_outcome(history, "odd", outcome("shop.health.silent", at=NOW, measurements=values), environment="shop")
    code, out = past("show", "shop.health.silent")
    assert (code, out) == (
        0, "shop.health.silent: \\x1b[31mred\\x00\\ud800 (%), 1 value\nnot finite 1  = critical: below 80\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "shop.health.cpuu"], "unknown criterion 'shop.health.cpuu'. Did you mean 'shop.health.cpu'?"),
        (["show", "shop.health.cpu", "--name=fre"], "shop.health.cpu: unknown measurement 'fre'. Did you mean 'free'?"),
        (["show", "shop.health.cpu", "--since=soon"], "--since: a duration needs a number and a unit"),
        (["list", "--since=2026-13-01"], "--since: '2026-13-01' is no time"),
        (["list", "--since=99999999999999d"], "--since: 99999999999999d is longer than there have been times"),
        (["prune", "--older-than=90"], "--older-than: a duration needs a number and a unit"),
        (["list", "--history=mysql://x/y"], "history mysql://x/y: a history cannot be kept in 'mysql'"),
        (["list", "--history=/"], "history /: is a folder"),
        (["list", f"--history=postgresql://me:{PASSWORD}@h/d"], "no password in a URL"),
    ],
)
def test_what_cannot_be_done_is_one_line(past: Past, history: History, words: list[str], told: str) -> None:
    code, out = past(*words)
    assert (code, out.count("\n")) == (4, 1)
    assert told in out
    assert PASSWORD not in out


@pytest.mark.parametrize("words", [["list"], ["show", "shop.health.cpu"], ["prune", "--older-than=90d"]])
def test_reading_makes_no_history(past: Past, words: list[str]) -> None:
    code, out = past(*words)
    assert (code, out) == (4, f"there is no history yet at {past.store}: it begins with the first run\n")
    assert not past.store.parent.exists()


def test_old_runs_are_removed_and_what_is_needed_is_spared(past: Past, history: History) -> None:
    open_watch(history, watch(environment="shop"))
    for name, needed in (("watched", "w1"), ("good", None)):
        begin_run(history, run(name, NOW - 95 * DAY, environment="shop", watch=needed))
        finish_run(history, name, finished_at=NOW, aborted=None)
    set_baseline(history, Baseline(name="b", environment="shop", version="1", made_at=NOW, runs=("good",)))
    gone = "1 run, 2 outcomes, 3 measurements\nspared: 1 run of an open watch\nspared: 1 run of a baseline in force\n"
    assert past("prune", "--older-than=90d", "--dry-run") == (0, f"would remove: {gone}")
    assert len(run_records(history, "shop")) == 6
    assert past("prune", "--older-than=90d") == (0, f"removed: {gone}")
    assert "old" not in [r.run for r in run_records(history, "shop")]
    assert past("prune", "--older-than=90d")[1].startswith("removed: nothing\n")


# Where the history is


def test_the_environment_says_where_the_history_is(past: Past, history: History) -> None:
    moved = past.shop.folder / "elsewhere.sqlite"
    history.close()
    past.store.rename(moved)
    past.shop.write(CRITERIA, history={"url": "sqlite:///${env:WHERE}"})
    assert past("list", WHERE=str(moved))[0] == 0
    code, out = past("list")
    assert (code, out) == (4, "history: ${env:WHERE} is undefined: set that environment variable\n")
    assert past("list", f"--history={moved}")[0] == 0, "what the command line says is stronger"


def test_a_password_that_is_not_known_is_named(past: Past) -> None:
    url = f"postgresql://me@127.0.0.1:{free_port()}/h"
    past.shop.write(CRITERIA, history={"url": url, "password": "${env:NO_SUCH}"})
    assert past("list") == (4, "history: ${env:NO_SUCH} is undefined: set that environment variable\n")
    code, out = past("list", NO_SUCH=PASSWORD)
    assert (code, out.count("\n")) == (4, 1)
    assert "the server refused the connection" in out
    assert PASSWORD not in out


def test_looking_back_needs_nothing_of_the_target(past: Past, history: History) -> None:
    """Only what the history itself needs has to be known."""
    account = {"endpoint": "api", "username": "ann", "password": "${env:NO_SUCH_PASSWORD}"}
    past.shop.write(
        CRITERIA, endpoints={"api": {"url": "http://127.0.0.1:1"}}, accounts={"ann": account},
        deployment={"version": "1", "deployed_at": "${env:NO_SUCH_TIME}"},
    )  # fmt: skip
    assert past("list")[0] == 0
    past.shop.write(json.dumps([{"id": "shop.x"}]))
    code, out = past("list")
    assert code == 4
    assert "criteria.yaml" in out
