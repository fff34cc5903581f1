"""A compose project as the engine's tools print it, through a stand-in for `docker`, and what is printed in bad form.

No engine runs where these tests run; the texts have the documented shapes of `inspect`, `stats` and `events`.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import ServicesReading
from golive.targets.services.compose import Config, identity, identity_snippet, parse
from tests.shims import local_host, shim

LABELS = {"com.docker.compose.project": "shop"}


def container(name: str, **state: Any) -> dict[str, Any]:
    return {
        "Id": f"{name}-id",
        "RestartCount": 1,
        "Config": {"Labels": {**LABELS, "com.docker.compose.service": name}},
        "State": {
            "Status": "running",
            "Pid": 4242,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "2026-05-01T10:00:00.123456789Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            **state,
        },
    }


def event(action: str, service: str = "worker", **attributes: str) -> str:
    labels = {**LABELS, "com.docker.compose.service": service, **attributes}
    return json.dumps({"Action": action, "time": 1777630000, "Actor": {"Attributes": labels}})


CONTAINERS = [
    container("api", Health={"Status": "healthy"}),
    container("worker", Status="exited", ExitCode=137, OOMKilled=True, FinishedAt="2026-05-01T11:00:00Z", Pid=0),
    container("db", Health={"Status": "unhealthy"}, StartedAt="rubbish"),
    container("extra"),
    {"Id": "no compose container"},
]
STATS = json.dumps({"ID": "api-id", "CPUPerc": "12.50%", "MemUsage": "64MiB / 1.9GiB", "NetIO": "1.5kB / 2MB"})
EVENTS = "\n".join(
    [
        event("die", exitCode="0"),
        event("die", exitCode="137"),
        event("kill", signal="15"),
        event("health_status: unhealthy", "db"),
        event("die", exitCode="1").replace('"shop"', '"other"'),
        "rubbish",
        "[]",
    ]
)
DOUBLE = """
echo "$@" >> "{log}"
case "$1" in
ps) echo api-id; echo worker-id ;;
compose) exit 1 ;;
inspect) cat "{folder}/inspect" ;;
stats) cat "{folder}/stats" ;;
events) cat "{folder}/events" ;;
esac
"""


def config(**more: Any) -> Config:
    given = {"kind": "compose", "host": "app", "project": "shop", "expected": ("api", "worker", "db", "web"), **more}
    return Config.model_validate(given)


def read(folder: Path, **more: Any) -> ServicesReading:
    (folder / "inspect").write_text(json.dumps(CONTAINERS) + "\nError: No such object: gone\n")
    (folder / "stats").write_text(f"{STATS}\nrubbish\n")
    (folder / "events").write_text(EVENTS)
    shim(folder / "bin", "docker", DOUBLE.format(log=folder / "log", folder=folder))
    return local_host(folder / "bin", {"app": config(**more)}).read_services("app")


def test_a_project_with_everything_in_it(tmp_path: Path) -> None:
    found = read(tmp_path)
    api, worker, db = (found.services[name] for name in ("api", "worker", "db"))
    assert (api.state, api.running, api.healthy, api.restarts) == ("running (healthy)", True, True, 1)
    assert api.started_at == datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert (api.cpu_percent, api.memory_bytes, api.net_rx_bytes, api.net_tx_bytes) == (
        12.5,
        64 * 2**20,
        1500,
        2_000_000,
    )
    assert (worker.state, worker.running, worker.exit_code, worker.cpu_percent) == ("exited", False, 137, None)
    assert (db.healthy, db.started_at) == (False, None)
    assert (found.missing, found.undeclared) == (("web",), ("extra",))
    assert [crash.says for crash in found.crashes] == [
        "worker: die (exit code 137)",
        "db: health_status: unhealthy",
        "worker: killed for lack of memory",
    ]


def test_compose_v1_lists_the_containers_where_v2_is_not_there(tmp_path: Path) -> None:
    shim(tmp_path / "bin", "docker-compose", 'echo "v1 $@ in $PWD" >> "' + str(tmp_path / "log") + '"; echo api-id')
    assert read(tmp_path, project=None, project_dir=str(tmp_path)).services["api"].running
    log = (tmp_path / "log").read_text().splitlines()
    assert log[:2] == ["compose ps -a -q", f"v1 ps -q in {tmp_path}"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "it printed nothing"),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n",
            "Cannot connect to the Docker daemon",
        ),
        ("-- inspect\n<html>\n-- stats\n-- events\n", "<html>"),
        ("-- inspect\n{}\n-- stats\n-- events\n", "{}"),
        ("no container of the project is there\n", "no container of the project is there"),
    ],
)
def test_what_is_no_project_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook, match="host app: compose project shop: ") as problem:
        parse(config(), said, HostFacts(host="app"))
    assert why in str(problem.value)


def test_a_project_needs_a_name_or_a_folder() -> None:
    with pytest.raises(ValidationError, match=r"needs its 'project' \(name\) or its 'project_dir'"):
        config(project=None)


# What is deployed

WEB, API = "1a" * 32, "2b" * 32


def row(service: str, image: str = f"sha256:{WEB}", configuration: str = API, oneoff: str = "False") -> str:
    return json.dumps({"service": service, "oneoff": oneoff, "configuration": configuration, "image": image})


def test_identity_is_images_configuration_and_replicas() -> None:
    said = "\n".join([row("web"), row("web"), row("api", API, WEB), row("api", image=API, oneoff="True")])
    assert identity(config(), said, "app") == {
        ("api", "image"): f"sha256:{API}",
        ("api", "configuration"): f"sha256:{WEB}",
        ("api", "replicas"): "1",
        ("web", "image"): f"sha256:{WEB}",
        ("web", "configuration"): f"sha256:{API}",
        ("web", "replicas"): "2",
    }


def test_containers_of_different_images_are_all_told() -> None:
    found = identity(config(), f"{row('web')}\n{row('web', API)}\n", "app")
    assert found["web", "image"] == f"sha256:{WEB}, sha256:{API}"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "no container of it is there"),
        ("no container of the project is there\n", "no container of the project is there"),
        ("Cannot connect to the Docker daemon at unix:///x.\n", "Cannot connect to the Docker daemon"),
        (row("web") + "\nError: No such container: gone\n", "No such container: gone"),
        (row("web") + "\n{}\n", "{}"),
        (row("web", oneoff="True"), "no container of it is there"),
        (row("web", image=""), "web: a container does not tell the digest of its image"),
        (row("web") + "\n" + row("web", configuration=""), "web: a container does not tell the digest of its config"),
    ],
)
def test_an_identity_that_was_not_read_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook, match="host app: compose project shop: ") as problem:
        identity(config(), said, "app")
    assert why in str(problem.value)


def test_identity_is_asked_for_in_one_go_and_without_any_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"
    said = f"case $1 in ps) echo api-id ;; inspect) cat <<'END'\n{row('api')}\nEND\n;; esac"
    shim(tmp_path / "bin", "docker", f'printf "%s\\n" "$*" >> {log}\n{said}')
    answer = local_host(tmp_path / "bin").run(identity_snippet(config()))
    assert identity(config(), answer.stdout, "app")["api", "replicas"] == "1"
    listed, inspected = log.read_text().splitlines()
    assert listed.startswith("ps -aq")
    assert inspected.startswith('inspect --type container --format {"service":{{json (index .Config.Labels "com.docker')
    assert inspected.endswith('"image":{{json .Image}}} api-id')
    assert "Env" not in inspected


def test_an_engine_that_is_down_is_named(tmp_path: Path) -> None:
    shim(tmp_path / "bin", "docker", "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")
    answer = local_host(tmp_path / "bin").run(identity_snippet(config()))
    with pytest.raises(CouldNotLook, match="host app: compose project shop: Cannot connect to the Docker daemon"):
        identity(config(), answer.stdout, "app")
