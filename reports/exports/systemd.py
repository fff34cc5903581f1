"""A shell script that writes systemd units: a timer for each checkpoint, and a service that probes availability."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC

from reports.exports import Due, Plan, commented, heading, told

_FOLDER = "/etc/systemd/system"
_END = "END_OF_UNIT"
_PLAIN = re.compile(r"[\w@:,./+=-]+")


def render(plan: Plan, *, user: str, env_file: str | None = None) -> str:
    """The script. `user` runs the units, `env_file` is an EnvironmentFile with the environment's variables.

    NotSchedulable when no checkpoint is left.
    """
    script = [
        "#!/bin/sh",
        *commented(_preface(plan, env_file)),
        "set -eu",
        f"units=${{UNITS:-{_FOLDER}}}",
    ]
    for name, text in units(plan, user=user, env_file=env_file).items():
        script += [f"cat > \"$units/{name}\" <<'{_END}'", text.rstrip("\n"), _END]
    script += [
        '[ -n "${UNITS:-}" ] && exit',
        "systemctl daemon-reload",
        f"systemctl enable --now {plan.name}.target",
    ]
    return "\n".join(script) + "\n"


def units(plan: Plan, *, user: str, env_file: str | None = None) -> dict[str, str]:
    """The text of each unit by its name: a target that holds all, services, timers."""
    coming = plan.coming(step_s=1)
    running = [f"User={_path(user)}", f"WorkingDirectory={_path(plan.directory)}"]
    running += [f"EnvironmentFile={_path(env_file)}"] if env_file else []
    found: dict[str, str] = {}
    for due in coming:
        found.setdefault(f"{_service(plan, due)}@.service", _checkpoint_service(plan, due, running))
        found[f"{plan.name}-{due.slot.label}.timer"] = _timer(plan, due)
    if plan.probes:
        found[f"{plan.name}-probes.service"] = _probes(plan, running)
    wanted = " ".join(name for name in found if "@" not in name)
    return {f"{plan.name}.target": _target(plan, wanted), **found}


def _preface(plan: Plan, env_file: str | None) -> list[str]:
    lines = [
        *heading(plan, step_s=1),
        f"Run by root it writes the units to {_FOLDER} and starts them; with UNITS=FOLDER it only writes them there.",
        f"When the watch is over: systemctl disable --now {plan.name}.target",
    ]
    if plan.variables:
        where = f"Set in {env_file}" if env_file else "Services have none of these variables (give --env-file=PATH)"
        lines.append(f"{where}: {', '.join(plan.variables)}.")
    return lines


def _service(plan: Plan, due: Due) -> str:
    """One template for all checkpoints that judge the same; its instances are their labels."""
    return f"{plan.name}-{due.slot.occasions[-1].value}"


def _target(plan: Plan, wanted: str) -> str:
    return _unit(
        Unit=[f"Description=Watch over {_path(plan.subject)}", f"Wants={wanted}"],
        Install=["WantedBy=multi-user.target"],
    )


def _checkpoint_service(plan: Plan, due: Due, running: Sequence[str]) -> str:
    *words, _ = plan.run(due.selection, due.slot.label)
    command = f"{_command(words)} --checkpoint=%i"
    return _unit(
        Unit=[f"Description=Checkpoint %i of the watch over {_path(plan.subject)}", *_ONLINE],
        Service=["Type=oneshot", *running, f"ExecStart={command}"],
    )


def _timer(plan: Plan, due: Due) -> str:
    at = due.at.astimezone(UTC)
    return _unit(
        Unit=[
            f"Description=Checkpoint {due.slot.label}, late after {told(due.deadline)}",
            f"PartOf={plan.name}.target",
        ],
        Timer=[
            f"OnCalendar={at:%Y-%m-%d %H:%M:%S} UTC",
            "AccuracySec=1s",
            # A machine that was down at that moment may be up again before the checkpoint counts as late.
            "Persistent=true",
            f"Unit={_service(plan, due)}@{due.slot.label}.service",
        ],
    )


def _probes(plan: Plan, running: Sequence[str]) -> str:
    """Started again however it ends, but not once the watch is over: its exit code is then that of the verdict."""
    is_on = ["/bin/sh", "-c", f'[ "$(date -u +%s)" -lt {plan.over} ]']
    return _unit(
        Unit=[
            f"Description=Availability probes of the watch over {_path(plan.subject)}",
            f"PartOf={plan.name}.target",
            *_ONLINE,
        ],
        Service=[
            "Type=exec",
            *running,
            f"ExecCondition={_command(is_on)}",
            f"ExecStart={_command(plan.probe())}",
            "Restart=always",
            "RestartSec=5",
        ],
    )


_ONLINE = ("Wants=network-online.target", "After=network-online.target")


def _unit(**sections: Sequence[str]) -> str:
    def lines() -> Iterator[str]:
        for name, settings in sections.items():
            yield f"[{name}]"
            yield from settings
            yield ""

    return "\n".join(lines())


def _command(words: Sequence[str]) -> str:
    """As systemd.service(5) takes command lines apart: quotes, `$` for variables, `%` for specifiers."""
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    return f'"{escaped}"'


def _path(text: str) -> str:
    """A setting that takes the rest of the line as it is, but for specifiers."""
    return text.replace("%", "%%")
