"""Containers by name and label, through a double of Docker's client; and Podman through one of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import docker, podman
from tests.shims import local_host, shim
from tests.targets.services import engine_double as double
from tests.targets.services.engine_double import IMAGE, answer, event, row

FACTS = HostFacts(host="app")


def named(service: str, **more: Any) -> dict[str, Any]:
    """A container whose service is its name."""
    return row(f"/{service}", service, group="", **more)


def config(**more: Any) -> docker.Config:
    return docker.Config.model_validate({"kind": "docker", "host": "app", "expected": ["api", "db"], **more})


def podman_config(**more: Any) -> podman.Config:
    return podman.Config.model_validate({"kind": "podman", "host": "app", "expected": ["api", "db"], **more})


def test_containers_by_their_names() -> None:
    found = docker.parse(config(), answer([named("api"), named("other")]), FACTS)
    assert (set(found.services), found.missing, found.undeclared) == ({"api", "other"}, ("db",), ("other",))
    assert docker.parse(config(leave_out=["other"]), answer([named("other")]), FACTS).undeclared == ()


def test_only_the_expected_names_are_listed(tmp_path: Path) -> None:
    bin_folder = double.engine(tmp_path, [named("api")], events=[event("die", "api", code="1", group="", id="x")])
    found = local_host(bin_folder, {"app": config(expected=["api", "a.b"])}).read_services("app")
    log = (tmp_path / "log").read_text()
    assert log.startswith(r"ps -a -q --no-trunc --filter name=^/?api$ --filter name=^/?a\.b$")
    assert "--filter container=api --filter container=a.b" in log
    assert [crash.says for crash in found.crashes] == ["api: ended with exit code 1"]


def test_events_of_a_container_whose_name_only_begins_so_are_not_told() -> None:
    """`docker events --filter container=api` tells of `api2` too."""
    events = [event("die", name, code="1", group="", id=f"id of {name}") for name in ("api2", "api")]
    found = docker.parse(config(), answer([named("db")], events=events), FACTS)
    assert [crash.says for crash in found.crashes] == ["api: ended with exit code 1"]
    of_label = docker.parse(config(label="app=shop"), answer([named("db")], events=events), FACTS)
    assert len(of_label.crashes) == 2


@pytest.mark.parametrize(("code", "why"), [(124, "did not answer within 6 s"), (1, "no such driver")])
def test_events_that_were_not_told_are_not_taken_for_none(code: int, why: str) -> None:
    told = answer([named("api")], oldest="1777000000", events=["Error: no such driver"], events_code=code)
    gap = docker.parse(config(), told, FACTS).crashes_gap
    assert gap is not None and "docker containers: events are not known" in gap and why in gap
    assert docker.parse(config(), told.replace(f"asked {code}", "asked 0"), FACTS).crashes_gap is None
    # Podman is not asked for any.
    assert podman.parse(podman_config(), told, FACTS).crashes_gap is None


def test_a_label_makes_the_set_and_another_one_names_the_services(tmp_path: Path) -> None:
    bin_folder = double.engine(tmp_path, [])
    chosen = config(label="app=shop", service_label="com.example.part")
    found = local_host(bin_folder, {"app": chosen}).read_services("app")
    assert (found.missing, found.note) == (("api", "db"), "docker containers with label app=shop has no container")
    log = (tmp_path / "log").read_text()
    assert log.startswith("ps -a -q --no-trunc --filter label=app=shop --filter label=com.example.part\n")
    assert '(index . "com.example.part")' in docker.snippet(chosen)
    with pytest.raises(ValidationError):
        config(service_label='x") }}{{ .Config.Env')


def test_a_volume_that_stands_for_a_path_of_the_host_is_that_path(tmp_path: Path) -> None:
    volumes = [{"Type": "volume", "Name": name, "Destination": f"/{name}", "RW": True} for name in ("etc", "own", "x")]
    bin_folder = double.engine(tmp_path, [named("api", mounts=volumes)])
    (tmp_path / "volumes").write_text('{"name":"etc","path":"/etc"}\n{"name":"own","path":""}\n')
    (container,) = local_host(bin_folder, {"app": config()}).read_services("app").containers
    assert [(str(mount), mount.is_told) for mount in container.mounts] == [
        ("/etc on /etc", True),
        (" on /own", True),
        (" on /x", False),
    ]
    log = (tmp_path / "log").read_text()
    assert log.count("volume inspect") == 1 and " etc own x\n" in log and "json .Options" not in log


def test_an_image_is_known_by_any_of_its_names() -> None:
    def now(reference: str, *tags: str, digests: tuple[str, ...] = ()) -> str | None:
        images = json.dumps({"id": IMAGE, "tags": tags, "digests": digests})
        (container,) = docker.parse(
            config(), answer([named("api", reference=reference)], images=images), FACTS
        ).containers
        return container.image.reference_digest if container.image else None

    assert now("nginx", "nginx:latest") == IMAGE
    assert now("docker.io/library/nginx:1", "nginx:1") == IMAGE
    assert now("nginx:1", "docker.io/library/nginx:1") == IMAGE
    assert now("shop/x", "localhost/shop/x:latest") == IMAGE
    assert now("registry:5000/x", "registry:5000/x:latest") == IMAGE
    assert now(f"nginx:1@{double.OTHER}", digests=(f"nginx@{double.OTHER}",)) == IMAGE
    assert now(IMAGE) == now(IMAGE[7:19]) == IMAGE
    assert now("nginx:2", "nginx:1") == ""


def test_an_image_that_was_not_told_leaves_its_tag_unknown() -> None:
    (container,) = docker.parse(config(), answer([named("api")], images="rubbish"), FACTS).containers
    assert container.image is not None
    assert (container.image.reference_digest, container.image.registry_digests) == (None, None)


def deployed(*rows: dict[str, Any]) -> str:
    ids = "\n".join(one["id"] for one in rows)
    lines = (f"{json.dumps(one)}|{'ef' * 32}  -" for one in rows)
    return f"-- golive ids\n{ids}\n-- golive containers\n" + "\n".join(lines)


def test_identity_digests_on_the_host_all_that_a_container_was_given() -> None:
    one = {"id": double.identity("api"), "service": "/api", "oneoff": "", "image": IMAGE}
    assert docker.identity(config(), deployed(one), "app") == {
        ("api", "image"): IMAGE,
        ("api", "configuration"): f"sha256:{'ef' * 32}",
        ("api", "replicas"): "1",
    }
    text = docker.identity_snippet(config())
    assert text.rstrip().endswith("| digested") and "sha256sum" in text
    with pytest.raises(CouldNotLook, match="api: a container does not tell the digest of its configuration"):
        docker.identity(config(), deployed(one).replace("ef" * 32, "sha256sum: not found"), "app")


def test_what_makes_the_configuration_never_leaves_the_host(tmp_path: Path) -> None:
    one = {"id": row("x", "api")["id"], "service": "/api", "oneoff": "", "image": IMAGE}
    bin_folder = double.engine(tmp_path, [named("api")])
    found: list[str] = []
    for value in ("planted", "planted", "other"):
        environment = [f'"PASSWORD={value}"', f'"HOSTNAME={len(found)}"', '"A=1"']
        told = "\t".join(['["run"]', *(environment[::-1] if found else environment)])  # Podman keeps no order
        (tmp_path / "rows").write_text(f"{json.dumps(one)}|{told}\n")
        said = local_host(bin_folder).run(docker.identity_snippet(config())).stdout
        assert "planted" not in said
        found.append(docker.identity(config(), said, "app")["api", "configuration"])
    assert found[0] == found[1] != found[2]


# Podman


def test_podman_is_asked_in_its_own_words(tmp_path: Path) -> None:
    one = named("api", policy="", image=IMAGE.removeprefix("sha256:"), reference="localhost/shop/x:1.2")
    bin_folder = double.engine(tmp_path, [one], program="podman")
    found = local_host(bin_folder, {"app": podman_config()}).read_services("app")
    (container,) = found.containers
    assert (container.restart_policy, container.running) == ("no", True)
    assert container.image is not None and container.image.digest == IMAGE
    log = (tmp_path / "log").read_text()
    assert "{{.ImageName}}|" in log and "{{json .ID}}" in log
    assert "events" not in log and "Env" not in log


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Error: cannot connect to Podman' >&2; exit 125", "Error: cannot connect to Podman"),
        (
            "echo 'Error: permission denied' >&2; exit 125",
            "the engine's socket is closed to this user: set `sudo: true`",
        ),
        ("echo rubbish; exit 3", "rubbish"),
        ("exit 127", "`podman` is not installed there"),
    ],
)
def test_podman_that_refuses_is_unknown(tmp_path: Path, script: str, why: str) -> None:
    shim(tmp_path / "bin", "podman", script)
    with pytest.raises(CouldNotLook) as problem:
        local_host(tmp_path / "bin", {"app": podman_config()}).read_services("app")
    assert str(problem.value).startswith(f"host app: podman containers: {why}")


def test_podman_that_prints_rubbish_has_no_container(tmp_path: Path) -> None:
    """What is no id of a container is passed over, as warnings are; the services are then missing."""
    shim(tmp_path / "bin", "podman", "echo '<html>'")
    assert local_host(tmp_path / "bin", {"app": podman_config()}).read_services("app").missing == ("api", "db")
