"""Plans to be exported, and what ends up in the hands of a program that a shell starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from golive.environment.schedule import slots_of
from golive.model import Deployment, Watch
from reports.exports import Plan

DEPLOYED = datetime(2026, 12, 31, 20, 30, 7, tzinfo=UTC)
"""The watch goes on into the next year."""
SCHEDULE = ("15 min smoke", "1 h", "4 h", "24 h golive")
HOSTILE = """it's 100% "odd" $HOME $(id) `id` \\x"""
ECHO = "import json, os, sys; print(json.dumps([os.getcwd(), dict(os.environ), sys.argv[1:]]))"


def watch(schedule: tuple[str, ...] = SCHEDULE, *, tolerance_s: float = 900, environment: str = "prod") -> Watch:
    return Watch(
        id="w",
        environment=environment,
        system="shop",
        deployment=Deployment(version="1.2.3", deployed_at=DEPLOYED),
        starts_at=DEPLOYED,
        opened_at=DEPLOYED,
        schedule=slots_of(schedule),
        tolerance_s=tolerance_s,
    )


def plan(of: Watch | None = None, **given: Any) -> Plan:
    values: dict[str, Any] = {
        "watch": of or watch(),
        "now": DEPLOYED + timedelta(minutes=1),
        "environment": "prod",
        "file": "/srv/golive/environments/prod.yaml",
        "python": "/srv/golive/.venv/bin/python",
        "directory": "/srv/golive",
        **given,
    }
    return Plan(**values)


def due(minutes: float) -> datetime:
    """A moment so many minutes after hour 0, rounded up to the whole minute."""
    exact = DEPLOYED + timedelta(minutes=minutes)
    return exact.replace(second=0) + timedelta(minutes=1)


def program(folder: Path, name: str = "python") -> Path:
    """A program that says where and with what it was started, in a folder and under a name as odd as may be."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!{sys.executable}\n{ECHO}\n")
    file.chmod(0o755)
    return file


def started(command: list[str], **variables: str) -> tuple[str, dict[str, str], list[str]]:
    """Folder, environment and words of the `program` that the command starts; ("", {}, []) when it starts none."""
    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, timeout=10, check=False
    )
    assert done.stderr == ""
    if not done.stdout:
        return "", {}, []
    folder, environ, words = json.loads(done.stdout)
    return folder, environ, words


def clock(folder: Path, *, year: int, seconds: int = 0) -> Path:
    """A folder with a `date` that is of that year."""
    folder.mkdir()
    file = folder / "date"
    file.write_text(f'#!/bin/sh\n[ "$2" = +%Y ] && echo {year} || echo {seconds}\n')
    file.chmod(0o755)
    return folder
