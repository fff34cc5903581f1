"""Manifests for Kubernetes: a CronJob for each checkpoint, and a Deployment that probes availability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from reports.exports import Due, Plan, commented, cron_fields, heading
from reports.exports.yaml_text import as_yaml

_LONGEST_NAME = 52
"""A CronJob's name is at most so long, since Kubernetes adds to it for the names of its jobs."""
_LEAST_DEADLINE_S = 10
Data = dict[str, Any]


def render(plan: Plan, *, image: str, secret: str, namespace: str | None = None) -> str:
    """The manifests. `image` holds this project in the plan's `directory`, `secret` a key for each variable.

    NotSchedulable when no checkpoint is left, or the tolerance is too short for cron.
    """
    pod = _Pod(plan, image, secret)
    documents = [_cron_job(plan, due, pod, namespace) for due in plan.coming()]
    documents += [_deployment(plan, pod, namespace)] if plan.probes else []
    comments = "\n".join(commented(_preface(plan, secret)))
    return "\n---\n".join([comments, *(as_yaml(document).rstrip("\n") for document in documents)]) + "\n"


def _preface(plan: Plan, secret: str) -> list[str]:
    lines = [
        *heading(plan),
        "Each CronJob runs once: cron has no field for the year, so the command asks for it. One that could not start",
        "before its checkpoint counts as late does not start at all.",
        f"When the watch is over: kubectl delete cronjob,deployment -l app.kubernetes.io/instance={plan.name}",
    ]
    if plan.variables:
        pairs = " ".join(f"--from-literal={name}=…" for name in plan.variables)
        lines.append(f"The secret, once: kubectl create secret generic {secret} {pairs}")
    return lines


class _Pod:
    """What every container of the watch has in common."""

    def __init__(self, plan: Plan, image: str, secret: str) -> None:
        self._plan, self._image = plan, image
        self._env = [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}} for name in plan.variables
        ]

    def spec(self, name: str, words: Sequence[str], *, guard: str, restart: str) -> Data:
        """A pod that runs the command `words`, which are never taken for shell text, if the `guard` lets it."""
        output = f"{self._plan.directory}/reports/output"
        return {
            "restartPolicy": restart,
            "containers": [
                {
                    "name": name,
                    "image": self._image,
                    "workingDir": self._plan.directory,
                    "command": ["/bin/sh", "-c", _literal(f'{guard}; exec "$@"'), "golive"],
                    "args": [_literal(word) for word in words],
                    "env": self._env,
                    "volumeMounts": [{"name": "reports", "mountPath": output}],
                }
            ],
            "volumes": [{"name": "reports", "emptyDir": {}}],
        }


def _cron_job(plan: Plan, due: Due, pod: _Pod, namespace: str | None) -> Data:
    label = due.slot.label
    guard = f'[ "$(date -u +%Y)" = {due.at.year} ] || exit 0'
    spec = pod.spec("checkpoint", plan.run(due.selection, label), guard=guard, restart="Never")
    deadline_s = math.floor((due.deadline - due.at).total_seconds())
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _metadata(plan, _name(plan, label), namespace, {"golive/checkpoint": label}),
        "spec": {
            "schedule": cron_fields(due.at),
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": max(_LEAST_DEADLINE_S, deadline_s),
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            # A red checkpoint is an answer; running it again would only hide that it was red.
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"metadata": _labels(plan), "spec": spec}}},
        },
    }


def _deployment(plan: Plan, pod: _Pod, namespace: str | None) -> Data:
    """A pod that ends is started again, so once the watch is over this one sleeps until it is deleted."""
    guard = f'[ "$(date -u +%s)" -lt {plan.over} ] || exec sleep infinity'
    spec = pod.spec("probes", plan.probe(), guard=guard, restart="Always")
    own = {"app.kubernetes.io/component": "probes"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(plan, _name(plan, "probes"), namespace, {}),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},  # two at once would probe twice
            "selector": {"matchLabels": {**_labels(plan)["labels"], **own}},
            "template": {"metadata": {"labels": {**_labels(plan)["labels"], **own}}, "spec": spec},
        },
    }


def _literal(text: str) -> str:
    """Text in which Kubernetes puts no variable."""
    return text.replace("$", "$$")


def _metadata(plan: Plan, name: str, namespace: str | None, labels: dict[str, str]) -> Data:
    named = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {**named, "labels": {**_labels(plan)["labels"], **labels}}


def _labels(plan: Plan) -> dict[str, dict[str, str]]:
    return {"labels": {"app.kubernetes.io/name": "golive", "app.kubernetes.io/instance": plan.name}}


def _name(plan: Plan, what: str) -> str:
    ending = f"-{what.lower().replace('.', '-')}"
    return f"{plan.name[: _LONGEST_NAME - len(ending)].rstrip('-')}{ending}"
