"""The host under the services, and the papers that should lie on it.

What cannot be brought about without harm to the machine (a full disk, a clock that is wrong) is faked where it is read:
a command in the state directory's `bin`, which the verifier has first in its PATH, alters what the real one prints.
"""

from __future__ import annotations

import os
import shlex
import shutil
from functools import partial

from demo.faults._model import Demo, Fault
from demo.layout import write_script
from demo.state import DemoError, active_faults

_FULL_PERCENT = 97
_SKEW_S = 300
_MEMORY, _DISK, _INODES, _ERRORS, _CLOCK = (
    "faked-memory-full",
    "faked-disk-full",
    "faked-inodes-used-up",
    "faked-interface-errors",
    "faked-clock-skew",
)
# Programs for awk, by the fault that needs them; each leaves alone what it does not know.
_ALTER_MEMORY = '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { $2 = int(total * 0.03) }'
_ALTER_ERRORS = "NF == 17 && $1 ~ /:$/ { $4 += now; $12 += now }"
_ALTER_DF = f"""\
NR > 1 && NF >= 6 && $2 > 0 {{
    $3 = int($2 * {_FULL_PERCENT} / 100); $4 = $2 - $3; $5 = "{_FULL_PERCENT}%"
}}"""


def _shim(demo: Demo, command: str, script: str) -> None:
    """Put a command in front of the real one, or take it away when there is nothing to alter."""
    path = demo.settings.bin / command
    path.unlink(missing_ok=True)
    if script:
        write_script(path, script)


def _real(demo: Demo, command: str) -> str:
    """The quoted path of the command that a shim stands in for. Raises DemoError."""
    folders = [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if one != str(demo.settings.bin)]
    found = shutil.which(command, path=os.pathsep.join(folders))
    if found is None:
        raise DemoError(f"this machine has no command {command!r} that could be altered")
    return shlex.quote(found)


def _alter_cat(demo: Demo) -> None:
    """Memory and interface errors are both read with cat; other files pass through as they are, binary ones too."""
    active = active_faults(demo.directory)
    cases = ""
    if _MEMORY in active:
        cases += f"*/proc/meminfo*) {_real(demo, 'cat')} \"$@\" | awk '{_ALTER_MEMORY} {{ print }}' ;;\n"
    if _ERRORS in active:
        now = "$(( $(date +%s%N | cut -c 5-16) / 1000 ))"  # grows with every millisecond
        cases += f"*/proc/net/dev*) {_real(demo, 'cat')} \"$@\" | awk -v now={now} '{_ALTER_ERRORS} {{ print }}' ;;\n"
    _shim(demo, "cat", f'case " $* " in\n{cases}*) exec {_real(demo, "cat")} "$@" ;;\nesac' if cases else "")


def _alter_df(demo: Demo) -> None:
    active = active_faults(demo.directory)
    cases = ""
    for fault, pattern in ((_INODES, '*" -i "*|*" -Pi "*|*" -iP "*|*" --inodes "*'), (_DISK, "*")):
        alter = f"| awk -v CONVFMT=%.0f '{_ALTER_DF} {{ print }}'" if fault in active else ""
        cases += f'{pattern}) {_real(demo, "df")} "$@" {alter} ;;\n'
    needed = _DISK in active or _INODES in active
    _shim(demo, "df", f'case " $* " in\n{cases}esac' if needed else "")


def _alter_date(demo: Demo) -> None:
    """Add the skew to Unix time, however many digits follow; other formats pass through."""
    script = (
        f'now=$({_real(demo, "date")} "$@") || exit\n'
        f'case "$1" in +%s*) seconds=${{now%%.*}}; echo "$((seconds + {_SKEW_S}))${{now#"$seconds"}}" ;;'
        ' *) echo "$now" ;; esac'
    )
    _shim(demo, "date", script if _CLOCK in active_faults(demo.directory) else "")


def _burn(demo: Demo) -> None:
    demo.start_helper("burn", "cpu-burnt")


def _stop_burning(demo: Demo) -> None:
    demo.wait_for_helper("cpu-burnt")


def _take_document(demo: Demo, *, name: str, fault: str) -> None:
    (demo.settings.documents / name).replace(demo.keep(fault) / name)


def _put_document_back(demo: Demo, *, name: str, fault: str) -> None:
    kept = demo.keep(fault) / name
    if kept.exists():
        kept.replace(demo.settings.documents / name)


def _document_fault(*, fault: str, name: str, says: str, incident: str) -> Fault:
    return Fault(
        name=fault,
        says=says,
        incident=incident,
        break_=partial(_take_document, name=name, fault=fault),
        heal=partial(_put_document_back, name=name, fault=fault),
    )


CPU = Fault(
    name="cpu-burnt",
    says="all cores are busy (for two minutes at most, at the lowest priority)",
    incident="a runaway process",
    break_=_burn,
    heal=_stop_burning,
    beyond_the_demo=True,
)

MEMORY_FULL = Fault(
    name=_MEMORY,
    says="/proc/meminfo, as cat prints it, says that 3 % of the memory is available",
    incident="a cache without a limit",
    break_=_alter_cat,
    heal=_alter_cat,
)

DISK_FULL = Fault(
    name=_DISK,
    says=f"df says that every file system is {_FULL_PERCENT} % full",
    incident="a log that nobody rotates",
    break_=_alter_df,
    heal=_alter_df,
)

INODES_FULL = Fault(
    name=_INODES,
    says=f"df -i says that {_FULL_PERCENT} % of all inodes are used",
    incident="a folder of millions of session files",
    break_=_alter_df,
    heal=_alter_df,
)

INTERFACE_ERRORS = Fault(
    name=_ERRORS,
    says="/proc/net/dev, as cat prints it, shows interface errors that grow",
    incident="a cable that is about to break",
    break_=_alter_cat,
    heal=_alter_cat,
)

CLOCK_SKEW = Fault(
    name=_CLOCK,
    says=f"the host's clock, as date prints it, is {_SKEW_S // 60} minutes fast",
    incident="the time daemon lost its servers",
    break_=_alter_date,
    heal=_alter_date,
)

API_CLOCK = Fault(
    name="api-clock-skew",
    says="the API's clock, in its Date header and in /health/detailed, is five minutes fast",
    incident="the API's container was paused and its time is behind, or the host's is",
)

GUIDE = _document_fault(
    fault="documents-missing",
    name="INCIDENT_RESPONSE_GUIDE.md",
    says="the incident response guide is not at hand",
    incident="the wiki was moved, and the export stopped",
)

ROLLBACK = _document_fault(
    fault="rollback-script-missing",
    name="rollback.sh",
    says="the rollback script is not where it should be",
    incident="the release left out the folder of scripts",
)
