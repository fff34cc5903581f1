"""The state directory: where it is, what says that the demo is up, and which faults are active in it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

DIRECTORY_VARIABLE = "GOLIVE_DEMO_DIR"
Owner = Literal["command", "run"]
SCHEMA = 1
STATE_FILE = "state.json"
FAULTS_FILE = "faults.json"


class DemoError(Exception):
    """The demo could not do what was asked; the message is one line, perhaps followed by the tail of a log."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A demo that is up. `values` are public, `secrets` are not; `demo.control` lists their keys."""

    directory: Path
    values: Mapping[str, str]
    secrets: Mapping[str, str]
    owner: Owner
    supervisor_pid: int
    started_at: str


def default_directory() -> Path:
    """`$GOLIVE_DEMO_DIR`, or a folder of the temporary directory that belongs to this user and this clone."""
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        return Path(named).absolute()
    clone = str(Path(__file__).resolve().parent.parent)
    digest = hashlib.sha256(clone.encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"golive-demo-{os.getuid()}-{digest}"


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but the owner can read it, not even while it is being written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def write_state(state: State) -> None:
    """Write `state.json`: from now on the demo counts as up."""
    content = {
        "schema": SCHEMA,
        "owner": state.owner,
        "supervisor_pid": state.supervisor_pid,
        "started_at": state.started_at,
        "values": dict(state.values),
        "secrets": dict(state.secrets),
    }
    write_private(state.directory / STATE_FILE, json.dumps(content, indent=1))


def read_state(directory: Path) -> State | None:
    """The recorded state, or None when there is none that can be used; says nothing about whether it still runs."""
    try:
        with (directory / STATE_FILE).open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None  # in a temporary directory anybody may have put it there
            content = json.load(file)
        if content["schema"] != SCHEMA:
            return None
        return State(
            directory=directory,
            values=content["values"],
            secrets=content["secrets"],
            owner=cast(Owner, content["owner"]),
            supervisor_pid=int(content["supervisor_pid"]),
            started_at=content["started_at"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


Faults = Mapping[str, Mapping[str, object]]
_seen: dict[Path, tuple[tuple[int, int, int], Faults]] = {}


def active_faults(directory: Path) -> Faults:
    """The faults in force, by name, each with its options; read again only when `faults.json` was replaced.

    Cheap enough to be asked at every request (one `stat`). A missing or unreadable file means none.
    """
    path = directory / FAULTS_FILE
    try:
        found = path.stat()
        version = (found.st_mtime_ns, found.st_ino, found.st_size)
        known = _seen.get(path)
        if known is None or known[0] != version:
            known = _seen[path] = (version, cast(Faults, json.loads(path.read_text(encoding="utf-8"))))
        return known[1]
    except (OSError, ValueError):
        return {}


def set_fault(directory: Path, name: str, **options: object) -> None:
    """Make a fault active; the services notice at their next look."""
    write_private(directory / FAULTS_FILE, json.dumps({**active_faults(directory), name: options}))


def clear_fault(directory: Path, name: str) -> None:
    """Make a fault inactive; it need not have been active."""
    left = {fault: options for fault, options in active_faults(directory).items() if fault != name}
    write_private(directory / FAULTS_FILE, json.dumps(left))
