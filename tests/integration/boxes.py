"""Containers of a statically linked BusyBox for the tests of engines: made, named and removed together."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from golive.environment.sections import HostSection, ServicesSection
from golive.targets.hosts.host import Host
from golive.targets.services import ServicesReading

_APPLETS = ("sh", "sleep", "cat", "echo", "true", "false", "test", "tail", "id", "kill", "touch")
_FILES = {"etc/passwd": "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", "etc/group": "root:x:0:\napp:x:1000:\n"}


@cache
def _root(mark: str) -> bytes:
    """A root file system as tar; another `mark` makes another image."""
    busybox = next((p for p in map(Path, ("/bin/busybox", "/usr/bin/busybox")) if p.is_file()), None)
    assert busybox is not None, "install the package busybox-static"
    folded = io.BytesIO()
    with tarfile.open(fileobj=folded, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "proc", "sys", "dev"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        for path, text in {**_FILES, "etc/mark": mark}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return folded.getvalue()


def command(*arguments: str, stdin: bytes = b"", folder: Path | None = None, timeout_s: float = 60) -> str:
    """What a program prints. AssertionError with what it complained of when it fails."""
    # A client would hand proxies of its own on to the containers.
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        arguments, input=stdin, capture_output=True, timeout=timeout_s, check=False, cwd=folder, env=env
    )
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode("utf-8", "replace")


@dataclass
class Boxes:
    """An engine (`docker` or `podman`) and what was made on it; every name begins with `token`."""

    program: str
    token: str = field(default_factory=lambda: f"golive-{secrets.token_hex(4)}")
    always: tuple[str, ...] = ()
    made: dict[str, str] = field(default_factory=dict)

    def image(self, tag: str, mark: str = "1") -> str:
        """An image `TOKEN:tag`; with another mark it is another one of the same name."""
        name = f"{self.token}:{tag}"
        if mark not in self.made:
            self.made[mark] = command(self.program, "import", "-", stdin=_root(mark)).split()[-1]
        self.call("tag", self.made[mark], name)
        return name

    def run(self, name: str, *options: str, does: str = "sleep 600", tag: str = "1") -> str:
        """Start a container; returns its name."""
        full = f"{self.token}-{name}"
        words = [self.program, "run", "-d", "--name", full, "--label", f"by={self.token}", *self.always, *options]
        command(*words, f"{self.token}:{tag}", "sh", "-c", does)
        return full

    def call(self, *arguments: str) -> str:
        """Any other command of the engine."""
        return command(self.program, *arguments)

    def drop(self, *names: str) -> None:
        """Kill and remove containers."""
        at_once = ("-t", "0") if self.program == "podman" else ()
        self.call("rm", "-f", "-v", *at_once, *names)

    def told(self, name: str, template: str) -> str:
        """One fact of a container."""
        return self.call("inspect", "--format", template, name).strip()

    def until(self, name: str, template: str, wanted: str, *, within_s: float = 20) -> None:
        """Wait for a fact of a container. AssertionError when it does not come."""
        holds(lambda: self.told(name, template) == wanted, f"{name} {template} {wanted}", within_s=within_s)

    def remove(self) -> None:
        """Everything that bears the token."""
        ids = self.call("ps", "-aq", "--filter", f"name={self.token}").split()
        if ids:
            self.drop(*ids)
        networks = self.call("network", "ls", "-q", "--filter", f"name={self.token}").split()
        if networks:
            self.call("network", "rm", *networks)
        there = self.call("images", "-aq", "--no-trunc").split()
        images = [image for image in self.made.values() if image in there]
        if images:
            self.call("rmi", "-f", *images)


@contextmanager
def boxes(program: str, *always: str) -> Iterator[Boxes]:
    """Boxes on an engine that runs, with an image `:1`; nothing of them is left."""
    assert shutil.which(program), f"install {program}"
    made = Boxes(program, always=always)
    try:
        made.image("1")
        yield made
    finally:
        made.remove()


def holds(condition: Callable[[], bool], what: str, *, within_s: float = 20) -> None:
    """Wait for a condition. AssertionError when it does not come to hold."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {within_s} s"
        time.sleep(0.1)


def host(services: Mapping[str, ServicesSection], window: str = "200 ms") -> Host:
    """This machine with these sets of services."""
    return Host("app", HostSection.model_validate({"connect": "local://", "cpu_window": window}), services)


def read(config: ServicesSection, *, with_rates: bool = False) -> ServicesReading:
    """A first look at one set."""
    found = host({"app": config}, window="1 s")
    found.begin(with_rates=with_rates)
    return found.read_services("app")
