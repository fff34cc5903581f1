"""docs/ci.md: its pipelines are YAML that gates and keeps the report, and its exit codes are pytest's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOC = (Path(__file__).resolve().parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL))
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
