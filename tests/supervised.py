"""A real supervisord with trivial programs, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from golive.targets.services.supervisor import Config
from tests.shims import shim

_HEAD = """\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/s.pid
childlogdir=%(here)s
nodaemon=true
silent=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
"""
_PROGRAM = "[program:{0}]\ncommand=/bin/sleep 600\nstartsecs=0\nautorestart=true\n"
_TOOLS = Path(sys.executable).parent


@dataclass
class Supervised:
    """A supervisord in `folder`; `bin` holds a `supervisorctl` for a host's `path`."""

    folder: Path
    bin: Path
    process: subprocess.Popen[bytes]

    def config(self, *expected: str) -> Config:
        """How an environment would name it."""
        values = {"kind": "supervisor", "host": "app", "config": str(self.folder / "s.conf"), "expected": expected}
        return Config.model_validate(values)

    def ctl(self, *arguments: str) -> str:
        """What `supervisorctl` says."""
        command = [str(self.bin / "supervisorctl"), "-c", str(self.folder / "s.conf"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout

    def pid(self, program: str) -> int:
        """The pid of a program."""
        return int(self.ctl("pid", program))

    def kill(self, program: str) -> None:
        """Kill a program and wait until it was started again."""
        before = self.pid(program)
        os.kill(before, signal.SIGKILL)
        _wait(lambda: self.pid(program) not in (0, before))


@contextmanager
def supervised(folder: Path, programs: Sequence[str]) -> Iterator[Supervised]:
    """Start it, wait until all programs run, stop it with everything that it started."""
    folder.mkdir()
    (folder / "s.conf").write_text(_HEAD + "".join(map(_PROGRAM.format, programs)), encoding="utf-8")
    shim(folder / "bin", "supervisorctl", f'exec {_TOOLS}/supervisorctl "$@"')
    process = subprocess.Popen([str(_TOOLS / "supervisord"), "-c", str(folder / "s.conf")])
    found = Supervised(folder, folder / "bin", process)
    try:
        _wait(lambda: found.ctl("status").count("RUNNING") == len(programs))
        yield found
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _wait(until: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError("supervisord is not where it should be")
        time.sleep(0.05)
