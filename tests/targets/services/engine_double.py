"""What an engine's client prints, in the forms that `inspect` and `events` document: a double for tests without one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.shims import shim

IMAGE = f"sha256:{'1a' * 32}"
OTHER = f"sha256:{'2b' * 32}"
DOUBLE = """
echo "$@" >> "{folder}/log"
case "$1 $2" in
"compose version") exit 1 ;;
"ps -a") cat "{folder}/ids" ;;
"inspect --type") cat "{folder}/rows" ;;
"image inspect") cat "{folder}/images" ;;
"volume inspect") cat "{folder}/volumes" ;;
events*) case "$*" in *filter*) cat "{folder}/events" ;; *) echo 1777600000 ;; esac ;;
esac
"""


def identity(name: str) -> str:
    """The id of a container by its name."""
    return name.encode().hex().ljust(64, "0")[:64]


def row(service: str, name: str = "", **more: Any) -> dict[str, Any]:
    """One container as it should be, with what `more` changes."""
    full = name or f"shop-{service}-1"
    return {
        "id": identity(full),
        "name": f"/{full}",
        "service": service,
        "oneoff": "False",
        "group": "shop",
        "state": "running",
        "pid": 4242,
        "exit_code": 0,
        "oom_killed": False,
        "created": "2026-05-01T09:59:58.5Z",
        "started": "2026-05-01T10:00:00.123456789Z",
        "finished": "0001-01-01T00:00:00Z",
        "restarts": 0,
        "policy": "unless-stopped",
        "reference": "shop/x:1.2",
        "image": IMAGE,
        "user": "1000",
        "memory": 2**25,
        "nano_cpus": 500_000_000,
        "cpu_quota": 0,
        "cpu_period": 0,
        "pids_limit": 50,
        "read_only": True,
        "cap_add": None,
        "cap_drop": ["ALL"],
        "privileged": False,
        "security": ["no-new-privileges:true"],
        "pid_mode": "",
        "network_mode": "shop_default",
        "ipc_mode": "private",
        "uts_mode": "",
        "user_mode": "",
        "devices": None,
        "mounts": [],
        "bindings": {},
        "ports": {},
        "health": "healthy",
        "health_said": "",
        "health_test": "CMD",
        **more,
    }


def line(found: dict[str, Any]) -> str:
    """The row as the template prints it."""
    return f"{found['pid']} {found['id']} {found['image']} {found['reference']}|{json.dumps(found)}"


def event(what: str, service: str = "worker", **more: Any) -> str:
    """One event."""
    known = {"at": 1777630000, "what": what, "id": identity(f"shop-{service}-1"), "service": service, "group": "shop"}
    return json.dumps({**known, "code": "", "signal": "", "oneoff": "False", **more})


def answer(
    rows: Iterable[dict[str, Any]],
    *,
    use: str = "",
    again: str = "",
    images: str = "",
    oldest: str = "",
    events: Iterable[str] = (),
    events_code: int = 0,
    declared: str | None = None,
) -> str:
    """What the whole snippet prints."""
    found = list(rows)
    if not images:
        images = json.dumps({"id": IMAGE, "tags": ["shop/x:1.2"], "digests": [f"shop/x@{OTHER}"]})
    parts = [
        ("ids", "\n".join(one["id"] for one in found)),
        ("containers", "\n".join(map(line, found))),
        ("use", use),
        ("images", images),
        ("oldest", oldest),
        ("events", "\n".join(events)),
        (f"asked {events_code}", ""),
        ("again", again),
        *([("declared", declared)] if declared is not None else []),
    ]
    return "".join(f"-- golive {name}\n{text}\n" for name, text in parts)


def engine(
    folder: Path, rows: Iterable[dict[str, Any]], *, events: Iterable[str] = (), program: str = "docker"
) -> Path:
    """A client in a folder that answers as an engine with these containers would; its calls are in `folder/log`."""
    found = list(rows)
    (folder / "ids").write_text("".join(f"{one['id']}\n" for one in found))
    (folder / "rows").write_text("".join(f"{line(one)}\n" for one in found))
    (folder / "images").write_text(json.dumps({"id": IMAGE, "tags": ["shop/x:1.2"], "digests": []}) + "\n")
    (folder / "events").write_text("".join(f"{one}\n" for one in events))
    shim(folder / "bin", program, DOUBLE.format(folder=folder))
    return folder / "bin"
