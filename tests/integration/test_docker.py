"""Containers on a real Docker engine: every fault of their settings and of their state, caught by its check."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from checks.services import no_crashes, no_restarts, resources, running
from golive.environment.sections import DeploymentSection
from golive.model import CouldNotLook, Status
from golive.targets.services import ServicesReading
from golive.targets.services.docker import Config, identity, identity_snippet
from tests.checks.containers.made import look
from tests.integration.boxes import Boxes, boxes, holds, host, read
from tests.integration.world.engine import running_engine
from tests.judged import Judged, judged, run_context

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    "not_root", "image_pinned", "image_digest", "limits", "read_only_root", "capabilities", "not_privileged",
    "no_docker_socket", "published_ports", "health_check", "oom_kills", "restarts",
)  # fmt: skip
HARDENED = {
    "--user": "1000:1000",
    "--cap-drop": "ALL",
    "--security-opt": "no-new-privileges",
    "--memory": "32m",
    "--cpus": "0.5",
    "--pids-limit": "50",
    "--health-cmd": "test -e /bin/busybox",
    "--health-interval": "300ms",
    "--restart": "unless-stopped",
    "--read-only": "",
}
"""Options of a container with which nothing is wrong."""

FAULTS: dict[str, tuple[str, dict[str, str | None], str]] = {
    "root": ("not_root", {"--user": None}, "runs as root"),
    "latest": ("image_pinned", {"TAG": "latest"}, "TOKEN:latest is a tag that moves"),
    "no-memory": ("limits", {"--memory": None}, "no limit of memory"),
    "no-cpu": ("limits", {"--cpus": None}, "no limit of cpu"),
    "no-pids": ("limits", {"--pids-limit": None}, "no limit of pids"),
    "writable": ("read_only_root", {"--read-only": None}, "can write its root"),
    "default-caps": ("capabilities", {"--cap-drop": None}, "drops nothing of the default set"),
    "more-caps": ("capabilities", {"--cap-add": "SYS_ADMIN"}, "holds SYS_ADMIN"),
    "all-caps": ("capabilities", {"--privileged": ""}, "holds every capability (privileged)"),
    "privileged": ("not_privileged", {"--privileged": "", "--security-opt": "no-new-privileges"}, "is privileged"),
    "host-pid": ("not_privileged", {"--pid": "host"}, "shares the pid namespace of the host"),
    "setuid": ("not_privileged", {"--security-opt": None}, "may gain privileges"),
    "no-seccomp": (
        "not_privileged",
        {"--security-opt": "seccomp=unconfined"},
        "seccomp is switched off, may gain privileges",
    ),
    "socket": (
        "no_docker_socket",
        {"--volume": "/var/run/docker.sock:/engine:ro"},
        "sees /var/run/docker.sock of the host",
    ),
    "etc": ("no_docker_socket", {"--volume": "/etc:/host-etc:ro"}, "sees /etc of the host"),
    "world": ("published_ports", {"--publish": "0.0.0.0:PORT:80"}, "publishes 0.0.0.0:PORT to the world"),
    "no-health": ("health_check", {"--health-cmd": None, "--health-interval": None}, "has no health check"),
    "unhealthy": (
        "health_check",
        {"--health-cmd": "echo 'no connection'; false", "--health-retries": "1"},
        "is unhealthy, its last check said: no connection",
    ),
    "no-policy": ("restarts", {"--restart": None}, "has no restart policy"),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Boxes]:
    with running_engine(), boxes("docker") as made:
        made.image("latest")
        made.call("network", "create", made.token)
        made.always = ("--network", made.token)
        yield made


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Ports of this machine that nobody uses."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return {"PORT": found[0], "OWN": found[1]}


@pytest.fixture(scope="module")
def everything(engine: Boxes, ports: dict[str, int]) -> ServicesReading:
    """One look at a hardened container and at one for each fault."""
    changes = {"good": {"--publish": f"127.0.0.1:{ports['OWN']}:80"}} | {
        name: fault[1] for name, fault in FAULTS.items()
    }

    def start(name: str) -> str:
        options: dict[str, str | None] = {**HARDENED, **changes[name]}
        tag = options.pop("TAG", None) or "1"
        words = [w for key, value in options.items() if value is not None for w in ((key, value) if value else (key,))]
        return engine.run(name, *(word.replace("PORT", str(ports["PORT"])) for word in words), tag=tag)

    with ThreadPoolExecutor(2) as pool:
        names = list(pool.map(start, changes))
    engine.until(engine.token + "-good", "{{.State.Health.Status}}", "healthy")
    engine.until(engine.token + "-unhealthy", "{{.State.Health.Status}}", "unhealthy")
    return read(named(expected=tuple(names), label=f"by={engine.token}"))


def named(**keys: Any) -> Config:
    """A set of containers of this machine."""
    return Config.model_validate({"kind": "docker", "host": "app", **keys})


def only(reading: ServicesReading, *names: str) -> ServicesReading:
    """The reading as if there were only these services."""
    return replace(reading, expected=names, services={name: reading.services[name] for name in names})


@pytest.mark.parametrize("check", CHECKS)
def test_a_hardened_container_passes(
    check: str, engine: Boxes, everything: ServicesReading, ports: dict[str, int]
) -> None:
    name = f"{engine.token}-good"
    declared = {"ports": {name: [f"127.0.0.1:{ports['OWN']}"]}} if check == "published_ports" else {}
    found = look(check, only(everything, name), **declared)
    assert found.status is Status.PASS, found.message


@pytest.mark.parametrize("fault", FAULTS)
def test_a_container_with_one_setting_wrong_is_named(
    fault: str, engine: Boxes, everything: ServicesReading, ports: dict[str, int]
) -> None:
    check, _, told = FAULTS[fault]
    good, bad = f"{engine.token}-good", f"{engine.token}-{fault}"
    declared = {"ports": {good: [f"127.0.0.1:{ports['OWN']}"]}} if check == "published_ports" else {}
    found = look(check, only(everything, good, bad), **declared)
    assert found.status is Status.FAIL
    words = told.replace("TOKEN", engine.token).replace("PORT", str(ports["PORT"]))
    assert found.message.endswith(f"1 of 2 containers, at most 0 of 2 containers needed ({bad}: {words})")


def test_an_undeclared_port_on_a_declared_service_is_named(
    engine: Boxes, everything: ServicesReading, ports: dict[str, int]
) -> None:
    name = f"{engine.token}-good"
    found = look("published_ports", only(everything, name), ports={name: ["127.0.0.1:1", f"[::1]:{ports['OWN']}"]})
    assert f"({name}: publishes 127.0.0.1:{ports['OWN']})" in found.message


def test_a_service_that_is_excepted_is_told_with_its_reason(engine: Boxes, everything: ServicesReading) -> None:
    name = f"{engine.token}-root"
    found = look("not_root", only(everything, name), **{"except": {name: "drops root by itself"}})
    assert (found.status, f"{name} is excepted: drops root by itself" in found.message) == (Status.PASS, True)


def test_what_root_gives_up_may_pass(engine: Boxes, everything: ServicesReading) -> None:
    name = f"{engine.token}-root"
    assert look("not_root", only(everything, name), may_drop=True).status is Status.FAIL


def test_use_is_read_from_the_kernel(engine: Boxes) -> None:
    name = engine.run("busy", "--cpus", "0.5", does="while :; do id >/dev/null; done")
    found = read(named(expected=(name,)), with_rates=True).services[name]
    assert found.cpu_percent is not None and 0 < found.cpu_percent < 80
    assert found.memory_bytes is not None and 100_000 < found.memory_bytes < 30_000_000
    params = resources.Params.model_validate({"services": "app"})
    reading = ServicesReading(expected=(name,), services={name: found})
    assert (
        judged(resources.test_use_of_every_service_is_recorded, criterion=params, services=reading).status
        is Status.PASS
    )
    engine.drop(name)


# State


def test_a_process_that_is_killed_for_lack_of_memory_is_counted_though_its_container_survives(engine: Boxes) -> None:
    name = engine.run("starved", "--memory", "16m", does="while :; do tail /dev/zero; sleep 1; done")
    config = named(expected=(name,))
    holds(lambda: bool(read(config).containers[0].oom_kills), "a kill for lack of memory")
    assert engine.told(name, "{{.State.Status}} {{.State.OOMKilled}}") == "running false"
    found = look("oom_kills", read(config))
    assert found.status is Status.FAIL
    assert f"({name}: " in found.message and "killed for lack of memory)" in found.message
    engine.drop(name)


def test_a_container_that_ended_for_lack_of_memory(engine: Boxes, tmp_path: Path) -> None:
    name = engine.run("ended", "--memory", "16m", does="tail /dev/zero")
    engine.until(name, "{{.State.Status}}", "exited")
    reading = read(named(expected=(name,)))
    assert look("oom_kills", reading).message.endswith(f"({name}: 1 killed for lack of memory, it is exited)")
    stopped = judged(
        running.test_all_services_are_running,
        criterion=running.Params.model_validate({"services": "app"}),
        services=reading,
    )
    assert stopped.status is Status.FAIL
    assert f"{name} is exited (exit code 137, killed for lack of memory)" in stopped.message
    crashed = judged(
        no_crashes.test_no_service_has_crashed,
        criterion=no_crashes.Params.model_validate({"services": "app", "window": "1 min"}),
        services=reading,
        context=run_context(tmp_path),
    )
    assert f"1 crashes, at most 0 crashes needed ({name}: killed for lack of memory" in crashed.message
    engine.drop(name)


def test_a_container_that_its_policy_starts_again_and_again(engine: Boxes, tmp_path: Path) -> None:
    since = datetime.now(UTC)
    name = engine.run("crashing", "--restart", "always", does="sleep 0.3; exit 3")
    config = named(expected=(name,))
    holds(lambda: (read(config).containers[0].restarts or 0) >= 2, "two restarts")
    reading = read(config)
    found = look("restarts", reading)
    assert found.status is Status.FAIL and "was restarted " in found.message
    assert look("restarts", reading, at_most=1000).status is Status.PASS
    crashed = judged(
        no_crashes.test_no_service_has_crashed,
        criterion=no_crashes.Params.model_validate({"services": "app"}),
        services=reading,
        context=run_context(tmp_path, deployment=DeploymentSection(deployed_at=since)),
    )
    assert crashed.status is Status.FAIL
    assert f"{name}: ended with exit code 3 at " in crashed.message
    engine.drop(name)


def test_a_restart_between_two_looks_and_since_the_deployment(engine: Boxes, tmp_path: Path) -> None:
    name = engine.run("again", does="trap 'exit 0' TERM; while :; do sleep 0.1; done")
    config = named(expected=(name,))

    def judge(deployed_at: datetime | None) -> Judged:
        context = run_context(tmp_path, deployment=DeploymentSection(deployed_at=deployed_at))
        params = no_restarts.Params.model_validate({"services": "app", "grace": "0 s"})
        check = no_restarts.test_no_service_has_restarted_since_the_deployment
        found = judged(check, criterion=params, context=context, services=read(config))
        context.state.commit()
        return found

    deployed = datetime.now(UTC)
    assert judge(deployed).status is Status.PASS
    time.sleep(2)
    engine.call("restart", "-t", "5", name)
    found = judge(deployed)
    assert found.status is Status.FAIL
    assert f"1 of 1 services, at most 0 of 1 services needed ({name} was started " in found.message
    asked = judged(
        no_crashes.test_no_service_has_crashed,
        criterion=no_crashes.Params.model_validate({"services": "app"}),
        services=read(config),
        context=run_context(tmp_path / "c", deployment=DeploymentSection(deployed_at=deployed)),
    )
    assert asked.status is Status.PASS, asked.message  # it was asked to stop, and did
    engine.drop(name)


def test_a_tag_that_was_moved_and_an_image_that_is_not_the_expected_one(engine: Boxes) -> None:
    first = engine.image("moving", "one")
    name = engine.run("moved", tag="moving")
    config = named(expected=(name,))
    running_id = engine.told(name, "{{.Image}}")
    assert look("image_digest", read(config), digests={name: running_id}).status is Status.PASS
    assert look("image_digest", read(config), from_registry=True).message.endswith(
        f"({name}: {first} has no digest of a registry)"
    )
    engine.image("moving", "two")
    moved = engine.call("image", "inspect", "--format", "{{.Id}}", first).strip()
    found = look("image_digest", read(config), digests={name: moved})
    assert found.status is Status.FAIL
    assert f"{name}: runs {running_id[:19]}, expected {moved[:19]}" in found.message
    assert f"{first} stands for {moved[:19]} now, and {running_id[:19]} runs" in found.message
    assert look("image_digest", read(config), tag_stays=False).status is Status.PASS
    engine.call("rmi", first)
    assert f"{first} stands for no image any more" in look("image_digest", read(config)).message
    engine.drop(name)


# Could not look


def test_a_container_that_is_not_there_is_missing_and_cannot_be_judged(engine: Boxes) -> None:
    reading = read(named(expected=(f"{engine.token}-none",)))
    assert (reading.missing, reading.note) == ((f"{engine.token}-none",), "docker containers has no container")
    found = look("not_root", reading)
    assert (found.status, found.message) == (Status.UNKNOWN, f"{engine.token}-none has no container to look at")


def test_a_volume_that_stands_for_a_path_of_the_host_is_seen_as_that_path(engine: Boxes) -> None:
    volume, own = f"{engine.token}-etc", f"{engine.token}-own"
    engine.call("volume", "create", "--opt", "type=none", "--opt", "o=bind", "--opt", "device=/etc", volume)
    try:
        name = engine.run("volumes", "--volume", f"{volume}:/host", "--volume", f"{own}:/data")
        reading = read(named(expected=(name,)))
        engine.call("rm", "--force", name)
    finally:
        engine.call("volume", "rm", volume, own)
    assert sorted((mount.target, mount.source) for mount in reading.containers[0].mounts) == [
        ("/data", ""),
        ("/host", "/etc"),
    ]
    assert f"{name}: sees /etc of the host" in look("no_docker_socket", reading).message


def test_who_shares_the_network_of_who_shares_the_hosts_shares_it_too(engine: Boxes) -> None:
    always, engine.always = engine.always, ()
    try:
        first, alone = engine.run("first", "--network", "host"), engine.run("alone")
        names = [engine.run("second", "--network", f"container:{first}")]
        names.append(engine.run("third", "--network", f"container:{alone}"))
    finally:
        engine.always = always
    reading = read(named(expected=tuple(names)))
    assert [one.rights.host_namespaces for one in reading.containers] == [("network",), ()]
    assert "shares the network of the host" in look("published_ports", reading).message
    engine.drop(*names, first, alone)


def test_other_mounts_and_other_hosts_are_another_configuration(engine: Boxes) -> None:
    def digest(*options: str) -> str:
        name = engine.run("given", *options)
        config = named(expected=(name,))
        said = host({}).run(identity_snippet(config)).stdout
        engine.call("rm", "--force", name)
        return identity(config, said, "app")[name, "configuration"]

    plain = digest()
    assert digest() == plain
    others = [
        digest("--mount", "type=bind,source=/srv,target=/x,readonly"),
        digest("--mount", "type=bind,source=/,target=/x"),
        digest("--add-host", "db:10.0.0.1"),
        digest("--add-host", "db:10.0.0.2"),
    ]
    assert len({plain, *others}) == 5


def test_an_engine_that_is_down_is_unknown(engine: Boxes, tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"host app: docker containers: .*Cannot connect to the Docker daemon"):
        read(named(expected=("x",), engine=f"unix://{tmp_path}/none.sock"))


def test_an_engine_that_accepts_and_never_answers_is_unknown_within_its_time(engine: Boxes, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(CouldNotLook, match="host app: docker containers: `docker` did not answer within 6 s"):
            read(named(expected=("x",), engine=f"unix://{path}"))
        assert time.monotonic() - began < 10


# A whole run

CRITERION = """
- id: shop.security.CHECK
  says: CHECK holds for every container
  check: containers/CHECK
  severity: high
"""


def test_a_run_judges_all_and_tells_no_secret(engine: Boxes, tmp_path: Path) -> None:
    secret = "planted-marker-of-a-secret"
    options = [
        word for key, value in HARDENED.items() if key != "--user" for word in ((key, value) if value else (key,))
    ]
    options += [
        "--env",
        f"PASSWORD={secret}",
        "--label",
        f"token={secret}",
        "--health-cmd",
        f"test {secret} = {secret}",
    ]
    name = engine.run("whole", *options, does=f": {secret}; sleep 600")
    engine.until(name, "{{.State.Health.Status}}", "healthy")
    names = {check: check.replace("_", "-") for check in CHECKS}
    text = "".join(
        CRITERION.replace("shop.security.CHECK", f"shop.security.{names[c]}").replace("CHECK", c) for c in CHECKS
    )
    (tmp_path / "criteria.yaml").write_text(text)
    services = {"kind": "docker", "host": "app", "expected": [name]}
    environment = {"system": "shop", "hosts": {"app": {"connect": "local://"}}, "services": {"boxes": services}}
    (tmp_path / "shop.yaml").write_text(json.dumps({**environment, "criteria": ["criteria.yaml"]}))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--env={tmp_path / 'shop.yaml'}", f"--output={tmp_path / 'out'}", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads((tmp_path / "out/shop/latest/results.json").read_text())
    outcomes = {o["criterion"].rpartition(".")[2]: o["outcome"] for o in found["outcomes"]}
    assert outcomes == {name: "fail" if name == "not-root" else "pass" for name in names.values()}
    told = [file for file in (tmp_path / "out").rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
    assert not told and secret not in done.stdout + done.stderr
    engine.drop(name)
