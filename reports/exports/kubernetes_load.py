"""Manifests for a load in Kubernetes: a Job that runs it and judges, and a Deployment of workers that join it.

Workers get the sessions that they need over their connection to the Job, sealed with a token of their own secret. No
other secret reaches them.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from reports.exports import commented
from reports.exports.yaml_text import as_yaml

PLAN_PORT, LOCUST_PORT = 5556, 5557
"""As in `load.elsewhere.joining`, where they are listened on."""
_LONGEST_NAME = 40
Data = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPlan:
    """What is run where. `environment` is what `--env` is given, `criteria` those that are asked (() for all).

    `variables` are the names of the environment variables that the environment's references need, `files` the paths of
    those that it reads.
    """

    environment: str
    name: str
    image: str
    directory: str
    python: str
    workers: int
    criteria: tuple[str, ...] = ()
    secret: str | None = None
    namespace: str | None = None
    claim: str | None = None
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def instance(self) -> str:
        """`golive-ENVIRONMENT-load` in the characters, and at most the length, that names take."""
        name = re.sub(r"[^a-z0-9]+", "-", self.name.lower())[:_LONGEST_NAME].strip("-")
        return f"golive-{name}-load"

    @property
    def token(self) -> str:
        """The secret that only master and workers know."""
        return f"{self.instance}-token"

    def run(self) -> list[str]:
        """The command of the Job, as words."""
        words = [self.python, "-m", "pytest", f"--env={self.environment}", "-m", "load"]
        return [*words, "-k", " or ".join(self.criteria)] if self.criteria else words

    def join(self) -> list[str]:
        """The command of a worker, as words."""
        return [self.python, "-m", "load.elsewhere.join", f"{self.instance}:{PLAN_PORT}"]


def render(plan: LoadPlan) -> str:
    """The manifests, as YAML that `kubectl apply -f` takes."""
    documents = [_service(plan), _policy(plan), _job(plan), _workers(plan)]
    comments = "\n".join(commented(_preface(plan)))
    return "\n---\n".join([comments, *(as_yaml(document).rstrip("\n") for document in documents)]) + "\n"


def _preface(plan: LoadPlan) -> list[str]:
    kubectl = f"kubectl -n {shlex.quote(plan.namespace)}" if plan.namespace else "kubectl"
    create = f"{kubectl} create secret generic"
    lines = [
        f"Load from {plan.workers} pods, as environment {plan.name} describes it.",
        "The Job waits for all of them, runs the load and judges it. What the environment says of processes and",
        "workers does not apply: the pods are the workers.",
        f'The token, once: {create} {plan.token} --from-literal=GOLIVE_LOAD_TOKEN="$(openssl rand -hex 32)"',
    ]
    if plan.variables:
        pairs = " ".join(f"--from-literal={name}=…" for name in plan.variables)
        lines.append(f"The secret, once: {create} {_secret(plan)} {pairs}")
    if plan.files:
        lines.append(f"The environment reads these files where the Job runs: {', '.join(plan.files)}.")
    if plan.claim is None:
        lines.append("Reports and raw data go with the pod of the Job; --claim=NAME keeps them on a volume.")
    own = f"-l app.kubernetes.io/instance={plan.instance}"
    lines += [
        f"The answer: {kubectl} wait --for=condition=complete job/{plan.instance} --timeout=-1s; red fails the Job.",
        f"When it is over: {kubectl} delete job,deployment,service,networkpolicy {own}",
    ]
    return lines


def _service(plan: LoadPlan) -> Data:
    """A name for the Job's pod, also before it is ready: workers ask again and again."""
    ports = [{"name": "plans", "port": PLAN_PORT}, {"name": "locust", "port": LOCUST_PORT}]
    spec = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": _labels(plan, "master"), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(plan, plan.instance), "spec": spec}


def _policy(plan: LoadPlan) -> Data:
    """Locust asks nobody who reports to its master for a password; only the workers reach it."""
    ports = [{"protocol": "TCP", "port": port} for port in (PLAN_PORT, LOCUST_PORT)]
    workers = [{"podSelector": {"matchLabels": _labels(plan, "worker")}}]
    spec = {
        "podSelector": {"matchLabels": _labels(plan, "master")},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": workers, "ports": ports}],
    }
    metadata = _metadata(plan, plan.instance)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _job(plan: LoadPlan) -> Data:
    secret = _secret(plan)
    reports: Data = {"name": "reports"}
    reports |= {"persistentVolumeClaim": {"claimName": plan.claim}} if plan.claim else {"emptyDir": {}}
    env = [
        {"name": "GOLIVE_LOAD_WORKERS", "value": str(plan.workers)},
        _from_secret("GOLIVE_LOAD_TOKEN", plan.token),
        *(_from_secret(name, secret) for name in plan.variables),
    ]
    container = _container(plan, "master", plan.run(), env)
    container["ports"] = [{"containerPort": PLAN_PORT}, {"containerPort": LOCUST_PORT}]
    container["volumeMounts"] = [{"name": "reports", "mountPath": f"{plan.directory}/reports/output"}]
    pod: Data = {"restartPolicy": "Never", "automountServiceAccountToken": False}
    pod |= {"containers": [container], "volumes": [reports]}
    template = {"metadata": {"labels": _labels(plan, "master")}, "spec": pod}
    # A red load is an answer; pressing again would only hide that it was red.
    spec = {"backoffLimit": 0, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": _metadata(plan, plan.instance), "spec": spec}


def _workers(plan: LoadPlan) -> Data:
    labels = _labels(plan, "worker")
    container = _container(plan, "worker", plan.join(), [_from_secret("GOLIVE_LOAD_TOKEN", plan.token)])
    container["resources"] = {"requests": {"cpu": "1"}}  # a worker without a core of its own measures itself
    apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    spread = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_preferred(apart)]}}
    pod = {"automountServiceAccountToken": False, "affinity": spread, "containers": [container]}
    spec = {
        "replicas": plan.workers,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    metadata = _metadata(plan, f"{plan.instance}-workers")
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _preferred(term: Data) -> Data:
    return {"weight": 100, "podAffinityTerm": term}


def _container(plan: LoadPlan, name: str, words: list[str], env: list[Data]) -> Data:
    # Kubernetes puts variables into `$(NAME)`; `$$` is a `$`.
    command = [word.replace("$", "$$") for word in words]
    return {"name": name, "image": plan.image, "workingDir": plan.directory, "command": command, "env": env}


def _from_secret(name: str, secret: str) -> Data:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}}


def _secret(plan: LoadPlan) -> str:
    return plan.secret or plan.instance.removesuffix("-load")


def _metadata(plan: LoadPlan, name: str) -> Data:
    named = {"name": name, **({"namespace": plan.namespace} if plan.namespace else {})}
    return {**named, "labels": {key: value for key, value in _labels(plan, "").items() if value}}


def _labels(plan: LoadPlan, component: str) -> dict[str, str]:
    own = {"app.kubernetes.io/name": "golive", "app.kubernetes.io/instance": plan.instance}
    return {**own, "app.kubernetes.io/component": component}
