"""Containers on a real Podman: their settings, their state and what is deployed, in Podman's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from checks.services import running
from golive.model import Status
from golive.targets.services.podman import Config
from golive.watch.identity import _read as read_deployed
from tests.checks.containers.made import look
from tests.integration.boxes import Boxes, boxes, holds, host, read
from tests.judged import judged

# Podman raises the limits of open files and processes, which a small machine may not allow.
MODEST = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "none")
HARDENED = (
    "--user", "1000:1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "32m",
    "--cpus", "0.5", "--pids-limit", "50", "--read-only", "--restart", "always",
)  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[Boxes]:
    with boxes("podman", *MODEST) as made:
        yield made


def named(*names: str) -> Config:
    return Config.model_validate({"kind": "podman", "host": "app", "expected": names})


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("not_root", "runs as root"),
        ("image_pinned", ""),
        ("image_digest", ""),
        ("limits", "no limit of memory, no limit of cpu"),
        ("read_only_root", "can write its root"),
        ("capabilities", "holds CHOWN, DAC_OVERRIDE, "),
        ("not_privileged", "shares the pid namespace of the host, may gain privileges"),
        ("no_docker_socket", "sees /etc of the host"),
        ("published_ports", ""),
        ("health_check", "has no health check"),
        ("oom_kills", ""),
        ("restarts", "has no restart policy"),
    ],
)
def test_a_hardened_and_a_careless_container(check: str, told: str, careless: tuple[str, str, Any]) -> None:
    good, bad, reading = careless
    found = look(check, reading)
    if check == "health_check":
        assert f"{good}: has no health check" in found.message  # Podman's health checks need systemd
    else:
        assert f"{good}:" not in found.message
    assert f"{bad}: {told}" in found.message if told else found.status is Status.PASS, found.message


@pytest.fixture(scope="module")
def careless(engine: Boxes) -> tuple[str, str, Any]:
    """One that is as it should be, one with which much is wrong, and what was read of both."""
    good = engine.run("good", *HARDENED)
    bad = engine.run("bad", "--pid", "host", "--volume", "/etc:/x:ro")
    return good, bad, read(named(good, bad))


def test_use_is_read_from_the_kernel(engine: Boxes) -> None:
    name = engine.run("busy", does="while :; do id >/dev/null; done")
    found = read(named(name), with_rates=True).services[name]
    assert found.cpu_percent is not None and found.cpu_percent > 0
    assert found.memory_bytes is not None and found.memory_bytes > 100_000
    engine.drop(name)


def test_a_container_that_ended_or_was_removed(engine: Boxes) -> None:
    name = engine.run("ended", does="exit 3")
    holds(lambda: engine.told(name, "{{.State.Status}}") == "exited", "the end")
    gone = f"{engine.token}-gone"
    reading = read(named(name, gone))
    params = running.Params.model_validate({"services": "app"})
    found = judged(running.test_all_services_are_running, criterion=params, services=reading)
    assert found.status is Status.FAIL
    assert f"{gone} is not there, {name} is exited (exit code 3)" in found.message
    assert [crash.says for crash in reading.crashes] == [f"{name}: ended with exit code 3"]


def test_what_is_deployed_stays_the_same_when_a_container_is_made_anew(engine: Boxes) -> None:
    def deployed() -> dict[str, str]:
        return read_deployed("all", host({"all": named(name)}))

    name = engine.run("made", "--env", "PASSWORD=planted")
    before = deployed()
    engine.drop(name)
    engine.run("made", "--env", "PASSWORD=planted")
    assert deployed() == before
    engine.drop(name)
    engine.run("made", "--env", "PASSWORD=other")
    after = deployed()
    assert [key for key in before if after[key] != before[key]] == [f"all/{name} configuration"]
    assert "planted" not in str(before)
