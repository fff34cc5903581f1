"""docs/ci.md: its pipelines are YAML that gates and keeps the report, and its exit codes are pytest's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DOC = (Path(__file__).resolve().parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB, SSH_STEPS, SSH_JOB, LOAD = (
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
)
NAMED = ("STAGING_SSH_KEY", "STAGING_KNOWN_HOSTS")
COMMAND = ".venv/bin/pytest --env=staging -m smoke"


def test_github_gates_on_the_smoke_criteria_and_keeps_the_report() -> None:
    steps: list[dict[str, Any]] = GITHUB["jobs"]["verify-staging"]["steps"]
    verify = next(step for step in steps if step.get("run") == COMMAND)
    assert "continue-on-error" not in verify
    keep = next(step for step in steps if "upload-artifact" in step.get("uses", ""))
    assert keep["if"] == "always()"
    assert keep["with"]["path"].split() == ["reports/output/staging", "!reports/output/staging/latest/**"]
    assert GITHUB["jobs"]["deploy-production"]["needs"] == "verify-staging"


def test_gitlab_gates_on_the_smoke_criteria_and_keeps_the_report() -> None:
    job = GITLAB["verify-staging"]
    assert job["script"] == [COMMAND]
    assert "allow_failure" not in job
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["paths"] == ["reports/output/staging"]
    assert job["artifacts"]["reports"]["junit"] == "reports/output/staging/2*/junit.xml"
    assert GITLAB["deploy-production"]["needs"] == ["verify-staging"]


def test_a_key_is_written_for_its_owner_alone_and_forgotten(tmp_path: Path) -> None:
    write, verify, forget = SSH_STEPS
    key = "-----BEGIN KEY-----\nline\n-----END KEY-----"
    variables = {"RUNNER_TEMP": str(tmp_path), "KEY": key, "HOSTS": "app ssh-ed25519 AAAA", "PATH": os.defpath}
    subprocess.run(["sh", "-euc", write["run"]], env=variables, check=True, timeout=20)
    assert (tmp_path / "ssh" / "key").read_text(encoding="utf-8") == f"{key}\n"
    assert (tmp_path / "ssh" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ssh").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "ssh" / "known_hosts").read_text(encoding="utf-8") == "app ssh-ed25519 AAAA\n"
    assert verify["run"] == COMMAND
    assert {verify["env"][name].removeprefix("${{ runner.temp }}/ssh/") for name in NAMED} == {"key", "known_hosts"}
    subprocess.run(["sh", "-euc", forget["run"]], env=variables, check=True, timeout=20)
    assert forget["if"] == "always()"
    assert list(tmp_path.iterdir()) == []


def test_no_pipeline_trusts_a_host_key_that_it_fetched_itself() -> None:
    pipelines = json.dumps([GITHUB, GITLAB, SSH_STEPS, SSH_JOB, LOAD])
    assert "ssh-keyscan" not in pipelines
    assert "StrictHostKeyChecking" not in pipelines
    assert all(f"${{env:{name}}}" in DOC for name in NAMED)
    assert SSH_JOB["verify-staging"]["before_script"][0] == 'chmod 600 "$STAGING_SSH_KEY"'


def test_load_runs_alone_and_keeps_its_data() -> None:
    job = LOAD["load-staging"]
    verify, keep = job["steps"][-2:]
    assert verify["run"] == ".venv/bin/pytest --env=staging -m load"
    assert keep["if"] == "always()"
    assert job["concurrency"] == GITHUB["jobs"]["verify-staging"]["concurrency"]


def test_every_exit_code_of_pytest_is_explained() -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d) \|", DOC, re.MULTILINE)}
    assert explained == {
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.INTERRUPTED,
        pytest.ExitCode.INTERNAL_ERROR,
        pytest.ExitCode.USAGE_ERROR,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }


def test_every_property_of_a_test_case_is_documented() -> None:
    for name in ("criterion", "outcome", "severity", "check", "measurement.NAME"):
        assert f"`{name}`" in DOC
