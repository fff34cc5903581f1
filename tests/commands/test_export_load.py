"""`golive export kubernetes-load`: from an environment to manifests, and what it says when there are none to be had."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.main import CommandError
from commands.watching import export
from tests.sessions import Shop

CRITERIA = """
    - {id: shop.load.p95, says: It is fast, check: load/latency, profile: steady, of: p95, critical: 2 s,
       severity: high, when: [load]}
    - {id: shop.load.errors, says: It answers, check: load/errors, profile: other, critical: 1, severity: high,
       when: [load]}
"""
NO_LOAD = """
    - {id: shop.files.there, says: Files are there, check: hosts/file, host: app, severity: high, path: /etc/passwd,
       when: [checkpoint]}
"""
ENDPOINT = {"api": {"url": "http://127.0.0.1:1"}}
ACCOUNTS = {"ann": {"endpoint": "api", "username": "${file:/run/name}", "password": "${env:SHOP_PASSWORD}"}}
HISTORY = {"url": "${env:HISTORY_URL}"}
PROFILE = {"scenarios": [{"name": "reader", "steps": ["GET /x"]}], "stages": [{"ramp": "1 s", "users": 1}]}


def load(*profiles: str) -> dict[str, Any]:
    return {
        "endpoints": ["api"],
        "max_users": 5,
        "max_rate": "10/s",
        "profiles": {name: {**PROFILE, "endpoint": "api"} for name in profiles},
    }


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    write(made)
    return made


def write(shop: Shop, criteria: str = CRITERIA + NO_LOAD, **sections: Any) -> None:
    given = {
        "endpoints": ENDPOINT,
        "accounts": ACCOUNTS,
        "history": HISTORY,
        "load": load("steady", "other", "idle"),
        **sections,
    }
    shop.write(criteria, **{name: value for name, value in given.items() if value is not None})


def exported(shop: Shop, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    parser = argparse.ArgumentParser()
    export.add(parser.add_subparsers())
    options = parser.parse_args(["export", "kubernetes-load", f"--env={shop.file}", "--image=i", *words])
    assert options.run(options) == 0
    return capsys.readouterr().out


def commands(text: str) -> dict[str, list[str]]:
    found = [document for document in yaml.safe_load_all(text) if document and "template" in document["spec"]]
    return {d["kind"]: d["spec"]["template"]["spec"]["containers"][0]["command"] for d in found}


def test_the_whole_load_is_run_and_no_secret_is_in_it(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    text = exported(shop, capsys, "--workers=7")
    assert commands(text)["Job"] == ["python", "-m", "pytest", f"--env={shop.file}", "-m", "load"]
    assert "replicas: 7" in text
    assert "SHOP_PASSWORD" in text
    assert "hunter2" not in text
    assert "The environment reads these files where the Job runs: /run/name." in text


def test_of_one_profile_only_its_criteria_are_asked(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands(exported(shop, capsys, "--profile=steady"))["Job"][-4:] == ["-m", "load", "-k", "shop.load.p95"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--profile=staedy"], "--profile: unknown load profile 'staedy'. Did you mean 'steady'?"),
        (["--profile=idle"], "has no criterion on profile idle, so nothing would be pressed"),
        (["--workers=0"], "--workers: from 1 to 200; got 0"),
        (["--image=a\nb"], "has characters in it that a schedule cannot hold"),
    ],
)
def test_what_cannot_be_run_is_refused(
    shop: Shop, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    with pytest.raises(CommandError) as refused:
        exported(shop, capsys, *words)
    assert told in str(refused.value)


def test_an_environment_without_load_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    write(shop, NO_LOAD, load=None)
    with pytest.raises(CommandError, match="has no 'load'"):
        exported(shop, capsys)


def test_a_history_in_a_file_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    write(shop, history=None)
    with pytest.raises(CommandError, match="pods share no disk, so the history must be a server's"):
        exported(shop, capsys)
