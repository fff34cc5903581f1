"""A Kubernetes namespace through the real `kubectl`, in front of a double of the API: no cluster is to be had here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive.model import CouldNotLook
from golive.targets.services import ServicesReading
from golive.targets.services.kubernetes import Config, identity, identity_snippet
from tests.integration.boxes import host, read
from tests.kubernetes_api_double import Cluster, daemonset, deployment, pod, serving

API = ("ReplicaSet", "api-7d9f8")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    assert shutil.which("kubectl"), "install the package kubernetes-client"
    whole = Cluster(
        deployments=[deployment("api", replicas=2)],
        statefulsets=[deployment("db")],
        daemonsets=[daemonset("agent")],
        pods=[
            pod("api-7d9f8-a", API),
            pod("api-7d9f8-b", API),
            pod("db-0", ("StatefulSet", "db")),
            pod("agent-x", ("DaemonSet", "agent")),
            pod("migrate-x", ("Job", "migrate")),
        ],
    )
    with serving(whole) as served:
        yield served


def config(cluster: Cluster, folder: Path, **more: Any) -> Config:
    known = {"kind": "kubernetes", "host": "app", "namespace": "shop", "kubeconfig": str(cluster.kubeconfig(folder))}
    return Config.model_validate({**known, "expected": ["api", "statefulset/db", "agent"], **more})


def look(cluster: Cluster, folder: Path) -> ServicesReading:
    return read(config(cluster, folder))


def test_a_namespace_where_everything_is_ready(cluster: Cluster, tmp_path: Path) -> None:
    found = look(cluster, tmp_path)
    assert {name: service.state for name, service in found.services.items()} == {
        "api": "2 of 2 ready",
        "statefulset/db": "1 of 1 ready",
        "agent": "1 of 1 ready",
    }
    assert all(service.running and service.healthy for service in found.found)
    (first, *_) = found.containers
    assert (first.rights.user, first.rights.read_only_root, first.limits.cpus) == ("1000", True, 0.5)
    given = config(cluster, tmp_path)
    said = host({}).run(identity_snippet(given)).stdout
    assert "planted-marker" not in said
    assert identity(given, said, "app")["api", "replicas"] == "2"


def test_sidecars_and_containers_that_prepare_are_seen(cluster: Cluster, tmp_path: Path) -> None:
    before = [{"name": "setup", "image": "shop/y:1"}, {"name": "proxy", "image": "shop/z:1", "restartPolicy": "Always"}]
    cluster.pods[0]["spec"]["initContainers"] = before
    found = look(cluster, tmp_path)
    assert [(c.name, c.prepares) for c in found.services["api"].containers][:3] == [
        ("api-7d9f8-a/api", False),
        ("api-7d9f8-a/setup", True),
        ("api-7d9f8-a/proxy", False),
    ]


def test_a_container_that_crashes_again_and_again_is_named(cluster: Cluster, tmp_path: Path) -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-05-01T12:00:00Z"}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off\t5m0s\nrestarting"}}
    told = {"ready": False, "restartCount": 4, "state": waiting, "lastState": {"terminated": ended}}
    cluster.deployments = [deployment("api", replicas=2, ready=1)]
    cluster.pods[1] = pod("api-7d9f8-b", API, told=told)
    found = look(cluster, tmp_path)
    assert found.services["api"].state == "1 of 2 ready (api-7d9f8-b: CrashLoopBackOff after OOMKilled (exit code 137))"
    assert len(found.crashes) == 1


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ({"forbidden": "pods"}, "Error from server .Forbidden.: pods is forbidden: User .watcher. cannot list"),
        ({"rubbish": "<html>"}, "invalid character '<' looking for beginning of value"),
    ],
)
def test_an_api_that_refuses_or_answers_rubbish_is_unknown(
    cluster: Cluster, tmp_path: Path, trouble: dict[str, str], why: str
) -> None:
    for key, value in trouble.items():
        setattr(cluster, key, value)
    with pytest.raises(CouldNotLook, match=f"host app: kubernetes namespace shop: .*{why}"):
        look(cluster, tmp_path)


def test_a_service_of_metrics_that_is_down_hides_no_workload(cluster: Cluster, tmp_path: Path) -> None:
    """`kubectl` complains of it on standard error, and tells all the same."""
    cluster.broken_group = "metrics.k8s.io"
    assert look(cluster, tmp_path).services["api"].state == "2 of 2 ready"


def test_an_api_that_never_answers_is_unknown_within_its_time(cluster: Cluster, tmp_path: Path) -> None:
    cluster.silent_s = 8
    began = time.monotonic()
    with pytest.raises(CouldNotLook, match="kubernetes namespace shop: `kubectl` did not answer within 6 s"):
        look(cluster, tmp_path)
    assert time.monotonic() - began < 12


def test_an_api_that_is_not_there_is_unknown(cluster: Cluster, tmp_path: Path) -> None:
    cluster.port = 1
    with pytest.raises(CouldNotLook, match=r"kubernetes namespace shop: The connection to the server 127.0.0.1:1 was"):
        look(cluster, tmp_path)
