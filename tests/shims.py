"""Stand-ins for commands of a host, in a folder that `path` names: readings faked at the lowest layer."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from golive.environment.sections import HostSection, ServicesSection
from golive.targets.hosts.host import Host


def shim(folder: Path, command: str, script: str) -> None:
    """A command with this `sh` script; `{real}` in it is the path of the real one."""
    folder.mkdir(exist_ok=True)
    file = folder / command
    file.write_text(f"#!/bin/sh\n{script.replace('{real}', shutil.which(command) or '')}\n", encoding="utf-8")
    file.chmod(0o755)


def says(text: str) -> str:
    """A script that prints exactly this, whatever it is asked."""
    return f"/bin/cat <<'END_OF_TEXT'\n{text}\nEND_OF_TEXT"


def local_host(
    bin_folder: Path | None = None, services: dict[str, ServicesSection] | None = None, *, window: str = "100 ms"
) -> Host:
    """This machine as a host, with the commands of `bin_folder` first."""
    path = (str(bin_folder),) if bin_folder else ()
    section = HostSection.model_validate({"connect": "local://", "cpu_window": window, "path": path})
    return Host("app", section, services, own_root_pid=os.getpid())


def utc(text: str) -> datetime:
    """An ISO time as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
