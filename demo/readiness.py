"""Is a service ready for work? Each probe asks the service itself, cheaply enough to be repeated 20 times a second.

Every probe returns None when the service is ready, or what it is still missing.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping

from demo.settings import HEARTBEAT_KEY, Settings

TIMEOUT_S = 1.0
Probe = Callable[[Settings], str | None]


def missing(settings: Settings, names: Mapping[str, Probe]) -> dict[str, str]:
    """What each of these services is still missing; empty when all are ready."""
    found = {name: _ask(probe, settings) for name, probe in names.items()}
    return {name: problem for name, problem in found.items() if problem is not None}


def _ask(probe: Probe, settings: Settings) -> str | None:
    try:
        return probe(settings)
    except (OSError, http.client.HTTPException) as error:
        return f"does not answer ({error})"


def _postgres(settings: Settings) -> str | None:
    # Its own note first (as pg_ctl does): a connection that comes too early would leave a FATAL line in its log.
    note = (settings.postgres_data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    if len(note) < 8 or note[7].strip() != "ready":
        return "is still starting"

    import psycopg

    try:
        with psycopg.connect(**settings.database("postgres", name="postgres")) as connection:
            connection.execute("SELECT 1")
        return None
    except psycopg.OperationalError as error:
        return f"refuses queries ({str(error).splitlines()[0]})"


def _redis(settings: Settings) -> str | None:
    return None if _redis_answer(settings, "PING") == "+PONG" else "does not answer PING"


def _redis_answer(settings: Settings, command: str) -> str:
    """First line of the answer to a command without binary arguments; the client library takes 0.2 s to import."""
    with socket.create_connection(("127.0.0.1", settings.ports.redis), timeout=TIMEOUT_S) as connection:
        connection.sendall(f"AUTH {settings.secrets['redis_password']}\r\n{command}\r\n".encode())
        with connection.makefile("r", encoding="utf-8", newline="\r\n") as answers:
            answers.readline()
            return answers.readline().strip()


def _get(url: str, path: str) -> str | None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"User-Agent": "golive-demo-readiness", "Connection": "close"})
        response = connection.getresponse()
        response.read()
        return None if response.status == 200 else f"answers GET {path} with {response.status}"
    finally:
        connection.close()


def _mail(settings: Settings) -> str | None:
    with socket.create_connection(("127.0.0.1", settings.ports.mail_smtp), timeout=TIMEOUT_S) as connection:
        greeting = connection.recv(512)
        connection.sendall(b"QUIT\r\n")
        connection.recv(512)
    return None if greeting.startswith(b"220") else "does not greet on its SMTP port"


def _worker(settings: Settings) -> str | None:
    return None if _redis_answer(settings, f"EXISTS {HEARTBEAT_KEY}") == ":1" else "gives no heartbeat"


def _scheduler(settings: Settings) -> str | None:
    made = any(file.stat().st_size for file in settings.backups.glob("*.dump"))
    return None if made else "has made no backup"


PROBES: Mapping[str, Probe] = {
    "postgres": _postgres,
    "redis": _redis,
    "mail": _mail,
    "collector": lambda settings: _get(settings.collector_url, "/ready"),
    "api": lambda settings: _get(settings.api_url, "/health/ready"),
    "frontend": lambda settings: _get(settings.web_url, "/"),
    "worker": _worker,
    "scheduler": _scheduler,
}
"""A probe per service."""
