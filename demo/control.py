"""The demo from outside: up, down, status, break, heal. Used by the `golive demo` command and by the pytest plugin.

Several callers may act at once; a lock in the state directory lets them through one at a time. What is running is
decided by looking, never by a record alone.

Keys of `State.values` (all strings): api_url, web_url, mail_smtp_host, mail_smtp_port, mail_url, collector_url,
database_url and scratch_url and redis_url (without passwords), supervisor_config, logs, backups, bin, documents,
signers, pid_directory (paths), deployed_at (ISO 8601, UTC), version. Keys of `State.secrets`: database_password,
scratch_password, redis_password, and `U_password` and `U_totp` for every user U.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from demo import layout, processes
from demo import settings as demo_settings
from demo.locks import Interrupts, interruptible, is_shared, locked, share
from demo.settings import SERVICES, Settings
from demo.start import ServiceError, is_complete, port_was_taken, start, stop, wait_until_ready
from demo.state import (
    DemoError,
    Owner,
    State,
    active_faults,
    clear_fault,
    default_directory,
    read_state,
    set_fault,
    write_state,
)
from demo.supervisor import Supervisor

__all__ = ["DemoError", "Lease", "ServiceStatus", "State", "borrow", "break_", "down", "heal", "state", "status", "up"]

HEAL_TIMEOUT_S = 30.0
SETTLE_TIMEOUT_S = 3.0
ATTEMPTS = 4
_TRANSIENT = frozenset({"RUNNING", "STARTING", "BACKOFF"})

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """One service. `state` is supervisord's word, or UNSUPERVISED when it runs although supervisord does not."""

    name: str
    state: str
    pid: int | None
    port: int | None
    uptime_s: float | None


def up(directory: Path | None = None, *, owner: Owner = "command", progress: Progress | None = None) -> State:
    """Start the demo, or return its state at once when it is up already.

    What is half dead is cleared away and started anew, unless faults are active: then it is meant to be as it is.
    A demo started by a run becomes the command's when the command asks for it, never the other way round.
    On an error or an interrupt everything is stopped again. Raises DemoError.
    """
    tell = progress or (lambda _: None)
    place = layout.claim(directory or default_directory())
    with locked(place, tell), interruptible() as interrupts:
        running = _complete(place)
        if running is None:
            return _start(place, owner, tell, interrupts)
        if owner == "command" and running.owner != "command":
            running = dataclasses.replace(running, owner=owner)
            write_state(running)
        return running


def down(directory: Path | None = None) -> bool:
    """Stop the demo and remove its files, but for the logs; True if there was anything to stop. Raises DemoError."""
    asked = directory or default_directory()
    if not asked.is_dir():
        return False
    place = layout.claim(asked)
    with locked(place, lambda _: None):
        return _down(place)


def state(directory: Path | None = None) -> State | None:
    """The state of a demo that is up, else None. A record that outlived its supervisord counts for nothing."""
    asked = directory or default_directory()
    found = read_state(asked.parent.resolve() / asked.name)
    if found is None or not processes.runs_with(found.supervisor_pid, found.values["supervisor_config"]):
        return None
    return found


def status(directory: Path | None = None) -> list[ServiceStatus]:
    """All eight services, whatever their state."""
    asked = directory or default_directory()
    place = asked.parent.resolve() / asked.name
    settings = _settings(place)
    ports = dataclasses.asdict(settings.ports) if settings else {}
    ports["mail"] = ports.get("mail_smtp")
    with contextlib.suppress(OSError, xmlrpc.client.Error):
        if settings is not None:
            return [
                ServiceStatus(
                    name=one.name, state=one.state, pid=one.pid, port=ports.get(one.name), uptime_s=one.uptime_s
                )
                for one in Supervisor(settings).services().values()
            ]
    left = {one.service: one.pid for one in processes.members(layout.places(place))}
    return [
        ServiceStatus(
            name=name,
            state="UNSUPERVISED" if name in left else "STOPPED",
            pid=left.get(name),
            port=ports.get(name),
            uptime_s=None,
        )
        for name in SERVICES
    ]


def break_(fault: str, directory: Path | None = None) -> None:
    """Bring a fault about. Raises DemoError for an unknown one, for one that is active, and when nothing is up."""
    from demo.faults import FAULTS, Demo

    if fault not in FAULTS:
        near = difflib.get_close_matches(fault, FAULTS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DemoError(f"unknown fault {fault!r}.{hint} `golive demo faults` lists them")
    running = _running(directory)
    with locked(running.directory, lambda _: None):
        if fault in active_faults(running.directory):
            raise DemoError(f"fault {fault!r} is active already")
        set_fault(running.directory, fault)
        try:
            FAULTS[fault].break_(Demo(running))
        except BaseException as error:
            with contextlib.suppress(Exception):
                FAULTS[fault].heal(Demo(running))
            clear_fault(running.directory, fault)
            if isinstance(error, Exception) and not isinstance(error, DemoError):
                raise DemoError(f"fault {fault!r} could not be brought about: {_joined(error)}") from error
            raise


def heal(fault: str | None = None, directory: Path | None = None) -> None:
    """Undo a fault, or all active ones; returns when every service is ready again.

    What a fault restarted counts as a new deployment from then on. Raises DemoError.
    """
    from demo.faults import FAULTS, Demo

    running = _running(directory)
    with locked(running.directory, lambda _: None):
        active = active_faults(running.directory)
        if fault is not None and fault not in active:
            raise DemoError(f"fault {fault!r} is not active; active: {', '.join(sorted(active)) or 'none'}")
        healed = [name for name in ([fault] if fault else active) if name in FAULTS]
        for name in healed:
            clear_fault(running.directory, name)
            try:
                FAULTS[name].heal(Demo(running))
            except Exception as error:
                set_fault(running.directory, name)  # so that it can be tried again
                raise DemoError(f"fault {name!r} could not be healed: {_joined(error)}") from error
        _wait_until_healed(running)
        if any(FAULTS[name].needs_new_deployment for name in healed):
            write_state(dataclasses.replace(running, values={**running.values, "deployed_at": _now()}))


class Lease:
    """A run's share in the demo: while anybody holds one, a demo that a run started is not stopped."""

    def __init__(self, state: State, descriptor: int) -> None:
        self.state = state
        self._descriptor = descriptor

    def release(self) -> bool:
        """Give the share back; stops the demo (True) when it was started by a run and this was the last share."""
        if self._descriptor < 0:
            return False
        os.close(self._descriptor)
        self._descriptor = -1
        place = self.state.directory
        with locked(place, lambda _: None):
            found = read_state(place)
            if found is None or found.owner != "run" or is_shared(place):
                return False
            return _down(place)

    def __enter__(self) -> State:
        return self.state

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def borrow(directory: Path | None = None, *, progress: Progress | None = None) -> Lease:
    """What a run calls instead of `up`: starts the demo if need be, and takes a share in it. Raises DemoError."""
    place = layout.claim(directory or default_directory())
    descriptor = share(place)
    try:
        return Lease(up(place, owner="run", progress=progress), descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def _complete(place: Path) -> State | None:
    """The state if everything runs, or soon does by itself, or is broken on purpose; None when a new start is due."""
    found, settings = state(place), _settings(place)
    if found is None or settings is None:
        return None
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    with contextlib.suppress(OSError, xmlrpc.client.Error):
        client = Supervisor(settings)
        while client.answers():
            if active_faults(place) or is_complete(settings, client):
                return found
            if time.monotonic() > deadline or {one.state for one in client.services().values()} - _TRANSIENT:
                return None
            time.sleep(0.1)
    return None


def _start(place: Path, owner: Owner, tell: Progress, interrupts: Interrupts) -> State:
    """Try, with other ports if need be; whatever goes wrong, nothing is left running. Raises DemoError."""
    for attempt in range(1, ATTEMPTS + 1):
        failure: BaseException | None = None
        try:
            _halt(place)
            settings, pid = start(place, tell)
            found = _describe(settings, owner, pid)
            write_state(found)
            return found
        except BaseException as error:  # noqa: BLE001  also an interrupt; it goes on once all is cleared away
            failure = error
        with interrupts.put_off():
            settings_of_failure = _settings(place)
            _halt(place)
            again = attempt < ATTEMPTS and _is_about_a_port(failure, settings_of_failure)
            if not again:
                layout.clear(place, keep=layout.KEPT_WHEN_DOWN)
        if not again:
            if isinstance(failure, Exception) and not isinstance(failure, DemoError):
                raise DemoError(_in_one_line(place, failure)) from failure
            raise failure
        tell("a port was taken meanwhile; trying others")
    raise AssertionError("the last attempt either returns or raises")


def _is_about_a_port(error: BaseException, settings: Settings | None) -> bool:
    return isinstance(error, ServiceError) and settings is not None and port_was_taken(settings, error.service)


def _in_one_line(place: Path, error: Exception) -> str:
    if isinstance(error, ImportError):
        missing = f"package {error.name!r}" if error.name else f"packages of the extra 'demo' ({_joined(error)})"
        return f"the demo needs the Python {missing}: pip install 'golive[demo]'"
    if isinstance(error, OSError) and error.strerror:
        return f"the demo did not start: {error.filename or place}: {error.strerror}"
    return f"the demo did not start: {type(error).__name__}: {_joined(error)}"


def _joined(error: Exception) -> str:
    return " ".join(str(error).split())


def _describe(settings: Settings, owner: Owner, pid: int) -> State:
    now = _now()
    values = {
        "api_url": settings.api_url,
        "web_url": settings.web_url,
        "mail_smtp_host": "127.0.0.1",
        "mail_smtp_port": str(settings.ports.mail_smtp),
        "mail_url": settings.mail_url,
        "collector_url": settings.collector_url,
        "database_url": f"postgresql://golive@127.0.0.1:{settings.ports.postgres}/warungin",
        "scratch_url": f"postgresql://golive_scratch@127.0.0.1:{settings.ports.postgres}/postgres",
        "redis_url": settings.redis_url,
        "supervisor_config": str(settings.supervisor_config),
        "logs": str(settings.logs),
        "backups": str(settings.backups),
        "bin": str(settings.bin),
        "documents": str(settings.documents),
        "signers": str(settings.signers),
        "pid_directory": str(settings.pids),
        "deployed_at": now,
        "version": settings.version,
    }
    public = {k: v for k, v in settings.secrets.items() if k not in demo_settings.INTERNAL_SECRETS}
    return State(
        directory=settings.directory, values=values, secrets=public, owner=owner, supervisor_pid=pid, started_at=now
    )


def _down(place: Path) -> bool:
    known = read_state(place) is not None
    ended = _halt(place, gently=True)
    layout.clear(place, keep=layout.KEPT_WHEN_DOWN)
    return known or ended


def _halt(place: Path, *, gently: bool = False) -> bool:
    try:
        return stop(_settings(place), place, gently=gently)
    except TimeoutError as error:
        raise DemoError(f"{place}: {error}") from error


def _settings(place: Path) -> Settings | None:
    try:
        return demo_settings.load(place)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _running(directory: Path | None) -> State:
    found = state(directory)
    if found is None:
        raise DemoError("the demo is not up; start it with `golive demo up`")
    return found


def _wait_until_healed(running: State) -> None:
    settings = demo_settings.load(running.directory)
    try:
        wait_until_ready(settings, Supervisor(settings), SERVICES, time.monotonic() + HEAL_TIMEOUT_S, patient=True)
    except ServiceError as error:
        raise DemoError(str(error).replace("did not start", "did not recover")) from error
    except (OSError, xmlrpc.client.Error) as error:
        raise DemoError(f"the demo did not recover: supervisord does not answer ({error})") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
