"""What a fault is, and what it may hold in hand to bring itself about."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from demo import settings as demo_settings
from demo.processes import python_command, spawn
from demo.settings import DatabaseRole, Settings
from demo.state import DemoError, State

if TYPE_CHECKING:  # importing these clients takes longer than most faults
    from psycopg import Connection
    from psycopg.rows import DictRow

    from demo.supervisor import Supervisor

USER_AGENT = "golive-demo-fault"
HELPER_STARTS_WITHIN_S = 20.0
HELPER_ENDS_WITHIN_S = 5.0


ShowsIn = Literal["run", "watch", "trend", "load"]


def nothing(_: Demo) -> None:
    """For faults that consist of their name in `faults.json` alone: the services look there."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way of breaking the demo.

    `says` is what is wrong now, `incident` what would bring it about in real life. `turns_red` are the ids of the
    criteria that have to notice and `told_as` a regular expression of what one of their messages then says. Some
    faults turn nothing red, because no single run can see them, and `shows_in` says where they are seen: in the
    `watch`, as what is deployed is no longer what it began with (`told_as` is then how the difference is told), or
    in the `trend` of measurements over several checkpoints. Those that show in a `load` turn criteria of a load red
    and no checkpoint is held under them. All three stand in `turns_red.yaml`.

    `break_` returns when the fault can be seen, `heal` when it cannot any more; `heal` is also called after a `break_`
    that failed half-way. `needs_new_deployment` is for faults whose traces (restarts, log lines) stay behind: healing
    them counts as a deployment, from which on the system is watched anew.

    `needs_earlier_look` is for faults that show only after an earlier look at this deployment: beside what that found,
    or because what is done right after a deployment belongs to it. `beyond_the_demo` is for those that other demos on
    this machine notice as well. `grows` is for those that turn more red the longer they last, and so want a machine
    that is not busy.
    """

    name: str
    says: str
    incident: str
    turns_red: frozenset[str] = frozenset()
    told_as: str = ""
    shows_in: ShowsIn = "run"
    break_: Callable[[Demo], None] = nothing
    heal: Callable[[Demo], None] = nothing
    needs_new_deployment: bool = False
    needs_earlier_look: bool = False
    beyond_the_demo: bool = False
    grows: bool = False

    @property
    def needs_the_machine(self) -> bool:
        """Whether it is tried while nothing else goes on."""
        return self.beyond_the_demo or self.grows


class Demo:
    """The running target, as a fault sees it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.directory = state.directory

    @cached_property
    def settings(self) -> Settings:
        """Ports, secrets and paths."""
        return demo_settings.load(self.directory)

    @cached_property
    def supervisor(self) -> Supervisor:
        """The process manager."""
        from demo.supervisor import Supervisor

        return Supervisor(self.settings)

    def start_service(self, name: str) -> None:
        """Start a service and wait until it has been up for a second; one that runs already is left alone."""
        try:
            self.supervisor.start(name, wait=True)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise

    def stop_service(self, name: str) -> None:
        """Stop a service; one that does not run is left alone."""
        try:
            self.supervisor.stop(name)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise

    def database(self, role: DatabaseRole = "postgres", *, name: str = "warungin") -> Connection[DictRow]:
        """A connection in autocommit mode, as the superuser unless said otherwise; close it, or use `with`."""
        import psycopg
        from psycopg.rows import dict_row

        arguments: dict[str, Any] = self.settings.database(role, name=name)
        return psycopg.connect(autocommit=True, row_factory=dict_row, **arguments)

    def redis(self, *command: str | int) -> Any:
        """One Redis command."""
        from demo.services.cache import Cache

        return Cache(self.settings).run(*command)

    def session_keys(self) -> list[str]:
        """The Redis keys of all sessions."""
        return [str(key) for key in self.redis("KEYS", "session:*")]

    def end_sessions(self) -> None:
        """Log everybody out, so that no session begun or kept alive under a fault outlives it."""
        for key in self.session_keys():
            self.redis("DEL", key)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        url: str | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of one request, to the API unless another URL is given. Raises OSError."""
        address = urlsplit(url or self.settings.api_url).netloc
        connection = http.client.HTTPConnection(address, timeout=15)
        sent = {"User-Agent": USER_AGENT, "Content-Type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def login(self, user: str, *, headers: Mapping[str, str] | None = None, password: str | None = None) -> str:
        """A token for that user. Raises DemoError."""
        import pyotp

        totp = pyotp.TOTP(self.settings.secrets[f"{user}_totp"], interval=1)
        status = 0
        for _ in range(4):
            given = password or self.settings.secrets[f"{user}_password"]
            credentials = {"username": user, "password": given, "code": totp.at(int(time.time()))}
            status, answer = self.request("POST", "/api/auth/login", body=credentials, headers=headers)
            if status == 200:
                return str(json.loads(answer)["token"])
            time.sleep(1.0)  # somebody else may have used this second's code
        raise DemoError(f"{user} cannot log in: status {status}")

    def append_log(self, service: str, text: str) -> None:
        """Write into a service's log, in one piece, as the service itself would."""
        descriptor = os.open(self.settings.logs / f"{service}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def keep(self, fault: str) -> Path:
        """A folder in which a fault keeps what it took away, until it is healed."""
        folder = self.directory / "kept" / fault
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def start_helper(self, kind: str, fault: str) -> None:
        """Have something done in the background for as long as the fault is active; returns when it is under way.

        See demo/faults/_helper.py for the kinds. Raises DemoError.
        """
        output = self.directory / "output" / f"fault-{fault}.txt"
        command = [*python_command(), "-m", "demo.faults._helper", kind, fault]
        if spawn(self.directory, command, output=output).wait(HELPER_STARTS_WITHIN_S) != 0:
            lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise DemoError(f"the helper of {fault} did not start: {lines[-1] if lines else 'no reason given'}")

    def wait_for_helper(self, fault: str) -> None:
        """Return when the fault's helper has ended, which it does by itself once the fault is inactive."""
        path = self.directory / "run" / f"fault-{fault}.lock"
        if not path.exists():
            return
        with path.open("rb") as file:
            wait_for(lambda: _lock(file.fileno()), f"the helper of {fault} to end", timeout_s=HELPER_ENDS_WITHIN_S)
        path.unlink(missing_ok=True)


def wait_for(condition: Callable[[], bool], what: str, *, timeout_s: float = 5.0, every_s: float = 0.02) -> None:
    """Return once the condition holds. Raises DemoError when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(every_s)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
