"""Two hosts with networks of their own, one of them cut off: the other is judged as ever, and nobody waits for long."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.world.host import UID, Cable, PretendedHost
from tests.integration.world.production import verified
from tests.verification import Verified

TIMEOUT_S, WINDOW_S = 4, 2
SLACK_S = 6
"""By how much one run may be slower than another on a machine that does other things as well."""
CRITERIA = """
- {id: shop.HOST.memory, says: memory is left, check: hosts/memory, host: HOST, critical: 99, severity: high}
- {id: shop.HOST.inodes, says: inodes are left, check: hosts/inodes, host: HOST, paths: [/home], critical: 99.9,
   severity: high}
- {id: shop.HOST.disk, says: space is left, check: hosts/disk, host: HOST, paths: [/home], critical: 99.9,
   severity: high}
- {id: shop.HOST.clock, says: the clock agrees, check: hosts/clock, host: HOST, critical: 5 s, severity: high}
- {id: shop.HOST.file, says: the file is there, check: hosts/file, host: HOST, path: /srv/shop/ready, contains: ready,
   severity: high}
- {id: shop.HOST.log, says: nothing critical, check: logs/no_critical, logs: [HOST], severity: high}
"""
NAMES = ("memory", "inodes", "disk", "clock", "file", "log")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two hosts and the environment that names both."""

    folder: Path
    near: PretendedHost
    far: PretendedHost
    healthy: Verified
    healthy_s: float

    def verify(self, *arguments: str) -> Verified:
        return verified(self.folder / "shop.yaml", self.folder / "out", {}, *arguments)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    assert os.geteuid() == 0, "networks and mounts of a host's own can only be made by root"
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    folder.chmod(0o711)
    shop = folder / "shop"
    shop.mkdir(mode=0o755)
    (shop / "ready").write_text("ready\n", encoding="utf-8")
    (shop / "shop.log").write_text(
        '{"time": "2026-01-01T00:00:00Z", "level": "INFO", "message": "up"}\n', encoding="utf-8"
    )
    hosts = []
    try:
        for name in ("near", "far"):
            hosts.append(PretendedHost(folder / name, name, cable=Cable.free(f"gl{os.getpid()}{name[0]}")))
            hosts[-1].start({"/srv/shop": shop})
        describe(folder, *hosts)
        began = time.monotonic()
        healthy = verified(folder / "shop.yaml", folder / "out", {})
        took_s = time.monotonic() - began
        yield Pair(folder=folder, near=hosts[0], far=hosts[1], healthy=healthy, healthy_s=took_s)
    finally:
        for host in hosts:
            host.stop()
        shutil.rmtree(folder, ignore_errors=True)


def describe(folder: Path, near: PretendedHost, far: PretendedHost) -> None:
    hosts, logs, criteria = "", "", ""
    for host in (near, far):
        hosts += f"  {host.name}: {{connect: 'ssh://{host.name}', ssh_config: {folder}/ssh_config,"
        hosts += f" timeout: {TIMEOUT_S} s, cpu_window: {WINDOW_S} s}}\n"
        logs += f"  {host.name}: {{kind: file, host: {host.name}, path: /srv/shop/shop.log, sparse: true}}\n"
        criteria += CRITERIA.replace("HOST", host.name)
    (folder / "ssh_config").write_text(near.client() + far.client(), encoding="utf-8")
    (folder / "criteria.yaml").write_text(criteria, encoding="utf-8")
    (folder / "shop.yaml").write_text(
        f"system: shop\nhosts:\n{hosts}logs:\n{logs}criteria: [criteria.yaml]\n", encoding="utf-8"
    )


def judged(found: Verified, host: PretendedHost) -> dict[str, str]:
    """Outcome and message of each of its criteria."""
    own = {name: found.outcomes.get(f"shop.{host.name}.{name}", {"outcome": "none", "message": ""}) for name in NAMES}
    return {name: f"{outcome['outcome']}: {outcome['message']}" for name, outcome in own.items()}


def expect_only_the_near_one(found: Verified, pair: Pair, took_s: float) -> None:
    assert all(said.startswith("pass: ") for said in judged(found, pair.near).values()), judged(found, pair.near)
    far = judged(found, pair.far)
    assert all(said.startswith("unknown: ") and "host far" in said for said in far.values()), far
    assert took_s < pair.healthy_s + TIMEOUT_S + WINDOW_S + SLACK_S, found.printed


def test_both_are_judged(pair: Pair) -> None:
    assert pair.healthy.exit_code == 0, pair.healthy.printed
    both = [*judged(pair.healthy, pair.near).values(), *judged(pair.healthy, pair.far).values()]
    assert all(said.startswith("pass: ") for said in both), both


@pytest.mark.parametrize("workers", [0, 2])
def test_of_two_hosts_one_is_cut_off(workers: int, pair: Pair) -> None:
    with pair.far.cut_off():
        began = time.monotonic()
        found = pair.verify("-n", str(workers))
        took_s = time.monotonic() - began
    # Each worker has to find out for itself.
    expect_only_the_near_one(found, pair, took_s - (workers * TIMEOUT_S if workers else 0))


def test_of_two_hosts_one_is_cut_off_while_it_is_looked_at(pair: Pair) -> None:
    """The connection is open and the look has begun; what it left running there ends by itself."""
    let_in = pair.far.accepted()
    ran: list[Verified] = []
    began = time.monotonic()
    run = threading.Thread(target=lambda: ran.append(pair.verify()))
    run.start()
    while pair.far.accepted() == let_in:
        assert run.is_alive(), "the run ended before it reached the host"
        time.sleep(0.01)
    with pair.far.cut_off():
        run.join()
        took_s = time.monotonic() - began
        expect_only_the_near_one(ran[0], pair, took_s)
        deadline = time.monotonic() + TIMEOUT_S + WINDOW_S
        while left := pair.far.running(UID):
            assert time.monotonic() < deadline, f"left on the host: {left}"
            time.sleep(0.1)


def test_both_are_judged_once_the_link_is_back(pair: Pair) -> None:
    found = pair.verify()
    assert all(said.startswith("pass: ") for host in (pair.near, pair.far) for said in judged(found, host).values())
