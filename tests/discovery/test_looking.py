"""What was found is read as a run would read it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.discovery.discovering import address_of, why_not_up
from golive.discovery.found import ServiceSet, Source
from golive.discovery.questions.containers import Declared
from golive.discovery.target import parse
from golive.discovery.visiting import looking
from golive.environment.sections import HostSection
from golive.logs import LogReading
from tests.discovery.made import NOW, seen, survey
from tests.shims import local_host
from tests.supervised import supervised


def source(path: Path) -> Source:
    return Source(name="till", config={"kind": "file", "host": "app", "path": str(path)})


def test_a_file_whose_lines_are_rare_is_described_so(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    file = tmp_path / "till.log"
    file.write_text(json.dumps({"time": (now + timedelta(seconds=30)).isoformat(), "level": "info"}) + "\n")
    later = now.timestamp() + 30
    os.utime(file, (later, later))
    (rare,), readings = looking.logs(local_host(), [source(file)], now)
    assert rare.config["sparse"] is True
    assert isinstance(readings["till"], LogReading)
    assert readings["till"].gap is None


def test_a_log_that_does_not_reach_back_keeps_its_gap(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    file = tmp_path / "till.log"
    file.write_text(json.dumps({"time": now.isoformat(), "level": "info"}) + "\n")
    (same,), readings = looking.logs(local_host(), [source(file)], now - timedelta(hours=1))
    assert "sparse" not in same.config
    assert isinstance(readings["till"], LogReading)
    assert "the oldest retained line is from" in str(readings["till"].gap)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"kind": "file", "host": "app", "path": "/no/such.log"}, "/no/such.log"),
        ({"kind": "smoke-signals", "host": "app"}, "there is no kind 'smoke-signals' of logs"),
        ({"kind": "file", "host": "app"}, "it cannot be described: Field required"),
    ],
)
def test_a_source_that_cannot_be_read_has_its_reason(config: dict[str, str], says: str) -> None:
    _, readings = looking.logs(local_host(), [Source(name="till", config=config)], NOW)
    assert says in str(readings["till"])


def test_sets_are_read_as_a_run_reads_them(tmp_path: Path) -> None:
    section = HostSection.model_validate(
        {"connect": "local://", "cpu_window": "100 ms", "path": [str(tmp_path / "s/bin")]}
    )
    with supervised(tmp_path / "s", ["api"]) as running:
        config = {"kind": "supervisor", "host": "app", "config": str(running.folder / "s.conf")}
        sets = [
            ServiceSet(name="good", config=config, expected=("api",)),
            ServiceSet(name="gone", config={**config, "config": "/no/such.conf"}, expected=("api",)),
            ServiceSet(name="odd", config={**config, "kind": "magic"}, expected=("api",)),
        ]
        found = looking.again(section, sets, survey())
    good = found.services["good"]
    assert not isinstance(good, str)
    assert good.services["api"].running
    assert "does not answer" in str(found.services["gone"])
    assert found.services["odd"] == "there is no kind 'magic' of services"


@pytest.mark.parametrize(
    ("containers", "why"),
    [
        ({"web": "running", "job": "exited"}, None),
        ({"web": "restarting"}, None),
        ({}, "no container of it is there: bring it up first"),
        (
            {"job": "exited", "web": "created"},
            "none of its containers runs: job (exited), web (created): bring it up first",
        ),
    ],
)
def test_a_project_of_which_nothing_runs_is_not_up(containers: dict[str, str], why: str | None) -> None:
    own = tuple(seen(name, project="shop", service=name, status=status) for name, status in containers.items())
    by_hand = seen("x", project="shop", service="web", is_oneoff=True)
    declared = Declared(services=("web", "job"), ids=tuple(one.id for one in own))
    assert why_not_up(survey("compose", "/srv/shop", containers=(*own, by_hand), declared=declared)) == why
    assert why_not_up(survey("docker", containers=own)) is None


def test_address_is_what_the_ssh_configuration_says(tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host shop\n  HostName 10.1.2.3\n")
    assert address_of(parse("ssh://deploy@shop"), {"ssh_config": str(config)}) == "10.1.2.3"
    assert address_of(parse("ssh://shop.example"), {"ssh_config": str(config)}) == "shop.example"
    assert address_of(parse("local"), {}) == "127.0.0.1"
    assert address_of(parse("docker://api"), {}) == ""
