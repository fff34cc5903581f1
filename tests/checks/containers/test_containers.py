"""Checks of containers over records: each fault named, what was not told unknown. (On a real engine: test_docker.)"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from checks.containers import capabilities, image_digest, not_root, published_ports
from fixtures import containers as containers_module
from fixtures.containers import ContainerParams, Containers
from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook, Status
from golive.targets.services import Crash
from golive.targets.services.containers import Health, Mount, Published
from tests.checks.containers.made import DIGEST, IMAGE, MADE_AT, OTHER, container, look, reading
from tests.judged import run_context

CHECKS = (
    "not_root", "image_pinned", "image_digest", "limits", "read_only_root", "capabilities", "not_privileged",
    "no_docker_socket", "published_ports", "health_check", "oom_kills", "restarts",
)  # fmt: skip
BIND = Mount(source="/srv/data", target="/data", writable=True)


def at(source: str, *, writable: bool = True) -> dict[str, Any]:
    return {"mounts": (BIND, Mount(source=source, target="/x", writable=writable))}


TOO_MUCH = (
    "the limit of memory is 64 MB, at most 50 MB is allowed, the limit of cpu is 0.5, at most 0.25 is allowed, "
    "the limit of pids is 50, at most 49 is allowed"
)
FAULTS = [
    ("not_root", {"uids": frozenset({0, 1000})}, {}, "runs as root"),
    ("not_root", {"user": "", "uids": None}, {}, "is started as root"),
    ("not_root", {"user": "0:1000"}, {}, "is started as root"),
    ("not_root", {"user": "root", "running": False, "uids": None}, {}, "is started as root"),
    ("not_root", {"user": "root", "uids": None}, {"may_drop": True}, "is started as root"),
    (
        "not_root",
        {"user": None, "uids": None},
        {},
        "may run as root, since the image decides (neither runAsNonRoot nor runAsUser is set)",
    ),
    ("image_pinned", {"reference": "nginx"}, {}, "nginx names no tag, which means latest"),
    ("image_pinned", {"reference": "r:5000/nginx"}, {}, "r:5000/nginx names no tag, which means latest"),
    ("image_pinned", {"reference": "nginx:latest"}, {}, "nginx:latest is a tag that moves"),
    ("image_pinned", {"reference": "nginx:main"}, {"moving": ["main"]}, "nginx:main is a tag that moves"),
    ("image_pinned", {"reference": "nginx:1.2"}, {"by": "digest"}, "nginx:1.2 names no digest"),
    (
        "image_digest",
        {},
        {"digests": {"api": f"sha256:{'3c' * 32}"}},
        f"runs {DIGEST[:19]}, expected sha256:3c3c3c3c3c3c",
    ),
    ("image_digest", {"registry_digests": ()}, {"from_registry": True}, "shop/x:1.2 has no digest of a registry"),
    ("image_digest", {"reference_digest": ""}, {}, "shop/x:1.2 stands for no image any more"),
    (
        "image_digest",
        {"reference_digest": OTHER},
        {},
        f"shop/x:1.2 stands for {OTHER[:19]} now, and {DIGEST[:19]} runs",
    ),
    ("limits", {"memory": 0, "cpus": 0, "pids_limit": 0}, {}, "no limit of memory, no limit of cpu, no limit of pids"),
    (
        "limits",
        {},
        {"memory_at_most": "50 MB", "cpus_at_most": 0.25, "pids_at_most": 49},
        TOO_MUCH,
    ),
    ("read_only_root", {"read_only_root": False}, {}, "can write its root"),
    ("capabilities", {"capabilities": frozenset({"NET_RAW", "CHOWN"})}, {"allowed": ["cap_chown"]}, "holds NET_RAW"),
    ("capabilities", {"capabilities": frozenset({"ALL"})}, {"allowed": ["default"]}, "holds every capability"),
    ("not_privileged", {"privileged": True}, {}, "is privileged"),
    (
        "not_privileged",
        {"host_namespaces": ("pid", "ipc")},
        {"may_share": ["ipc"]},
        "shares the pid namespace of the host",
    ),
    ("not_privileged", {"devices": ("/dev/kvm", "/dev/fuse")}, {"devices": ["/dev/fuse"]}, "has the device /dev/kvm"),
    ("not_privileged", {"unconfined": ("apparmor",)}, {}, "apparmor is switched off"),
    ("not_privileged", {"no_new_privileges": False}, {}, "may gain privileges"),
    ("no_docker_socket", at("/"), {}, "sees / of the host (with /run/docker.sock)"),
    ("no_docker_socket", at("/var/run/"), {}, "sees /var/run/ of the host (with /run/docker.sock)"),
    (
        "no_docker_socket",
        at("/run/containerd"),
        {},
        "sees /run/containerd of the host (with /run/containerd/containerd.sock)",
    ),
    ("no_docker_socket", at("/run/user/1000/docker.sock"), {}, "sees /run/user/1000/docker.sock of the host"),
    ("no_docker_socket", at("/run/user/1000", writable=False), {}, "sees /run/user/1000 of the host"),
    ("no_docker_socket", at("/run/k3s"), {}, "sees /run/k3s of the host (with /run/k3s/containerd/containerd.sock)"),
    ("no_docker_socket", at("/srv/../etc"), {}, "sees /srv/../etc of the host"),
    ("no_docker_socket", at("/proc/sys"), {}, "sees /proc/sys of the host"),
    ("no_docker_socket", at("/usr/bin"), {}, "sees /usr/bin of the host"),
    (
        "no_docker_socket",
        at("/srv/data/keys", writable=False),
        {"also": ["/srv/data/keys"]},
        "sees /srv/data/keys of the host",
    ),
    ("published_ports", {"published": (Published(address="::", port=80),)}, {}, "publishes [::]:80 to the world"),
    (
        "published_ports",
        {"published": (Published(address="10.0.0.1", port=53, protocol="udp"),)},
        {"ports": {"api": ["10.0.0.1:53", "10.0.0.2:53/udp"]}},
        "publishes 10.0.0.1:53/udp",
    ),
    (
        "published_ports",
        {"published": (Published(address="0.0.0.0", port=0),)},
        {},
        "publishes a port drawn at random to the world",
    ),
    (
        "published_ports",
        {"host_namespaces": ("network",)},
        {},
        "shares the network of the host, so whatever it listens on is published",
    ),
    ("health_check", {"health": Health(checked=False)}, {}, "has no health check"),
    ("health_check", {"health": Health(checked=True, status="starting")}, {}, "is starting"),
    ("health_check", {"health": Health(checked=True)}, {}, "is not told to be healthy"),
    ("health_check", {"running": False, "state": "exited", "exit_code": 1}, {}, "is exited (exit code 1, healthy)"),
    ("oom_kills", {"oom_kills": 2}, {"at_most": 1}, "2 killed for lack of memory"),
    (
        "oom_kills",
        {"oom_killed": True, "running": False, "state": "exited"},
        {},
        "1 killed for lack of memory, it is exited",
    ),
    ("restarts", {"restarts": 3}, {"at_most": 2}, "was restarted 3 times"),
    ("restarts", {"restart_policy": "no"}, {}, "has no restart policy"),
    ("restarts", {"restart_policy": "on-failure"}, {"policies": ["always"]}, "its restart policy is on-failure"),
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_container_with_which_nothing_is_wrong_passes(check: str) -> None:
    found = look(check, reading(container(), container("db")))
    assert (found.status, found.message.endswith(": 0 of 2 containers, at most 0 of 2 containers needed")) == (
        Status.PASS,
        True,
    )
    assert found.seen.startswith("shop-api-1 (api): ")


@pytest.mark.parametrize(("check", "changes", "keys", "told"), FAULTS)
def test_a_fault_is_named(check: str, changes: dict[str, Any], keys: dict[str, Any], told: str) -> None:
    small = container("db", reference=f"shop/db@{DIGEST}", memory=1_000_000, cpus=0.1, pids_limit=5)
    found = look(check, reading(small, container(**changes), expected=("api", "db")), **keys)
    assert found.status is Status.FAIL
    assert found.message.endswith(f": 1 of 2 containers, at most 0 of 2 containers needed (api: {told})")


@pytest.mark.parametrize(
    ("check", "changes", "keys"),
    [
        ("not_root", {"user": "", "uids": frozenset({70})}, {"may_drop": True}),
        ("not_root", {"user": "app"}, {}),
        ("not_root", {"user": "app", "uids": None, "running": False}, {}),
        ("not_root", {"user": None, "uids": None, "not_root": True}, {}),
        ("image_pinned", {"reference": f"nginx@{DIGEST}"}, {"by": "digest"}),
        ("image_pinned", {"reference": DIGEST}, {"by": "digest"}),
        ("image_digest", {}, {"digests": {"api": OTHER}}),
        ("image_digest", {"reference_digest": OTHER}, {"tag_stays": False}),
        ("image_digest", {"reference_digest": None}, {}),
        ("limits", {"cpus": 0, "pids_limit": None}, {"limits": ["memory"], "memory_at_most": "64 MB"}),
        ("capabilities", {"capabilities": frozenset({"CHOWN", "NET_ADMIN"})}, {"allowed": ["default", "NET_ADMIN"]}),
        ("no_docker_socket", at("/usr", writable=False), {}),
        ("no_docker_socket", at("/etc/localtime"), {}),
        ("no_docker_socket", at("/var/run/docker.sock"), {"allowed": ["/var/run/docker.sock"]}),
        ("published_ports", {"published": (Published(address="::", port=80),)}, {"ports": {"api": ["*:80"]}}),
        ("published_ports", {"published": (Published(address="::1", port=80),)}, {"ports": {"api": ["[0:0::1]:80"]}}),
    ],
)
def test_what_is_allowed_passes(check: str, changes: dict[str, Any], keys: dict[str, Any]) -> None:
    assert look(check, reading(container(**changes)), **keys).status is Status.PASS


@pytest.mark.parametrize(
    ("check", "changes", "keys", "told"),
    [
        ("not_root", {"user": "app", "uids": None}, {}, "the number of its user app is not told"),
        ("image_pinned", {"reference": ""}, {}, "the name of its image is not told"),
        ("image_digest", {"digest": None}, {}, "the digest of its image is not told"),
        (
            "image_digest",
            {"reference_digest": None, "registry_digests": None},
            {},
            "what its tag stands for is not told",
        ),
        ("image_digest", {"registry_digests": None}, {"from_registry": True}, "the digests of its image in registries"),
        ("limits", {"pids_limit": None}, {}, "its limit of pids is not told"),
        ("health_check", {"health": None}, {}, "whether it has a health check is not told"),
        ("oom_kills", {"oom_kills": None}, {}, "how many of its processes were killed is not told"),
        ("restarts", {"restarts": None}, {}, "its restarts are not told"),
    ],
)
def test_what_is_not_told_is_unknown(check: str, changes: dict[str, Any], keys: dict[str, Any], told: str) -> None:
    found = look(check, reading(container(**changes)), **keys)
    assert found.status is Status.UNKNOWN
    assert f"shop-api-1: {told}" in found.message


@pytest.mark.parametrize("check", CHECKS)
def test_a_service_without_a_container_is_unknown(check: str) -> None:
    found = look(check, reading(container(), expected=("api", "db")))
    assert (found.status, found.message) == (Status.UNKNOWN, "db has no container to look at")
    assert look(check, reading(expected=("api",))).status is Status.UNKNOWN


def test_replicas_are_told_apart_and_strangers_are_judged_too() -> None:
    second = replace(container(read_only_root=False), name="shop-api-2")
    stranger = container("extra", read_only_root=False)
    found = look("read_only_root", reading(container(), second, stranger, expected=("api",)))
    assert "(shop-api-2: can write its root; extra: can write its root)" in found.message


def test_kills_of_an_earlier_container_do_not_count() -> None:
    says = "api: killed for lack of memory (exit code 137)"
    before, after = (Crash(at=MADE_AT + timedelta(minutes=m), says=says) for m in (-1, 1))
    assert look("oom_kills", reading(container(), crashes=(before,))).status is Status.PASS
    assert "api: 1 killed" in look("oom_kills", reading(container(), crashes=(before, after))).message


# Exceptions


def test_an_exception_is_told_and_does_not_excuse_others() -> None:
    both = reading(container(read_only_root=False), container("db", read_only_root=False))
    excepted = {"except": {"db": "writes its own files"}}
    found = look("read_only_root", both, **excepted)
    assert found.message.endswith("1 of 2 containers, at most 0 of 2 containers needed (api: can write its root)")
    found = look("read_only_root", reading(container(), container("db", read_only_root=False)), **excepted)
    assert (found.status, "db is excepted: writes its own files" in found.message) == (Status.PASS, True)
    assert "db needs no exception any more" in look("read_only_root", reading(container("db")), **excepted).message


def test_an_exception_needs_its_reason() -> None:
    with pytest.raises(ValidationError):
        not_root.Params.model_validate({"services": "app", "except": {"db": ""}})


def kinds(tmp_path: Path, **section: Any) -> Any:
    context = run_context(tmp_path)
    services = {"app": ServicesSection(kind="x", host="app", expected=("api", "db"))}
    if section.get("holds_containers", True):
        services = {"app": _Engine(kind="docker", host="app", expected=("api", "db"))}
    whole = context.environment.section.model_copy(update={"services": services})
    context.environment = replace(context.environment, section=whole)
    return context


class _Engine(ServicesSection):
    holds_containers: ClassVar[bool] = True


@pytest.mark.parametrize(
    "given",
    [
        not_root.Params.model_validate({"services": "app", "except": {"dbb": "a reason"}}),
        published_ports.Params.model_validate({"services": "app", "ports": {"dbb": ["*:80"]}}),
        image_digest.Params.model_validate({"services": "app", "digests": {"dbb": DIGEST}}),
    ],
)
def test_a_service_that_does_not_exist_is_never_passed_over(given: ContainerParams, tmp_path: Path) -> None:
    told = "unknown service 'dbb'. Did you mean 'db'? Allowed: api, db."
    section = kinds(tmp_path).environment.section
    assert given.unfit(section) == told


def test_what_runs_no_containers_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = containers_module.containers.__wrapped__  # type: ignore[attr-defined]
    criterion = not_root.Params.model_validate({"services": "app"})
    with pytest.raises(CouldNotLook, match="services entry app is of kind x, which runs no containers"):
        fixture(kinds(tmp_path, holds_containers=False), criterion)
    monkeypatch.setattr(containers_module, "read_services", lambda *_: reading(container()))
    assert isinstance(fixture(kinds(tmp_path), criterion), Containers)


def test_parameters_that_assert_nothing_or_cannot_be_are_refused() -> None:
    assert capabilities.Params.model_validate({"services": "app", "allowed": ["all"]}).asserts_nothing()
    assert not capabilities.Params.model_validate({"services": "app", "allowed": ["default"]}).asserts_nothing()
    for wrong in ("80", "localhost:80", "1.2.3.4:99999", "300.1.1.1:80", "::1:80", 80):
        with pytest.raises(ValidationError):
            published_ports.Params.model_validate({"services": "app", "ports": {"api": [wrong]}})


def test_a_volume_of_which_nothing_is_told_may_be_anything() -> None:
    mount = Mount(source="", target="/data", writable=True, is_told=False)
    found = look("no_docker_socket", reading(container(mounts=(mount,))))
    assert (found.status, "which path the volume on /data stands for is not told" in found.message) == (
        Status.UNKNOWN,
        True,
    )


def test_a_container_that_prepares_needs_no_health_check_and_is_not_the_image_of_its_service() -> None:
    setup = container(name="a/setup", prepares=True, running=False, state="terminated", health=Health(checked=False))
    assert look("health_check", reading(container(), setup)).status is Status.PASS
    other = replace(setup, image=replace(IMAGE, digest=OTHER, reference_digest=OTHER))
    assert look("image_digest", reading(container(), other), digests={"api": DIGEST}).status is Status.PASS
    rooted = replace(setup, rights=replace(setup.rights, privileged=True))
    assert look("not_privileged", reading(container(), rooted)).status is Status.FAIL
