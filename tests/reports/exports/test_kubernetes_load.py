"""Manifests of a load whose workers are pods, read back as YAML; their commands are run as the kubelet would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from load.elsewhere import joining
from reports.exports import kubernetes_load
from reports.exports.kubernetes_load import LoadPlan, render
from tests.reports.exports.plans import HOSTILE, program, started

Data = dict[str, Any]


def plan(**given: Any) -> LoadPlan:
    values = {
        "environment": "prod",
        "name": "prod",
        "image": "registry.example/golive:1",
        "directory": "/srv/golive",
        "python": "python",
        "workers": 3,
        **given,
    }
    return LoadPlan(**values)


def documents(given: LoadPlan) -> dict[str, Data]:
    found = [document for document in yaml.safe_load_all(render(given)) if document is not None]
    assert [document["kind"] for document in found] == ["Service", "NetworkPolicy", "Job", "Deployment"]
    return {document["kind"]: document for document in found}


def container(document: Data) -> Data:
    (found,) = document["spec"]["template"]["spec"]["containers"]
    return dict(found)


def command(document: Data) -> list[str]:
    """What is executed: Kubernetes makes `$` of `$$`, and puts a variable for `$(NAME)`."""
    words = container(document)["command"]
    assert not any(re.search(r"(?<!\$)(\$\$)*\$\(", word) for word in words)
    return [word.replace("$$", "$") for word in words]


def test_a_job_runs_the_load_and_workers_join_it_by_the_name_of_its_service() -> None:
    found = documents(plan())
    assert command(found["Job"]) == ["python", "-m", "pytest", "--env=prod", "-m", "load"]
    assert found["Job"]["spec"]["backoffLimit"] == 0
    assert found["Job"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    name = found["Service"]["metadata"]["name"]
    assert command(found["Deployment"]) == ["python", "-m", "load.elsewhere.join", f"{name}:{joining.PLAN_PORT}"]
    assert found["Deployment"]["spec"]["replicas"] == 3
    environ = {entry["name"]: entry.get("value") for entry in container(found["Job"])["env"]}
    assert environ[joining.COUNT] == "3"
    assert {container(found[kind])["image"] for kind in ("Job", "Deployment")} == {"registry.example/golive:1"}


def test_the_ports_are_those_that_are_listened_on() -> None:
    assert (kubernetes_load.PLAN_PORT, kubernetes_load.LOCUST_PORT) == (joining.PLAN_PORT, joining.LOCUST_PORT)
    found = documents(plan())
    ports = {joining.PLAN_PORT, joining.LOCUST_PORT}
    assert {port["port"] for port in found["Service"]["spec"]["ports"]} == ports
    (rule,) = found["NetworkPolicy"]["spec"]["ingress"]
    assert {port["port"] for port in rule["ports"]} == ports


def test_selectors_find_their_pods_and_only_workers_reach_the_master() -> None:
    found = documents(plan())
    master, worker = (found[kind]["spec"]["template"]["metadata"]["labels"] for kind in ("Job", "Deployment"))
    assert found["Service"]["spec"]["selector"].items() <= master.items()
    assert found["Deployment"]["spec"]["selector"]["matchLabels"].items() <= worker.items()
    policy = found["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= master.items()
    (allowed,) = policy["ingress"][0]["from"]
    assert allowed["podSelector"]["matchLabels"].items() <= worker.items()
    assert not allowed["podSelector"]["matchLabels"].items() <= master.items()


def test_workers_get_the_token_and_no_other_secret() -> None:
    given = plan(variables=("HISTORY_URL", "SHOP_PASSWORD"))
    found = documents(given)
    token = {
        "name": joining.TOKEN,
        "valueFrom": {"secretKeyRef": {"name": "golive-prod-load-token", "key": joining.TOKEN}},
    }
    assert container(found["Deployment"])["env"] == [token]
    for name in ("HISTORY_URL", "SHOP_PASSWORD"):
        reference = {"name": name, "valueFrom": {"secretKeyRef": {"name": "golive-prod", "key": name}}}
        assert reference in container(found["Job"])["env"]
    text = render(given)
    assert 'golive-prod-load-token --from-literal=GOLIVE_LOAD_TOKEN="$(openssl rand -hex 32)"' in text
    assert "golive-prod --from-literal=HISTORY_URL=… --from-literal=SHOP_PASSWORD=…" in text
    for kind in ("Job", "Deployment"):
        assert found[kind]["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_reports_are_kept_on_a_volume_where_there_is_one() -> None:
    (volume,) = documents(plan())["Job"]["spec"]["template"]["spec"]["volumes"]
    assert volume == {"name": "reports", "emptyDir": {}}
    assert "--claim=NAME keeps them" in render(plan())
    job = documents(plan(claim="runs"))["Job"]
    assert job["spec"]["template"]["spec"]["volumes"] == [
        {"name": "reports", "persistentVolumeClaim": {"claimName": "runs"}}
    ]
    assert container(job)["volumeMounts"][0]["mountPath"] == "/srv/golive/reports/output"


def test_words_reach_the_program_as_they_are(tmp_path: Path) -> None:
    python = program(tmp_path / HOSTILE, "python 3")
    found = documents(plan(python=str(python), environment=HOSTILE, criteria=("shop.load.p95", "shop.load.errors")))
    words = started(command(found["Job"]), PATH="/usr/bin:/bin")[2]
    assert words == ["-m", "pytest", f"--env={HOSTILE}", "-m", "load", "-k", "shop.load.p95 or shop.load.errors"]


@pytest.mark.parametrize("name", ["prod", "Prod_EU", "x" * 90])
def test_names_are_those_that_kubernetes_takes_and_the_namespace_is_on_everything(name: str) -> None:
    for document in documents(plan(name=name, namespace="load")).values():
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
        assert len(document["metadata"]["name"]) <= 63
        assert document["metadata"]["namespace"] == "load"
        assert all(len(value) <= 63 for value in document["metadata"]["labels"].values())
