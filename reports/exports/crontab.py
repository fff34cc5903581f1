"""Lines for a crontab: one for each checkpoint, and one that keeps the availability probes going."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from reports.exports import Due, Plan, commented, cron_fields, heading, told


def render(plan: Plan, *, env_file: str | None = None) -> str:
    """The lines. `env_file` is read by the shell before each run and sets the environment's variables.

    NotSchedulable when no checkpoint is left, or the tolerance is too short for cron.
    """
    lines = [
        *commented(_preface(plan, env_file)),
        "SHELL=/bin/sh",
        "CRON_TZ=UTC",
        *(line for due in plan.coming() for line in _checkpoint(plan, due, env_file)),
    ]
    if plan.probes:
        lines += _probes(plan, env_file)
    return "\n".join(lines) + "\n"


def _preface(plan: Plan, env_file: str | None) -> list[str]:
    lines = [
        *heading(plan),
        "Times are UTC. A cron that does not know CRON_TZ (Debian's) must itself run in UTC.",
        "Each line runs once: cron has no field for the year, so the line asks for it.",
    ]
    if plan.variables:
        where = f"Set in {env_file}" if env_file else "Cron sets none of these variables (give --env-file=PATH)"
        lines.append(f"{where}: {', '.join(plan.variables)}.")
    return lines


def _checkpoint(plan: Plan, due: Due, env_file: str | None) -> list[str]:
    guard = f'[ "$(date -u +%Y)" = {due.at.year} ]'
    command = _shell(plan, guard, plan.run(due.selection, due.slot.label), env_file)
    comment = f"{due.slot.label}: {told(due.at)}, late after {told(due.deadline)}"
    return ["", *commented([comment]), f"{cron_fields(due.at)} {command}"]


def _probes(plan: Plan, env_file: str | None) -> list[str]:
    """Started anew every minute while it does not run: it holds a lock on the environment's file as long as it does."""
    guard = f'[ "$(date -u +%s)" -lt {plan.over} ]'
    command = _shell(plan, guard, ["flock", "-n", plan.file, *plan.probe()], env_file)
    return ["", *commented(["availability between the checkpoints"]), f"* * * * * {command}"]


def _shell(plan: Plan, guard: str, words: Sequence[str], env_file: str | None) -> str:
    """One line for `sh`; cron takes a bare `%` for a line break."""
    steps = [guard, f"cd {shlex.quote(plan.directory)}"]
    if env_file:
        steps.append(f"set -a && . {shlex.quote(env_file)} && set +a")
    return " && ".join([*steps, f"exec {shlex.join(words)}"]).replace("%", r"\%")
