"""Load from further machines: what they are asked first, and a process there that reaches our master through ssh."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golive.environment.connection import Connection
from golive.environment.connection import parse as parse_connection
from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts.reach.program import silent
from golive.targets.hosts.reach.ssh import own_connection
from golive.targets.shell import TookTooLong, WroteTooMuch, one_line, run_program
from load.children import Child
from load.elsewhere.shipping import BOOTSTRAP, LOCUSTFILE, cargo
from load.plan import plan_line

_MARK = "golive-load:"
_ASK = """\
import importlib.util, json, os, random, socket, sys, time
if importlib.util.find_spec("locust") is None:
    sys.exit("locust is missing for " + sys.executable + ": pip install locust")
ports = []
for port in random.sample(range(20000, 32000), 2000):
    if len(ports) < int(sys.argv[1]):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        ports.append(port)
print("golive-load:" + json.dumps({"cores": os.cpu_count() or 1, "ports": ports, "now": time.time()}))
"""
_MOST_PORTS = 64
_LIBRARY = ("-m", "locust", "-f", LOCUSTFILE)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A further machine as it answered: its cores, free ports of it, and how far its clock is ahead of ours."""

    name: str
    section: HostSection
    connection: Connection
    python: str
    cores: int
    ports: tuple[int, ...]
    ahead_s: int

    def start(
        self, name: str, plan: Mapping[str, Any], options: list[str], *, port: int, master: int, at: Path
    ) -> Child:
        """A worker there. It reaches the `master` port here at `port` there, and is given locust's `options`."""
        goods, there = cargo(plan, [*_LIBRARY, *options])
        told = goods + plan_line(there)
        line = shlex.join([self.python, "-c", BOOTSTRAP, str(len(goods))])
        words = own_connection(self.section, self.connection, back=(port, master))
        return Child(name, [*words, f"exec {line}"], told, cwd=at, env=silent())


def ask(name: str, section: HostSection, python: str) -> Machine:
    """What the machine says of itself; CouldNotLook says why it can make no load."""
    connection = parse_connection(section.connect)
    if connection.scheme != "ssh":
        raise CouldNotLook(f"host {name}: workers are started over ssh://, not over {connection.scheme}://")
    line = shlex.join([python, "-c", _ASK, str(_MOST_PORTS)])
    began = time.time()
    try:
        done = run_program(
            [*own_connection(section, connection), line],
            timeout_s=section.timeout,
            max_bytes=1_000_000,
            env=silent(),
        )
    except TookTooLong:
        raise CouldNotLook(f"host {name}: no answer within {section.timeout:g} s, so it makes no load") from None
    except (WroteTooMuch, OSError) as error:
        raise CouldNotLook(f"host {name}: it cannot be asked for load: {one_line(str(error)) or error!r}") from None
    said = next((one for one in done.stdout.splitlines() if one.startswith(_MARK)), "")
    if done.exit_code != 0 or not said:
        why = one_line(done.stderr) or f"exit code {done.exit_code}"
        raise CouldNotLook(f"host {name} makes no load: {why}")
    return _machine(name, section, connection, python, json.loads(said.removeprefix(_MARK)), (began + time.time()) / 2)


def _machine(
    name: str, section: HostSection, connection: Connection, python: str, said: Mapping[str, Any], asked_at: float
) -> Machine:
    return Machine(
        name=name,
        section=section,
        connection=connection,
        python=python,
        cores=int(said["cores"]),
        ports=tuple(int(port) for port in said["ports"]),
        ahead_s=round(float(said["now"]) - asked_at),
    )
