"""A Kubernetes namespace through a double of `kubectl`, which prints what the real one does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import ServicesReading
from golive.targets.services.cluster.asking import _CONTAINER, _INIT, _ITEM
from golive.targets.services.kubernetes import Config, identity, parse, snippet
from tests.kubernetes_api_double import STARTED, daemonset, deployment, pod
from tests.shims import local_host, says, shim

FACTS = HostFacts(host="app")
ANYTHING = settings(max_examples=60, deadline=None, derandomize=True, database=None)
API = ("ReplicaSet", "api-7d9f8")


def config(**more: Any) -> Config:
    given = {"kind": "kubernetes", "host": "app", "namespace": "shop", "expected": ("api", "agent"), **more}
    return Config.model_validate(given)


def _field(item: Any, path: str) -> str:
    for key in path.split("."):
        item = item.get(key) if isinstance(item, dict) else None
    if item is None:
        return ""
    if isinstance(item, bool):
        return str(item).lower()
    return json.dumps(item) if isinstance(item, dict | list) else str(item)


def printed(*items: tuple[str, dict[str, Any]], code: int = 0, top: str = "") -> str:
    """What `kubectl get -o jsonpath` prints of these objects."""
    lines = []
    for kind, item in items:
        lines.append(["item", *(_field({"kind": kind, **item}, name) for name in _ITEM)])
        spec = item.get("spec", {})
        lines += [["container", *(_field(one, name) for name in _CONTAINER)] for one in spec.get("containers", [])]
        lines += [["init", *(_field(one, name) for name in _INIT)] for one in spec.get("initContainers", [])]
        lines += [["volume", one["name"], _field(one, "hostPath")] for one in spec.get("volumes", [])]
    return "".join("\t".join(line) + "\n" for line in lines) + f"\n-- golive ended {code}\n{top}"


def told(*items: tuple[str, dict[str, Any]], top: str = "", **more: Any) -> ServicesReading:
    return parse(config(**more), printed(*items, top=top), FACTS)


def api(name: str = "a", **more: Any) -> tuple[str, dict[str, Any]]:
    return "Pod", pod(f"api-7d9f8-{name}", API, **more)


AGENT = (("DaemonSet", daemonset("agent")), ("Pod", pod("agent-x", ("DaemonSet", "agent"))))
STARVED = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-05-01T12:00:00Z"}
LOOPING = {
    "ready": False,
    "restartCount": 5,
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
    "lastState": {"terminated": STARVED},
}


def test_everything_that_is_wanted_is_ready() -> None:
    found = told(
        ("Deployment", deployment("api", replicas=2)), api("a"), api("b"), *AGENT, top="api-7d9f8-a api 5m 20Mi\n"
    )
    service = found.services["api"]
    assert (service.running, service.healthy, service.state, service.wanted) == (True, True, "2 of 2 ready", 2)
    assert service.started_at == datetime.fromisoformat(STARTED)
    assert (service.restarts, service.memory_bytes) == (0, None)  # of one pod it is not told
    assert [c.memory_bytes for c in service.containers] == [20 * 2**20, None]
    assert service.containers[0].cpu_percent == 0.5
    assert (found.missing, found.undeclared, found.crashes) == ((), (), ())
    assert found.crashes_since == datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_a_pod_that_crashes_again_and_again_is_named_with_its_reason() -> None:
    found = told(("Deployment", deployment("api", replicas=2, ready=1)), api("a"), api("b", told=LOOPING))
    service = found.services["api"]
    assert (service.running, service.healthy, service.restarts) == (False, False, 5)
    assert service.state == "1 of 2 ready (api-7d9f8-b: CrashLoopBackOff after OOMKilled (exit code 137))"
    assert [crash.says for crash in found.crashes] == [
        "api: killed for lack of memory in api-7d9f8-b/api (exit code 137), 5 restarts"
    ]
    assert found.containers[1].oom_killed and found.missing == ("agent",)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"replicas": 0}, "scaled to 0"),
        ({"replicas": 2, "ready": 1}, "1 of 2 ready"),
        ({"updatedReplicas": 0}, "1 of 1 ready (0 of 1 are of the last change)"),
        ({"observedGeneration": 2}, "1 of 1 ready (its last change is not taken up yet)"),
    ],
)
def test_a_deployment_that_is_not_complete(changed: dict[str, Any], state: str) -> None:
    service = told(("Deployment", deployment("api", **changed)), api()).services["api"]
    assert (service.running, service.state) == (False, state)


def test_a_new_pod_that_never_gets_ready_beside_the_old_one_is_no_complete_deployment() -> None:
    """With one replica the old pod stays, ready, for as long as the new one crashes."""
    made = deployment("api", unavailableReplicas=1)
    made["status"] |= {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1}
    service = told(("Deployment", made), api("old"), api("new", told=LOOPING)).services["api"]
    assert (service.running, service.healthy) == (False, False)
    assert service.state.startswith("1 of 1 ready (1 from before the last change is still there; api-7d9f8-new: CrashL")


def test_a_daemonset_whose_new_pods_never_get_ready_beside_the_old_ones_is_not_complete() -> None:
    made = daemonset("agent", desired=2, ready=2)
    made["status"]["updatedNumberScheduled"] = 1  # with maxSurge old pods stay until their successors are ready
    service = told(("DaemonSet", made), *AGENT[1:]).services["agent"]
    assert (service.running, service.state) == (False, "2 of 2 ready (1 of 2 are of the last change)")
    made["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert told(("DaemonSet", made), *AGENT[1:]).services["agent"].running


@pytest.mark.parametrize(
    ("restarts", "reason", "kills"), [(0, "", 0), (1, "Error", 0), (3, "Error", None), (3, "OOMKilled", 1)]
)
def test_of_several_ends_only_the_last_one_is_told(restarts: int, reason: str, kills: int | None) -> None:
    last = {"terminated": {"exitCode": 1, "reason": reason, "finishedAt": STARTED}} if reason else {}
    found = told(("Deployment", deployment("api")), api(told={"restartCount": restarts, "lastState": last}))
    assert found.containers[0].oom_kills == kills


def test_a_pod_that_fits_nowhere_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    status = {"phase": "Pending", "conditions": [condition], "containerStatuses": []}
    found = told(("Deployment", deployment("api", ready=0)), api(status=status))
    assert found.services["api"].state == "0 of 1 ready (api-7d9f8-a: Unschedulable, 0/3 nodes)"
    assert (found.containers[0].state, found.containers[0].image and found.containers[0].image.digest) == (
        "waiting",
        None,
    )


def test_pods_that_end_or_have_ended_are_no_part_of_a_service() -> None:
    leaving = pod("api-7d9f8-b", API, deletionTimestamp="2026-05-01T11:00:00Z")
    evicted = pod("api-7d9f8-c", API, status={"phase": "Failed", "reason": "Evicted"})
    job = pod("migrate-x", ("Job", "migrate"))
    found = told(("Deployment", deployment("api")), api(), ("Pod", leaving), ("Pod", evicted), ("Pod", job), *AGENT)
    assert [c.name for c in found.services["api"].containers] == ["api-7d9f8-a/api"]
    assert (found.undeclared, found.services["api"].running) == ((), True)


def test_an_evicted_pod_whose_containers_are_not_told_any_more_is_a_crash() -> None:
    conditions = [{"type": "DisruptionTarget", "status": "True", "lastTransitionTime": "2026-05-01T12:00:00Z"}]
    gone = {"phase": "Failed", "reason": "Evicted", "conditions": conditions, "containerStatuses": []}
    found = told(("Deployment", deployment("api")), api(), api("b", status=gone), *AGENT)
    assert [(crash.says, crash.at) for crash in found.crashes] == [
        ("api: api-7d9f8-b failed (Evicted)", datetime(2026, 5, 1, 12, tzinfo=UTC))
    ]
    ended = {**gone, "containerStatuses": [{"name": "api", "state": {"terminated": STARVED}}]}
    assert len(told(("Deployment", deployment("api")), api(), api("b", status=ended), *AGENT).crashes) == 1


def test_a_pod_of_its_own_that_is_being_deleted_does_not_run() -> None:
    service = told(("Pod", pod("lone", None, deletionTimestamp=STARTED)), expected=["lone"]).services["lone"]
    assert (service.running, service.state) == (False, "0 of 1 ready")


def test_a_pod_that_tells_nothing_of_its_state_is_not_ready() -> None:
    made = {**pod("lone", None), "status": None}
    service = told(("Pod", made), expected=["lone"]).services["lone"]
    assert (service.running, service.state) == (False, "0 of 1 ready (lone: not told)")


def test_names_with_and_without_their_kind() -> None:
    both = (("Deployment", deployment("api")), ("StatefulSet", deployment("api")), api(), ("Pod", pod("lone", None)))
    found = told(*both, expected=["deploy/api", "StatefulSet/api", "pod/lone"])
    assert (found.missing, found.undeclared) == ((), ())
    with pytest.raises(CouldNotLook, match="api may be deployment/api and statefulset/api: write which one"):
        told(*both)
    found = told(*both, expected=["deployment/api"], leave_out=["lone"])
    assert found.undeclared == ("statefulset/api",)


def test_the_settings_of_a_pod() -> None:
    plain = told(("Deployment", deployment("api")), api()).containers[0]
    assert (plain.limits.memory_bytes, plain.limits.cpus, plain.limits.pids) == (64 * 2**20, 0.5, None)
    assert (plain.rights.user, plain.rights.not_root, plain.rights.capabilities) == ("1000", True, frozenset())
    assert plain.rights.no_new_privileges and plain.rights.read_only_root and plain.restart_policy == "always"
    assert plain.health is not None and plain.health.is_healthy
    assert plain.image is not None and plain.image.digest == f"sha256:{'ab' * 32}"
    loose = told(
        ("Deployment", deployment("api")),
        api(
            container={
                "securityContext": {"privileged": True, "seccompProfile": {"type": "Unconfined"}},
                "resources": {},
                "readinessProbe": None,
                "ports": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81}],
                "volumeMounts": [
                    {"name": "h", "mountPath": "/h", "subPath": "shadow", "readOnly": True},
                    {"name": "s", "mountPath": "/s"},
                ],
            },
            spec={
                "hostPID": True,
                "hostNetwork": True,
                "securityContext": {"runAsUser": 0, "appArmorProfile": {"type": "Unconfined"}},
                "volumes": [{"name": "h", "hostPath": {"path": "/etc/"}}, {"name": "s", "secret": {"secretName": "x"}}],
            },
        ),
    ).containers[0]
    assert (loose.limits.memory_bytes, loose.limits.cpus) == (0, 0)
    assert (loose.rights.user, loose.rights.not_root) == ("0", False)
    assert (loose.rights.privileged, loose.rights.unconfined) == (True, ("seccomp", "apparmor"))
    assert loose.rights.host_namespaces == ("pid", "network")
    assert [str(mount) for mount in loose.mounts] == ["/etc/shadow on /h (read-only)", " on /s"]
    assert [str(port) for port in loose.published] == ["0.0.0.0:8080", "[::]:8080"]
    assert loose.health is not None and not loose.health.checked


def beside(name: str, **more: Any) -> dict[str, Any]:
    """An init container that is privileged."""
    return {"name": name, "image": "shop/y:1", "securityContext": {"privileged": True}, **more}


def status_of(name: str, **more: Any) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": STARTED}}
    return {"name": name, "imageID": f"shop/y@sha256:{'cd' * 32}", "restartCount": 0, "state": ended, **more}


def test_containers_that_prepare_and_sidecars_are_containers_too() -> None:
    spec = {"initContainers": [beside("setup"), beside("proxy", restartPolicy="Always")]}
    running = {"running": {"startedAt": STARTED}}
    kept = pod("api-7d9f8-a", API)["status"]["containerStatuses"]
    told_of = [status_of("setup"), status_of("proxy", state=running)]
    ready = [{"type": "Ready", "status": "True"}]
    status = {"containerStatuses": kept, "initContainerStatuses": told_of, "conditions": ready}
    found = told(("Deployment", deployment("api")), api(spec=spec, status=status), *AGENT)
    assert [(c.name, c.running, c.prepares, c.rights.privileged) for c in found.services["api"].containers] == [
        ("api-7d9f8-a/api", True, False, False),
        ("api-7d9f8-a/setup", False, True, True),
        ("api-7d9f8-a/proxy", True, False, True),
    ]
    assert (found.services["api"].running, found.services["api"].healthy, found.crashes) == (True, True, ())
    looping = {"waiting": {"reason": "CrashLoopBackOff"}}
    stuck = {
        "phase": "Pending",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{**kept[0], "ready": False, "state": {"waiting": {"reason": "PodInitializing"}}}],
        "initContainerStatuses": [status_of("setup", state=looping, restartCount=4)],
    }
    found = told(("Deployment", deployment("api", ready=0)), api(spec=spec, status=stuck))
    assert found.services["api"].state == "0 of 1 ready (api-7d9f8-a: CrashLoopBackOff)"
    assert [crash.says for crash in found.crashes] == ["api: ended in api-7d9f8-a/setup, 4 restarts"]


# What is deployed


def test_identity_is_images_template_and_replicas() -> None:
    said = printed(("Deployment", deployment("api", replicas=2)), api("a"), api("b"), *AGENT)
    assert identity(config(), said, "app") == {
        ("api", "image api"): f"sha256:{'ab' * 32}",
        ("api", "configuration"): "7d9f8",
        ("api", "replicas"): "2",
        ("agent", "image agent"): f"sha256:{'ab' * 32}",
        ("agent", "configuration"): "rev1",
        ("agent", "replicas"): "1",
    }
    assert ("api", "replicas") not in identity(config(autoscaled=["api"]), said, "app")


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((), "has none of the workloads api, agent"),
        ((("Deployment", deployment("api")),), "api: no pod of it tells its image"),
        ((("Deployment", deployment("api")), api(told={"imageID": ""})), "a container api does not tell the digest"),
    ],
)
def test_an_identity_that_was_not_read_is_could_not_look(items: tuple[Any, ...], why: str) -> None:
    with pytest.raises(CouldNotLook, match=f"host app: kubernetes namespace shop.*{why}"):
        identity(config(), printed(*items), "app")


# Could not look


FORBIDDEN = 'Error from server (Forbidden): pods is forbidden: User "w" cannot list resource "pods"'
REFUSED = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "kubectl told nothing"),
        (
            f"{printed(('Deployment', deployment('api'))).partition('--')[0]}{FORBIDDEN}\n\n-- golive ended 1\n",
            FORBIDDEN,
        ),
        (f"{REFUSED}\n\n-- golive ended 1\n", REFUSED),
        (
            "sh: kubectl: not found\n\n-- golive ended 127\n",
            "`kubectl` is not installed there (sh: kubectl: not found)",
        ),
        ("\n-- golive ended 124\n", "`kubectl` did not answer within 6 s"),
        ("<html>\n\n-- golive ended 0\n", "<html>"),
        ("item\tDeployment\n\n-- golive ended 0\n", "item Deployment"),
        ("\n-- golive ended rubbish\n", "kubectl told nothing"),
    ],
)
def test_an_api_that_does_not_tell_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook) as problem:
        parse(config(), said, FACTS)
    assert str(problem.value) == f"host app: kubernetes namespace shop: {why}"


def test_an_empty_namespace_is_missing_and_not_unknown() -> None:
    found = told()
    assert (found.missing, found.note) == (("api", "agent"), "namespace shop has no workload")


@ANYTHING
@given(st.lists(st.lists(st.text(), min_size=len(_ITEM), max_size=len(_ITEM))), st.text())
def test_any_text_is_read_or_refused(items: list[list[str]], top: str) -> None:
    said = "".join("\t".join(["item", *fields]) + "\n" for fields in items)
    try:
        parse(config(), f"{said}\n-- golive ended 0\n{top}", FACTS)
    except CouldNotLook as problem:
        if not str(problem).startswith("host app: kubernetes namespace shop: "):
            raise


@ANYTHING
@given(
    st.sampled_from(["status", "spec.securityContext", "metadata.ownerReferences"]),
    st.text()
    | st.sampled_from(
        ["{}", "[]", "[1]", '{"containerStatuses": [{"name": 1, "state": []}]}', '{"conditions": {"a": 1}}', "1e999"]
    ),
)
def test_a_field_of_any_form_is_read(name: str, value: str) -> None:
    flat = " ".join(value.split())
    fields = dict.fromkeys(_ITEM, "") | {"kind": "Pod", "metadata.name": "x", name: flat}
    line = "\t".join(["item", *fields.values()])
    assert parse(config(), f"{line}\n\n-- golive ended 0\n", FACTS).expected == ("api", "agent")


# The shell text, through a double of the client


def test_kubectl_is_asked_once_for_all_and_once_for_use(tmp_path: Path) -> None:
    said = printed(("Deployment", deployment("api")), api()).partition("\n\n--")[0]
    log = tmp_path / "log"
    top = 'case "$*" in *" top "*) echo "api-7d9f8-a api 250m 64Mi"; exit ;; esac'
    shim(tmp_path / "bin", "kubectl", f'printf "%s\\n" "$*" >> {log}\n{top}\n{says(said)}')
    given = config(context="prod", kubeconfig="/etc/k", selector="app in (a, b)", expected=["api"])
    service = local_host(tmp_path / "bin", {"app": given}).read_services("app").services["api"]
    assert (service.cpu_percent, service.memory_bytes) == (25.0, 64 * 2**20)
    lines = log.read_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("--namespace=shop --context=prod --kubeconfig=/etc/k --request-timeout=6s ")
        assert " -l app in (a, b) " in line
    assert not {"env", "command", "annotations", "args"} & set(snippet(given).replace("}", ".").split("."))


def test_kubectl_that_is_not_there_is_named(tmp_path: Path) -> None:
    shim(tmp_path / "bin", "kubectl", "exit 127")
    with pytest.raises(CouldNotLook, match="host app: kubernetes namespace shop: `kubectl` is not installed there"):
        local_host(tmp_path / "bin", {"app": config()}).read_services("app")
