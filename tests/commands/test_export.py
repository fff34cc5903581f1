"""`golive export`: from an environment to a schedule, and what it says when there is none to be had."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.main import CommandError
from commands.watching import export
from tests.sessions import BIN, Shop, run

CRITERIA = """
    - {id: shop.files.there, says: Files are there, check: hosts/file, host: app, severity: high, path: /etc/passwd,
       when: [smoke, checkpoint]}
"""
ENDPOINT = {"api": {"url": "http://127.0.0.1:1"}}
WATCH = {"availability": {"probes": [{"endpoint": "api", "request": "GET /health"}]}}
ACCOUNTS = {"ann": {"endpoint": "api", "username": "${file:/run/name}", "password": "${env:SHOP_PASSWORD}"}}
HISTORY = {"url": "${env:HISTORY_URL}", "password": "${env:HISTORY_PASSWORD}"}
FORMATS = (["crontab"], ["systemd"], ["kubernetes", "--image=i"], ["github"])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    write(made)
    return made


def write(shop: Shop, **sections: Any) -> None:
    given = {"endpoints": ENDPOINT, "accounts": ACCOUNTS, "watch": WATCH, "history": HISTORY, **sections}
    shop.write(CRITERIA, **{name: value for name, value in given.items() if value is not None})


def ago(**time: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"


def exported(shop: Shop, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    parser = argparse.ArgumentParser()
    export.add(parser.add_subparsers())
    options = parser.parse_args(["export", words[0], f"--env={shop.file}", *words[1:]])
    assert options.run(options) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", FORMATS, ids=lambda words: words[0])
def test_every_format_has_the_whole_schedule_and_no_secret(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    text = exported(shop, capsys, *words, f"--deployed-at={ago(minutes=1)}")
    labels = ("15min", "1h", "2h", "3h", "4h", "6h", "8h", "10h", "12h", "16h", "20h", "24h")
    assert all(re.search(rf"\b{label}\b", text) for label in labels)
    assert "SHOP_PASSWORD" in text
    assert "hunter2" not in text
    assert "The environment reads these files where it runs: /run/name." in text
    assert "--probes-only" in text


def test_the_environments_own_time_is_hour_0(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    write(shop, deployment={"version": "1.2.3", "deployed_at": ago(hours=5)})
    text = exported(shop, capsys, "crontab")
    assert "The watch over shop 1.2.3: hour 0 is " in text
    assert "left out: 15min (" in text
    assert "--checkpoint=6h" in text


def test_what_is_given_is_passed_on(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    given = [f"--deployed-at={ago(minutes=1)}", "--directory=/opt/x", "--python=/opt/python"]
    here = [*given, "--history=/var/h.sqlite", "--env-file=/etc/shop.env"]
    lines = exported(shop, capsys, "crontab", *here).splitlines()
    line = next(line for line in lines if line.endswith("--checkpoint=1h"))
    assert " cd /opt/x && set -a && . /etc/shop.env && set +a && exec /opt/python -m pytest " in line
    assert " --history=/var/h.sqlite " in line
    text = exported(shop, capsys, "systemd", *here, "--user=till")
    assert {"User=till", "WorkingDirectory=/opt/x", "EnvironmentFile=/etc/shop.env"} <= set(text.splitlines())
    text = exported(shop, capsys, "kubernetes", *given, "--image=r/i:1", "--secret=s", "--namespace=n")
    document = next(d for d in yaml.safe_load_all(text) if d)
    (container,) = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["workingDir"], container["args"][0]) == ("r/i:1", "/opt/x", "/opt/python")
    assert {entry["valueFrom"]["secretKeyRef"]["name"] for entry in container["env"]} == {"s"}
    assert document["metadata"]["namespace"] == "n"


def refused(shop: Shop, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(CommandError) as problem:
        exported(shop, capsys, *words)
    told = str(problem.value)
    assert "\n" not in told
    assert capsys.readouterr().out == ""
    return told


@pytest.mark.parametrize("words", FORMATS, ids=lambda words: words[0])
def test_without_a_time_one_line_says_what_to_give(
    shop: Shop, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    told = "environment shop does not say when the deployment was complete: give --deployed-at=2026-05-01T09:00:00Z"
    assert refused(shop, capsys, *words) == told
    write(shop, deployment={"deployed_at": "${env:DEPLOYED_AT}"})
    assert refused(shop, capsys, *words) == told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            ["--deployed-at=today"],
            "--deployed-at: 'today' is no time; write it as in --deployed-at=2026-05-01T09:00:00Z",
        ),
        (["--deployed-at=2026-05-01T09:00"], "--deployed-at: the time needs its zone: end it with Z for UTC, as in "),
        (["--deployed-at=2020-05-01T09:00:00Z"], "the watch that began at 2020-05-01 09:00 UTC was over at 2020-05-02"),
        (["--directory=/a\nb"], r"--directory: '/a\nb' has characters in it that a schedule cannot hold"),
        (
            ["--history=postgresql://u:p@h/d"],
            "--history: no password in a schedule: put 'history' into the environment",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_refused(
    shop: Shop, capsys: pytest.CaptureFixture[str], given: list[str], told: str
) -> None:
    assert refused(shop, capsys, "crontab", *given).startswith(told)


def test_without_a_watch_there_is_no_schedule(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    write(shop, watch=None)
    told = "environment shop has no 'watch': `watch: {}` is a day with 12 checkpoints"
    assert refused(shop, capsys, "crontab", f"--deployed-at={ago(minutes=1)}") == told


@pytest.mark.parametrize("words", FORMATS[2:], ids=lambda words: words[0])
def test_where_no_disk_is_shared_the_history_must_be_a_servers(
    shop: Shop, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    write(shop, history=None)
    told = refused(shop, capsys, *words, f"--deployed-at={ago(minutes=1)}")
    assert told.startswith("environment shop: ")
    assert told.endswith(
        "so the history must be a server's: add to the environment"
        " history: {url: postgresql://USER@HOST/NAME, password: ${env:HISTORY_PASSWORD}}"
    )


def test_it_is_a_command_of_golive_however_that_is_started(shop: Shop) -> None:
    for start in ([str(BIN / "golive")], [sys.executable, "-m", "commands.main"]):
        done = run([*start, "export", "crontab", f"--env={shop.file}"])
        assert (done.returncode, done.stdout.count("\n")) == (4, 1), done.stdout
        assert "give --deployed-at=" in done.stdout
