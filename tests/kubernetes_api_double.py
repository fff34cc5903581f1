"""A double of the Kubernetes API: the discovery and list answers that a client asks for, in their documented form.

A cluster is not to be had where these tests run. The client in front of it is the real `kubectl`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_APPS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
STARTED = "2026-05-01T10:00:00Z"


@dataclass
class Cluster:
    """What the API knows in one namespace, and how it misbehaves."""

    deployments: list[dict[str, Any]] = field(default_factory=list)
    statefulsets: list[dict[str, Any]] = field(default_factory=list)
    daemonsets: list[dict[str, Any]] = field(default_factory=list)
    pods: list[dict[str, Any]] = field(default_factory=list)
    forbidden: str = ""
    silent_s: float = 0.0
    rubbish: str = ""
    broken_group: str = ""
    port: int = 0

    def kubeconfig(self, folder: Path) -> Path:
        """A file that leads `kubectl` here."""
        server = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}
        context = {"name": "shop", "context": {"cluster": "c", "user": "u", "namespace": "default"}}
        user = {"name": "u", "user": {}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [server], "contexts": [context], "users": [user]}
        file = folder / "kubeconfig"
        file.write_text(json.dumps(config | {"current-context": "shop"}))
        return file

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body of a GET."""
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        if path == "/apis":
            version = {"groupVersion": "apps/v1", "version": "v1"}
            group = {"name": "apps", "versions": [version], "preferredVersion": version}
            groups = [group]
            if self.broken_group:
                other = {"groupVersion": f"{self.broken_group}/v1beta1", "version": "v1beta1"}
                groups.append({"name": self.broken_group, "versions": [other], "preferredVersion": other})
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if self.broken_group and path.startswith(f"/apis/{self.broken_group}"):
            return 503, _failed(503, "ServiceUnavailable", "the server is currently unable to handle the request")
        if path == "/api/v1":
            return 200, _resources("v1", {"pods": "Pod"})
        if path == "/apis/apps/v1":
            return 200, _resources("apps/v1", _APPS)
        return self._list(path.rpartition("/")[2])

    def _list(self, resource: str) -> tuple[int, dict[str, Any]]:
        if resource == self.forbidden:
            group = "" if resource == "pods" else "apps"
            says = (
                f'{resource} is forbidden: User "watcher" cannot list resource "{resource}" in API group "{group}"'
                ' in the namespace "shop"'
            )
            return 403, _failed(403, "Forbidden", says)
        if resource != "pods" and resource not in _APPS:
            return 404, _failed(404, "NotFound", "the server could not find the requested resource")
        version, kind = ("v1", "Pod") if resource == "pods" else ("apps/v1", _APPS[resource])
        items = getattr(self, resource)
        metadata = {"resourceVersion": "1"}
        return 200, {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": items}


def _resources(version: str, kinds: dict[str, str]) -> dict[str, Any]:
    resources = [
        {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
        for name, kind in kinds.items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _failed(code: int, reason: str, says: str) -> dict[str, Any]:
    status = {"status": "Failure", "message": says, "reason": reason, "code": code, "details": {}}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **status}


@contextmanager
def serving(cluster: Cluster) -> Iterator[Cluster]:
    """The API on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if "namespaces" in path:
                time.sleep(cluster.silent_s)
            status, body = cluster.answer(path)
            said = cluster.rubbish.encode() if cluster.rubbish and "namespaces" in path else json.dumps(body).encode()
            with suppress(BrokenPipeError):  # a client that waited too long is gone
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests' output is for the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cluster.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def deployment(name: str, *, replicas: int = 1, ready: int | None = None, **status: Any) -> dict[str, Any]:
    """A Deployment with secrets in its environment, which nobody may ask for."""
    found = replicas if ready is None else ready
    container = {"name": name, "image": "shop/x:1", "env": [{"name": "PASSWORD", "value": "planted-marker"}]}
    counts = {"replicas": replicas, "updatedReplicas": replicas, "readyReplicas": found, "availableReplicas": found}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "generation": 3,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "planted-marker"},
        },
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": 3, **{k: v for k, v in counts.items() if v}, **status},
    }


def daemonset(name: str, *, desired: int = 1, ready: int = 1) -> dict[str, Any]:
    """A DaemonSet."""
    counts = {"desiredNumberScheduled": desired, "currentNumberScheduled": desired, "numberReady": ready}
    return {
        "metadata": {"name": name, "namespace": "shop", "generation": 1},
        "spec": {"template": {}},
        "status": {"observedGeneration": 1, "updatedNumberScheduled": desired, **counts},
    }


def pod(
    name: str, owner: tuple[str, str] | None, *, container: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A pod of one container that is as it should be, with what `more` changes: `spec`, `status`, `state` …"""
    main = name.split("-")[0]
    labels = {"pod-template-hash": "7d9f8"} if owner and owner[0] == "ReplicaSet" else {}
    labels |= {"controller-revision-hash": "rev1"} if owner and owner[0] != "ReplicaSet" else {}
    references = [{"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": "shop",
        "creationTimestamp": STARTED,
        "labels": {**labels, "key": "marker"},
    }
    metadata |= {"ownerReferences": references} if references else {}
    hardened = {
        "name": main,
        "image": "registry.example.com/shop/x:1.2",
        "env": [{"name": "PASSWORD", "value": "planted-marker"}],
        "command": ["serve", "--token=planted-marker"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
        "readinessProbe": {"periodSeconds": 10, "exec": {"command": ["ask", "planted-marker"]}},
        **(container or {}),
    }
    told = {
        "name": main,
        "image": hardened["image"],
        "imageID": f"registry.example.com/shop/x@sha256:{'ab' * 32}",
        "containerID": f"containerd://{name}",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": STARTED}},
        "lastState": {},
        **more.pop("told", {}),
    }
    ready = {"type": "Ready", "status": "True" if told["ready"] else "False"}
    status = {"phase": "Running", "conditions": [ready], "containerStatuses": [told], **more.pop("status", {})}
    spec = {"containers": [hardened], "restartPolicy": "Always", **more.pop("spec", {})}
    return {"metadata": {**metadata, **more}, "spec": spec, "status": status}
