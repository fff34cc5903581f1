"""Who makes the load: one process, or a master with workers here and on further machines."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from golive.environment.loads import Profile
from golive.environment.sections import HostSection
from load.children import Child, Worker, await_end
from load.elsewhere.joining import Joining, await_workers
from load.elsewhere.remote import Machine, ask
from load.plan import plan_line

_LOCUSTFILE = Path(__file__).with_name("inside") / "locustfile.py"
_QUIET = ("--headless", "--only-summary", "--skip-log-setup", "--exit-code-on-error", "0")
_JOIN_S = 60
"""How long the master waits for its workers to join."""
_PORTS = range(20_000, 32_000)
_GONE_S = 2.0
_PATIENCE_S = 6.0
"""How long the master has to end in order before it is killed."""
_LEFT_BEHIND_S = 1.5
"""How long workers have whose master is gone."""


@dataclass(kw_only=True)
class Crew:
    """The processes of one load: the lone one or the master, and its workers. As a context it ends with its block."""

    main: Worker
    workers: list[Worker] = field(default_factory=list)
    ahead_s: dict[str, int] = field(default_factory=dict)
    """By how many seconds the clock of a worker on another machine is ahead of ours."""
    _gone_since: dict[str, float] = field(default_factory=dict)
    _known_lost: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(patience_s=0, ask=False)

    def newly_lost(self, now: float) -> list[tuple[str, float]]:
        """The workers that were lost, each told once, with the time (unix seconds) at which that was seen.

        Killed ones at once. The others after a moment: at the end of a load they may be gone before the master is.
        """
        found = []
        for worker in self.workers:
            code = None if worker.name in self._known_lost else worker.exit_code()
            if code is None:
                continue
            since = self._gone_since.setdefault(worker.name, now)
            if code < 0 or now - since >= _GONE_S:
                self._known_lost.add(worker.name)
                found.append((worker.name, since))
        return found

    @property
    def all_lost(self) -> bool:
        """Whether there were workers, and none is left."""
        return bool(self.workers) and all(worker.exit_code() is not None for worker in self.workers)

    def end(self, *, patience_s: float | None = None, ask: bool = True) -> None:
        """End everything: in order if that takes no longer than `patience_s`, at once otherwise.

        The master tells its workers, and gathers what they measured. Those that it leaves behind are asked as well.
        """
        patience_s = _PATIENCE_S if patience_s is None else patience_s
        try:
            if ask:
                self.main.ask()
            await_end([self.main], patience_s)
            if patience_s:
                for worker in self.workers:
                    worker.ask()
                await_end(self.workers, min(patience_s, _LEFT_BEHIND_S))
        finally:
            for worker in [self.main, *self.workers]:
                worker.end()

    def said(self) -> dict[str, str]:
        """What each of them printed at its end, by name."""
        return {worker.name: worker.said() for worker in [self.main, *self.workers]}


class Start:
    """Starts the processes of a profile. Should one fail to start, those before it are ended."""

    def __init__(self, plan: Mapping[str, Any], directory: Path) -> None:
        self._plan = plan
        self._at = directory

    def crew(self, here: int, machines: Sequence[tuple[Machine, int]]) -> Crew:
        """One process that does it all, or a master with `here` workers and those of each machine. OSError."""
        if here == 1 and not machines:
            return Crew(main=self._here("w1", "lone", 1, []))
        count = here + sum(number for _, number in machines)
        port = free_port()
        crew = Crew(main=self._here("master", "master", count, _master("127.0.0.1", port, count)))
        try:
            for number in range(1, here + 1):
                crew.workers.append(self._here(f"w{number}", "worker", count, _to_master("127.0.0.1", port)))
            for machine, number in machines:
                self._there(crew, machine, number, count, port)
        except BaseException:
            crew.end(patience_s=0)
            raise
        return crew

    def joined(self, joining: Joining) -> Crew:
        """A master here, and the workers that join it by themselves. CouldNotLook, OSError."""
        workers = await_workers(joining, lambda name: self._part(name, "worker", joining.count))
        try:
            options = _master(joining.host, joining.locust_port, joining.count)
            main = self._here("master", "master", joining.count, options)
        except BaseException:
            for worker in workers:
                worker.end()
            raise
        return Crew(main=main, workers=list(workers))

    def _here(self, name: str, role: str, count: int, options: Sequence[str]) -> Child:
        return _child(name, options, self._part(name, role, count), self._at)

    def _there(self, crew: Crew, machine: Machine, number: int, count: int, master: int) -> None:
        for at in range(number):
            name = machine.name if number == 1 else f"{machine.name}-{at + 1}"
            port = machine.ports[at]
            options = [*_QUIET, *_to_master("127.0.0.1", port)]
            plan = self._part(name, "worker", count)
            crew.workers.append(machine.start(name, plan, options, port=port, master=master, at=self._at))
            crew.ahead_s[name] = machine.ahead_s

    def _part(self, name: str, role: str, count: int) -> dict[str, Any]:
        return {**self._plan, "role": role, "worker": name, "workers": count}


def machines_of(profile: Profile, hosts: Callable[[str], HostSection]) -> list[tuple[Machine, int]]:
    """Each further machine with the number of its worker processes; CouldNotLook as `remote.ask`."""
    found = []
    for entry in profile.workers:
        machine = ask(entry.host, hosts(entry.host), entry.python)
        found.append((machine, min(len(machine.ports), _processes(entry.processes, machine.cores))))
    return found


def _processes(wanted: int | str, cores: int) -> int:
    """As many as said; with `auto` one core is left for everything else."""
    return wanted if isinstance(wanted, int) else max(1, cores - 1)


def free_port() -> int:
    """A port of this machine's loopback that nothing listens on right now.

    It lies below those that connections are given, of which a load has many, and which come and go.
    """
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def local_worker(plan: Mapping[str, Any], host: str, port: int, directory: Path) -> Child:
    """A worker here for a master at that host and port, with its own plan."""
    return _child(str(plan["worker"]), _to_master(host, port), plan, directory)


def _child(name: str, options: Sequence[str], plan: Mapping[str, Any], directory: Path) -> Child:
    words = [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), *_QUIET, *options]
    return Child(name, words, plan_line(plan), cwd=directory, env=_environment())


def _master(host: str, port: int, count: int) -> list[str]:
    waits = ["--expect-workers", str(count), "--expect-workers-max-wait", str(_JOIN_S)]
    return ["--master", "--master-bind-host", host, "--master-bind-port", str(port), *waits]


def _to_master(host: str, port: int) -> list[str]:
    return ["--worker", "--master-host", host, "--master-port", str(port)]


def _environment() -> dict[str, str]:
    """Ours, without what would change locust's options, and with the project where Python looks for it."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
    root = str(Path(__file__).parents[1])
    own["PYTHONPATH"] = os.pathsep.join(filter(None, [root, own.get("PYTHONPATH", "")]))
    return own
