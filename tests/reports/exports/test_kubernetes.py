"""Manifests for Kubernetes, read back as YAML; their commands are run as the kubelet would start them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reports.exports import Plan, cron_fields, kubernetes
from tests.reports.exports.plans import HOSTILE, clock, due, plan, program, started, watch

Data = dict[str, Any]


def documents(given: Plan, **more: Any) -> list[Data]:
    text = kubernetes.render(given, image="registry.example/golive:1", secret="golive-prod", **more)
    return [document for document in yaml.safe_load_all(text) if document is not None]


def container(document: Data) -> Data:
    template = document["spec"].get("jobTemplate", document)["spec"]["template"]
    (found,) = template["spec"]["containers"]
    return dict(found)


def command(document: Data) -> list[str]:
    """What is executed: Kubernetes makes `$` of `$$`, and puts a variable for `$(NAME)`."""
    texts = [*container(document)["command"], *container(document)["args"]]
    assert not any(re.search(r"(?<!\$)(\$\$)*\$\(", text) for text in texts)
    return [text.replace("$$", "$") for text in texts]


def test_each_checkpoint_is_a_cron_job_at_its_time() -> None:
    found = documents(plan())
    assert [(d["apiVersion"], d["kind"]) for d in found] == [("batch/v1", "CronJob")] * 4
    assert [d["metadata"]["name"] for d in found] == [f"golive-prod-{label}" for label in ("15min", "1h", "4h", "24h")]
    for document, minutes in zip(found, (15, 60, 240, 1440), strict=True):
        spec = document["spec"]
        assert spec["schedule"] == cron_fields(due(minutes))
        assert (spec["timeZone"], spec["concurrencyPolicy"]) == ("Etc/UTC", "Forbid")
        assert spec["startingDeadlineSeconds"] == 900 - 53  # it starts at the next whole minute
        job = spec["jobTemplate"]["spec"]
        assert job["backoffLimit"] == 0
        assert job["template"]["spec"]["restartPolicy"] == "Never"
        assert container(document)["image"] == "registry.example/golive:1"
    assert [d["metadata"]["labels"]["golive/checkpoint"] for d in found] == ["15min", "1h", "4h", "24h"]


def test_secrets_are_references() -> None:
    given = plan(variables=("HISTORY_URL", "SHOP_PASSWORD"))
    for document in documents(given):
        assert container(document)["env"] == [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": "golive-prod", "key": name}}}
            for name in ("HISTORY_URL", "SHOP_PASSWORD")
        ]
    text = kubernetes.render(given, image="i", secret="golive-prod")
    assert (
        "kubectl create secret generic golive-prod --from-literal=HISTORY_URL=… --from-literal=SHOP_PASSWORD=…" in text
    )


def test_probes_are_a_deployment_of_one(tmp_path: Path) -> None:
    given = plan(probes=True, python=str(program(tmp_path / "bin")))
    *_, deployment = documents(given)
    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    spec = deployment["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    labels: Mapping[str, str] = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    end = int(given.watch.ends_at.timestamp() + given.watch.tolerance_s)
    path = f"{clock(tmp_path / 'during', year=2026, seconds=end)}:/usr/bin:/bin"
    assert started(command(deployment), PATH=path)[2] == ["-m", "commands.main", "watch", "--env=prod", "--probes-only"]
    over = clock(tmp_path / "over", year=2027, seconds=end + 1)
    sleep = over / "sleep"
    sleep.write_text('#!/bin/sh\necho "[\\"\\", {}, [\\"slept $1\\"]]"\n')
    sleep.chmod(0o755)
    assert started(command(deployment), PATH=f"{over}:/usr/bin:/bin")[2] == ["slept infinity"]


@pytest.mark.parametrize(("year", "runs"), [(2026, True), (2027, False)])
def test_a_cron_job_runs_in_its_own_year_only_with_its_words_as_they_are(tmp_path: Path, year: int, runs: bool) -> None:
    python = program(tmp_path / HOSTILE, "python 3")
    document = documents(plan(python=str(python), environment=HOSTILE))[0]
    words = started(command(document), PATH=f"{clock(tmp_path / 'bin', year=year)}:/usr/bin:/bin")[2]
    assert words == (["-m", "pytest", f"--env={HOSTILE}", "-m", "smoke", "--checkpoint=15min"] if runs else [])


@pytest.mark.parametrize("environment", ["prod", "Prod_EU", "x" * 90])
def test_names_are_those_that_kubernetes_takes(environment: str) -> None:
    given = plan(watch(("1.5 h", "24 h golive"), environment=environment), probes=True)
    names = [document["metadata"]["name"] for document in documents(given)]
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= 52 for name in names)


def test_a_namespace_is_put_on_everything() -> None:
    given = plan(probes=True)
    assert {d["metadata"]["namespace"] for d in documents(given, namespace="watch")} == {"watch"}
    assert not any("namespace" in d["metadata"] for d in documents(given))
