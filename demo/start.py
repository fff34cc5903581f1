"""One start, from an empty state directory to eight services that are ready. Knows nothing of locks and owners.

What takes long is done at the same time: while initdb works, supervisord and the services that need no database come
up and the rows of the database are made; while those are copied, nothing else is waiting for them.
"""

from __future__ import annotations

import contextlib
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from demo import frontend, layout, postgres, redis_server, supervisor
from demo import settings as demo_settings
from demo.processes import kill, members
from demo.readiness import PROBES, missing
from demo.settings import SERVICES, Settings
from demo.state import DemoError
from demo.supervisor import ProcessInfo, Supervisor

TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 3.0
POLL_S = 0.05
NEED_DATABASE = ("api", "worker", "scheduler")
NEED_NOTHING = tuple(name for name in SERVICES if name not in {*NEED_DATABASE, "postgres"})
_ON_THEIR_WAY = frozenset({"STARTING", "RUNNING"})
_AT_REST = frozenset({"STOPPED", "FATAL"})
_PORTS_OF = {"mail": ("mail_smtp", "mail_http")}
_TAIL_LINES = 15

Progress = Callable[[str], None]


class ServiceError(DemoError):
    """A service ended, or never became ready."""

    def __init__(self, service: str, problem: str, tail: str) -> None:
        super().__init__(f"the demo did not start: {service} {problem}" + (f"\n{tail}" if tail else ""))
        self.service = service


def start(place: Path, progress: Progress) -> tuple[Settings, int]:
    """Start everything; returns the settings and supervisord's pid.

    A failed start leaves processes and files behind; the caller clears up. Raises DemoError, ServiceError, OSError.
    """
    from demo import seed  # brings psycopg along

    settings = prepare(place)
    deadline = time.monotonic() + TIMEOUT_S
    with ThreadPoolExecutor(max_workers=2) as pool:
        cluster = pool.submit(postgres.create_cluster, settings)
        rows = pool.submit(seed.make_rows, settings, now=datetime.now(UTC))
        progress("starting supervisord, creating the database cluster")
        pid = supervisor.launch(settings)
        client = Supervisor(settings)
        _start(settings, client, NEED_NOTHING)
        cluster.result()
        _start(settings, client, ["postgres"])
        wait_until_ready(settings, client, ["postgres"], deadline, states=_ON_THEIR_WAY)
        progress("filling the database")
        seed.seed(settings, rows.result())
    _start(settings, client, NEED_DATABASE)
    progress("waiting for the services")
    wait_until_ready(settings, client, SERVICES, deadline)
    return settings, pid


def prepare(place: Path) -> Settings:
    """Clear the directory and put in settings and configuration of a new start. Nothing runs yet."""
    layout.clear(place)
    housing = postgres.house(place)
    has_room = layout.socket_fits(place, supervisor.SOCKET_NAME)
    short = place if has_room else layout.make_annex(place)
    settings = Settings(
        directory=place,
        ports=demo_settings.choose_ports(),
        secrets=demo_settings.make_secrets(),
        version=demo_settings.VERSION,
        postgres_programs=housing.programs,
        postgres_home=housing.home,
        supervisor_socket=short / supervisor.SOCKET_NAME,
    )
    layout.furnish(settings)
    redis_server.configure(settings)
    frontend.configure(settings)
    supervisor.configure(settings)
    demo_settings.save(settings)
    return settings


def _start(settings: Settings, client: Supervisor, names: Iterable[str]) -> None:
    for name in names:
        if port_was_taken(settings, name):
            raise ServiceError(name, "finds its port taken", "")
        try:
            client.start(name)
        except xmlrpc.client.Fault as fault:
            raise ServiceError(name, _refused(client, name, fault), tail(settings, name)) from fault


def _refused(client: Supervisor, name: str, fault: xmlrpc.client.Fault) -> str:
    """A program that ends before supervisord has answered the request to start it makes that answer a fault."""
    if not fault.faultString.startswith("SPAWN_ERROR"):
        return f"cannot be started ({fault.faultString})"
    why = client.services()[name].problem  # none if it is just being tried once more
    return f"has ended ({why})" if why else "has ended"


def wait_until_ready(
    settings: Settings,
    client: Supervisor,
    names: Iterable[str],
    deadline: float,
    *,
    states: frozenset[str] = frozenset({"RUNNING"}),
    patient: bool = False,
) -> None:
    """Wait until the probe of each of these is content and supervisord has it in one of the states.

    Unless `patient`, a service that has ended is not waited for. `deadline` is of `time.monotonic`.
    Raises ServiceError for the first one that is not ready.
    """
    waiting = {name: PROBES[name] for name in names}
    pids: dict[str, int | None] = {}
    while True:
        known = client.services()
        problems = missing(settings, waiting)
        waiting = {name: probe for name, probe in waiting.items() if name in problems}
        unsettled = {name: _ended(known[name]) for name in names if known[name].state not in states}
        if not waiting and not unsettled:
            return
        for name in names:
            # Another pid: it ended, and supervisord has started it once more. nginx takes 2.5 s to give up on a port.
            again = pids.setdefault(name, known[name].pid) != known[name].pid
            if not patient and (again or known[name].state not in _ON_THEIR_WAY):
                raise ServiceError(name, "has ended" if again else unsettled[name], tail(settings, name))
        if time.monotonic() > deadline:
            name, problem = next(iter((problems | unsettled).items()))
            raise ServiceError(name, problem, tail(settings, name))
        time.sleep(POLL_S)


def _ended(info: ProcessInfo) -> str:
    why = f"exit code {info.exit_status}" if info.exit_status else info.problem
    return f"is {info.state}" if info.state in _ON_THEIR_WAY else f"has ended ({why})"


def tail(settings: Settings, service: str) -> str:
    """The last lines that a service wrote, from what it printed and from its log."""
    logs = {"frontend": "nginx-error.log"}
    lines: list[str] = []
    for file in (settings.directory / "output" / f"{service}.txt", settings.logs / logs.get(service, f"{service}.log")):
        if file.exists() and (text := file.read_text(encoding="utf-8", errors="replace").strip()):
            lines += [f"  {line}" for line in text.splitlines()[-_TAIL_LINES:]]
    return "\n".join(lines[-_TAIL_LINES:])


def is_complete(settings: Settings, client: Supervisor) -> bool:
    """One quick look: everything runs and answers. PostgreSQL is asked through the API, to spare us its client."""
    if any(one.state != "RUNNING" for one in client.services().values()):
        return False
    return not missing(settings, {name: probe for name, probe in PROBES.items() if name != "postgres"})


def stop(settings: Settings | None, place: Path, *, gently: bool = False) -> bool:
    """End whatever runs, in order if this is to be done gently and supervisord answers; True if anything ran.

    Raises TimeoutError when a process cannot be ended.
    """
    places = layout.places(place)
    ran = bool(members(places))
    if ran and gently and settings is not None:
        with contextlib.suppress(OSError, xmlrpc.client.Error):  # it is gone, or hangs: `kill` needs nobody's help
            _stop_in_order(Supervisor(settings))
    kill(places)
    if settings is not None:
        postgres.release_memory(settings.postgres_data)
    return ran


def _stop_in_order(client: Supervisor) -> None:
    """First those who write, then the servers they write to. Asks again for one that was just being restarted."""
    servers = frozenset({"postgres", "redis"})
    for names in (frozenset(SERVICES) - servers, servers):
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            left = [one for name, one in client.services().items() if name in names and one.state not in _AT_REST]
            if not left:
                break
            for one in left:
                if one.state != "STOPPING":
                    with contextlib.suppress(xmlrpc.client.Fault):  # it ended by itself in this moment
                        client.stop(one.name, wait=False)
            time.sleep(0.02)


def port_was_taken(settings: Settings, service: str) -> bool:
    """Whether somebody listens on a port of that service, which does not run itself."""
    numbers = [getattr(settings.ports, name, None) for name in _PORTS_OF.get(service, (service,))]
    return any(number is not None and not demo_settings.is_free(number) for number in numbers)
