"""What is deployed is no longer what the watch began with, although everything runs and answers as before.

Nothing is restarted, so a single run finds nothing wrong. The watch is void all the same: what would run after the next
restart is not what was watched.
"""

from __future__ import annotations

import shutil

from demo.faults._model import Demo, Fault
from demo.layout import write_script
from demo.state import write_private

_BINARY, _CONFIGURATION = "binary-changed", "configuration-changed"
_KEPT = "original"


def _change_binary(demo: Demo) -> None:
    """The shell that read the script has become the service long ago, so the service does not notice."""
    program = demo.directory / "run" / "worker"
    shutil.copy2(program, demo.keep(_BINARY) / _KEPT)
    lines = program.read_text(encoding="utf-8").splitlines()[1:]
    new = program.with_suffix(".new")
    write_script(new, "\n".join([*lines, "# hotfix: totals rounded to full rupiah"]))
    new.replace(program)


def _restore_binary(demo: Demo) -> None:
    kept = demo.keep(_BINARY) / _KEPT
    if kept.exists():
        kept.replace(demo.directory / "run" / "worker")


def _change_configuration(demo: Demo) -> None:
    """supervisord has read its file at its start and is not told to read it again."""
    path = demo.settings.supervisor_config
    text = path.read_text(encoding="utf-8")
    write_private(demo.keep(_CONFIGURATION) / _KEPT, text)
    before, section, rest = text.partition("[program:worker]\n")
    write_private(path, before + section + rest.replace("startretries=5", "startretries=50", 1))


def _restore_configuration(demo: Demo) -> None:
    kept = demo.keep(_CONFIGURATION) / _KEPT
    if kept.exists():
        kept.replace(demo.settings.supervisor_config)


BINARY_CHANGED = Fault(
    name=_BINARY,
    says="the program of the worker was replaced on disk while the old one runs on",
    incident="a hotfix was copied to the server in the night, to be in place at the next restart",
    break_=_change_binary,
    heal=_restore_binary,
)

CONFIGURATION_CHANGED = Fault(
    name=_CONFIGURATION,
    says="supervisord's configuration of the worker was edited, and not loaded yet",
    incident="somebody raised a limit by hand on one server and told nobody",
    break_=_change_configuration,
    heal=_restore_configuration,
)
