"""A workflow for GitHub Actions that holds the checkpoints at their times."""

from __future__ import annotations

import shlex

from reports.exports import Due, Plan, commented, cron_fields, heading
from reports.exports.yaml_text import as_yaml

_DUE = "steps.due.outputs.checkpoint != ''"


def render(plan: Plan) -> str:
    """The workflow, for a file in `.github/workflows/` of the default branch.

    NotSchedulable when no checkpoint is left, or the tolerance is too short for cron.
    """
    coming = plan.coming()
    labels = [slot.label for slot in plan.watch.schedule]
    choice = {"description": "the checkpoint to hold now", "required": True, "type": "choice", "options": labels}
    workflow = {
        "name": f"watch {_literal(plan.watch.environment)}",
        "on": {
            "schedule": [{"cron": cron_fields(due.at)} for due in coming],
            "workflow_dispatch": {"inputs": {"checkpoint": choice}},
        },
        "permissions": {"contents": "read"},
        "concurrency": {"group": plan.name, "cancel-in-progress": False},
        "jobs": {"checkpoint": _job(plan, coming)},
    }
    return "\n".join([*commented(_preface(plan)), as_yaml(workflow)])


def _preface(plan: Plan) -> list[str]:
    tolerance = f"{plan.watch.tolerance_s / 60:g} min"
    lines = [
        *heading(plan),
        "",
        "GitHub starts scheduled workflows late, often by many minutes, and drops some when it is busy. A checkpoint",
        f"that begins more than {tolerance} after its time ('tolerance' of the environment's watch) is late, and the",
        "verdict is NO-GO. Give it a tolerance of an hour, or let a machine of your own keep the schedule. One that",
        "was dropped can be held by hand within its tolerance: gh workflow run.",
        "It runs what is on the default branch: do not change criteria there while the watch goes on.",
        "Runs that wait for another are replaced by later ones, so no checkpoint may last until the next but one.",
    ]
    if plan.probes:
        lines += [
            "Availability between the checkpoints is not probed from here, as no job lasts that long: keep",
            f"`golive watch --env={plan.environment} --probes-only` running somewhere, with the same history.",
        ]
    return lines


def _job(plan: Plan, coming: list[Due]) -> dict[str, object]:
    steps: list[dict[str, object]] = [
        {
            "name": "Which checkpoint it is",
            "id": "due",
            "env": {"SCHEDULE": "${{ github.event.schedule }}", "CHOSEN": "${{ inputs.checkpoint }}"},
            "run": _which(plan, coming),
        },
        {"uses": "actions/checkout@v4", "if": _DUE},
        {"uses": "actions/setup-python@v5", "if": _DUE, "with": {"python-version": "3.11"}},
        {"name": "Install from pinned, hashed requirements", "if": _DUE, "run": "make .venv/.ready"},
        _hold(plan),
        _keep(plan),
    ]
    name = _literal(plan.watch.environment)
    return {"runs-on": "ubuntu-24.04", "environment": name, "timeout-minutes": 60, "steps": steps}


def _hold(plan: Plan) -> dict[str, object]:
    """The run itself. All words reach the shell through its environment, so that none is taken for shell text."""
    words = {
        "TARGET": _literal(plan.environment),
        "SELECTION": "${{ steps.due.outputs.selection }}",
        "CHECKPOINT": "${{ steps.due.outputs.checkpoint }}",
    }
    return {
        "name": "Hold the checkpoint",
        "if": _DUE,
        "env": words | {variable: f"${{{{ secrets.{variable} }}}}" for variable in plan.variables},
        "run": '.venv/bin/python -m pytest --env="$TARGET" -m "$SELECTION" --checkpoint="$CHECKPOINT"',
    }


def _keep(plan: Plan) -> dict[str, object]:
    folder = f"reports/output/{_literal(plan.watch.environment)}"
    run = "${{ steps.due.outputs.checkpoint }}-${{ github.run_id }}-${{ github.run_attempt }}"
    return {
        "name": "Keep the report",
        "if": f"always() && {_DUE}",
        "uses": "actions/upload-artifact@v4",
        "with": {
            "name": f"{plan.name}-{run}",
            "path": f"{folder}\n!{folder}/latest/**\n",
            "if-no-files-found": "warn",
            "retention-days": 90,
        },
    }


def _which(plan: Plan, coming: list[Due]) -> str:
    """Shell text that tells the checkpoint by the cron entry that started the workflow, or by hand.

    An entry comes round again every year, and then means nothing.
    """
    selections = {due.slot.label: due.selection for due in plan.dues()}
    entries = [
        f'{shlex.quote(cron_fields(due.at))}) [ "$(date -u +%Y)" = {due.at.year} ] && label={due.slot.label} ;;'
        for due in coming
    ]
    known = [f"{label}) selection={shlex.quote(selection)} ;;" for label, selection in selections.items()]
    return "\n".join(
        [
            "label=$CHOSEN",
            'case "$SCHEDULE" in',
            *entries,
            "esac",
            'case "$label" in',
            *known,
            "*) exit 0 ;;",
            "esac",
            'echo "checkpoint=$label" >> "$GITHUB_OUTPUT"',
            'echo "selection=$selection" >> "$GITHUB_OUTPUT"',
            "",
        ]
    )


def _literal(text: str) -> str:
    """Text in which GitHub evaluates nothing."""
    return text.replace("${{", "${{ '${{' }}")
