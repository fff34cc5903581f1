"""Asking questions of this machine through one shell or another, without a visit around them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question

FRAME = "golive-0123456789abcdef-part"
NOBODY = 65534


class Shell:
    """A shell with the programs it finds; stand-ins in `first` come before them."""

    def __init__(self, program: str, path: str, first: Path) -> None:
        self.program = program
        self.path = path
        self.first = first
        self.is_nobody = False
        self.replaced: dict[str, str] = {}

    def run(self, text: str) -> bytes:
        """What `text` prints; it must come to its end. Paths that are replaced in it are put back in what it says."""
        for path, other in self.replaced.items():
            text = text.replace(path, other)
        who: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        done = subprocess.run(
            [self.program, "-c", text],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
            cwd="/",
            env={"PATH": f"{self.first}:{self.path}", "LC_ALL": "C"},
            **(who if self.is_nobody and os.getuid() == 0 else {}),
        )
        assert done.returncode == 0, done.stderr
        said: bytes = done.stdout
        for path, other in self.replaced.items():
            said = said.replace(other.encode(), path.encode()) if other.startswith("/tmp/") else said
        return said

    def ask(self, *asked: Question[Any]) -> Mapping[Question[Any], Any]:
        """The answers to questions of one kind."""
        kind = type(asked[0])
        return kind.parse(asked, self.run(kind.snippet(asked, FRAME)), FRAME)

    def answer(self, question: Question[Any]) -> Any:
        """The answer to one question."""
        return self.ask(question)[question]

    def why(self, question: Question[Any]) -> str:
        """Why there is no answer to it."""
        answer = self.answer(question)
        assert isinstance(answer, CouldNotLook), answer
        return str(answer)

    def fake(self, program: str, script: str) -> None:
        """Put a stand-in before a program."""
        file = self.first / program
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)


def _dash(folder: Path) -> Shell:
    return Shell("/bin/dash", os.environ["PATH"], folder / "first")


def _busybox(folder: Path) -> Shell:
    """BusyBox and nothing else, as on Alpine."""
    program = shutil.which("busybox")
    assert program is not None, "install the package busybox"
    (folder / "applets").mkdir()
    for name in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split():
        (folder / "applets" / name).symlink_to(program)
    return Shell(str(folder / "applets" / "sh"), str(folder / "applets"), folder / "first")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may look into, as pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="gl-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        (Path(name) / "first").mkdir()
        yield Path(name)


@pytest.fixture(params=["dash", "busybox"])
def shell(request: pytest.FixtureRequest, open_folder: Path) -> Shell:
    """Each of both."""
    return _dash(open_folder) if request.param == "dash" else _busybox(open_folder)


@pytest.fixture
def debian(open_folder: Path) -> Shell:
    """Debian's shell and all programs of this machine."""
    return _dash(open_folder)
