"""The workflow for GitHub, read back as YAML; its steps are run by bash as a runner would."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reports.exports import Plan, cron_fields, github
from tests.reports.exports.plans import clock, due, plan, program, started, watch

Data = dict[str, Any]


def workflow(given: Plan) -> Data:
    found: Data = yaml.safe_load(github.render(given))
    return found


def steps(given: Plan) -> dict[str, Data]:
    (job,) = workflow(given)["jobs"].values()
    return {step.get("name", step.get("uses")): step for step in job["steps"]}


def test_it_starts_at_every_checkpoint_and_by_hand() -> None:
    found = workflow(plan())
    assert [entry["cron"] for entry in found["on"]["schedule"]] == [cron_fields(due(m)) for m in (15, 60, 240, 1440)]
    assert found["on"]["workflow_dispatch"]["inputs"]["checkpoint"]["options"] == ["15min", "1h", "4h", "24h"]
    assert found["concurrency"] == {"group": "golive-prod", "cancel-in-progress": False}
    assert found["permissions"] == {"contents": "read"}
    assert found["jobs"]["checkpoint"]["environment"] == "prod"


@pytest.mark.parametrize(
    ("schedule", "chosen", "year", "told"),
    [
        (cron_fields(due(15)), "", 2026, "checkpoint=15min\nselection=smoke\n"),
        (cron_fields(due(1440)), "", 2027, "checkpoint=24h\nselection=checkpoint or golive\n"),
        (cron_fields(due(1440)), "", 2028, ""),
        ("", "4h", 2027, "checkpoint=4h\nselection=checkpoint\n"),
        ("1 2 3 4 *", "", 2026, ""),
        ("", "$(id)", 2026, ""),
    ],
)
def test_the_entry_that_started_it_tells_the_checkpoint(
    tmp_path: Path, schedule: str, chosen: str, year: int, told: str
) -> None:
    step = steps(plan())["Which checkpoint it is"]
    assert step["env"] == {"SCHEDULE": "${{ github.event.schedule }}", "CHOSEN": "${{ inputs.checkpoint }}"}
    output = tmp_path / "output"
    output.touch()
    path = f"{clock(tmp_path / 'bin', year=year)}:/usr/bin:/bin"
    variables = {"SCHEDULE": schedule, "CHOSEN": chosen, "GITHUB_OUTPUT": str(output), "PATH": path}
    subprocess.run(["bash", "-e", "-c", step["run"]], env=variables, check=True, timeout=10)
    assert output.read_text() == told


def test_the_run_gets_its_words_and_secrets_by_reference(tmp_path: Path) -> None:
    step = steps(plan(variables=("SHOP_PASSWORD",)))["Hold the checkpoint"]
    assert step["env"] == {
        "TARGET": "prod",
        "SELECTION": "${{ steps.due.outputs.selection }}",
        "CHECKPOINT": "${{ steps.due.outputs.checkpoint }}",
        "SHOP_PASSWORD": "${{ secrets.SHOP_PASSWORD }}",
    }
    program(tmp_path / ".venv" / "bin")
    variables = {"TARGET": "my prod", "SELECTION": "checkpoint or golive", "CHECKPOINT": "24h"}
    words = started(["bash", "-e", "-c", f"cd '{tmp_path}'; {step['run']}"], **variables)[2]
    assert words == ["-m", "pytest", "--env=my prod", "-m", "checkpoint or golive", "--checkpoint=24h"]


def test_the_report_is_kept_whatever_came_out() -> None:
    step = steps(plan())["Keep the report"]
    assert step["if"].startswith("always() && ")
    assert step["uses"] == "actions/upload-artifact@v4"
    assert step["with"]["path"] == "reports/output/prod\n!reports/output/prod/latest/**\n"


def test_names_are_no_expressions_of_github() -> None:
    evil = "x${{ secrets.A }}"
    given = plan(watch(environment=evil), environment=evil)
    literal = "x${{ '${{' }} secrets.A }}"
    assert workflow(given)["jobs"]["checkpoint"]["environment"] == literal
    assert steps(given)["Hold the checkpoint"]["env"]["TARGET"] == literal


def test_its_limits_are_said() -> None:
    told = github.render(plan(probes=True))
    assert "late, often by many minutes" in told
    assert "begins more than 15 min after its time ('tolerance' of the environment's watch) is late" in told
    assert "Availability between the checkpoints is not probed from here" in told
    assert "not probed from here" not in github.render(plan())
