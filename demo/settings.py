"""What a service of the demo needs to know: ports, secrets, users, paths.

Made anew by every start and kept in `settings.json` (0600) of the state directory, so that no secret has to travel
through an argument list or the environment. Services call `load()`, which finds the directory by `GOLIVE_DEMO_DIR`.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import random
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from demo import state

DIRECTORY_VARIABLE = state.DIRECTORY_VARIABLE
FILE_NAME = "settings.json"
VERSION = "6.1.0"
SERVICES = ("postgres", "redis", "mail", "collector", "api", "frontend", "worker", "scheduler")
HEARTBEAT_KEY = "worker:heartbeat"
_PORT_RANGE = range(20000, 32000)

Role = Literal["cashier", "manager", "kiosk", "admin"]
DatabaseRole = Literal["postgres", "warungin", "golive", "golive_scratch"]


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """How long a session lives: without a request (idle) and at all (absolute), in seconds."""

    idle_s: float
    absolute_s: float


_STAFF = SessionLimits(idle_s=900, absolute_s=28800)

# A kiosk forgets its user so soon that both limits can be watched within two seconds.
SESSION_LIMITS: Mapping[Role, SessionLimits] = {
    "cashier": _STAFF,
    "manager": _STAFF,
    "admin": _STAFF,
    "kiosk": SessionLimits(idle_s=1.0, absolute_s=1.6),
}


@dataclass(frozen=True, kw_only=True)
class User:
    """One account. `store_id` is None for the admin, who may enter every store."""

    name: str
    role: Role
    store_id: int | None
    full_name: str


USERS: tuple[User, ...] = (
    User(name="cashier_store_1", role="cashier", store_id=1, full_name="Siti Rahayu"),
    User(name="cashier_store_2", role="cashier", store_id=2, full_name="Budi Santoso"),
    User(name="manager_store_1", role="manager", store_id=1, full_name="Dewi Lestari"),
    User(name="second_factor", role="cashier", store_id=1, full_name="Agus Wijaya"),
    User(name="leaver", role="cashier", store_id=1, full_name="Rina Kusuma"),
    User(name="kiosk_idle", role="kiosk", store_id=1, full_name="Kiosk at the door"),
    User(name="kiosk_absolute", role="kiosk", store_id=1, full_name="Kiosk at the window"),
    User(name="admin", role="admin", store_id=None, full_name="Head office"),
)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """TCP ports on 127.0.0.1. Worker and scheduler listen nowhere."""

    postgres: int
    redis: int
    api: int
    frontend: int
    mail_smtp: int
    mail_http: int
    collector: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything of one start. `secrets` has the keys of `make_secrets`.

    `postgres_programs` is the folder of the PostgreSQL binaries in use, `postgres_home` holds `data`, and
    `supervisor_socket` is where supervisord answers; the last two may lie outside the state directory.
    """

    directory: Path
    ports: Ports
    secrets: Mapping[str, str]
    version: str
    postgres_programs: Path
    postgres_home: Path
    supervisor_socket: Path

    @property
    def logs(self) -> Path:
        """Log files of all services."""
        return self.directory / "logs"

    @property
    def backups(self) -> Path:
        """Dumps of the database, newest five."""
        return self.directory / "backups"

    @property
    def bin(self) -> Path:
        """Commands of this pretended host: pg_dump, pg_restore, psql, supervisorctl, and the shims of faults."""
        return self.directory / "bin"

    @property
    def documents(self) -> Path:
        """Papers a person on call would want."""
        return self.directory / "documents"

    @property
    def signers(self) -> Path:
        """Keys of those who sign off, and the list of them."""
        return self.directory / "signers"

    @property
    def pids(self) -> Path:
        """Folder of pid files."""
        return self.directory / "pids"

    @property
    def web(self) -> Path:
        """The front end's files, copied so that nginx may read them whoever it runs as."""
        return self.directory / "web"

    @property
    def mails(self) -> Path:
        """Folder the mail sink keeps its letters in."""
        return self.directory / "mails"

    @property
    def postgres_data(self) -> Path:
        """The cluster's data directory; owned by another user when the demo was started by root."""
        return self.postgres_home / "data"

    @property
    def supervisor_config(self) -> Path:
        """Configuration that both supervisord and supervisorctl read."""
        return self.directory / "supervisord.conf"

    @property
    def api_url(self) -> str:
        """Base URL of the API itself."""
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def web_url(self) -> str:
        """Base URL of the front end, which passes /api and /health on to the API."""
        return f"http://127.0.0.1:{self.ports.frontend}"

    @property
    def mail_url(self) -> str:
        """Base URL of the mail sink's REST side."""
        return f"http://127.0.0.1:{self.ports.mail_http}"

    @property
    def collector_url(self) -> str:
        """Base URL of the log collector."""
        return f"http://127.0.0.1:{self.ports.collector}"

    @property
    def redis_url(self) -> str:
        """Without the password, which is `secrets["redis_password"]`."""
        return f"redis://127.0.0.1:{self.ports.redis}/0"

    def database(self, role: DatabaseRole = "warungin", *, name: str = "warungin") -> dict[str, Any]:
        """Keyword arguments for `psycopg.connect` as that role (`postgres` is the superuser)."""
        return {
            "host": "127.0.0.1",
            "port": self.ports.postgres,
            "user": role,
            "dbname": name,
            "password": self.secrets[DATABASE_SECRETS[role]],
            "connect_timeout": 3,
        }


DATABASE_SECRETS: Mapping[DatabaseRole, str] = {
    "postgres": "superuser_password",
    "warungin": "application_password",
    "golive": "database_password",
    "golive_scratch": "scratch_password",
}
"""Which secret is the password of which database role."""

INTERNAL_SECRETS = frozenset({"superuser_password", "application_password", "token_key", "supervisor_password"})
"""Secrets that the services share among themselves and that the verifier never gets."""


def make_secrets() -> dict[str, str]:
    """Fresh secrets: those of the database roles, of Redis, of the tokens, and password and TOTP seed per user."""
    names = sorted({*DATABASE_SECRETS.values(), *INTERNAL_SECRETS, "redis_password"})
    made = {name: secrets.token_urlsafe(24) for name in names}
    made["token_key"] = secrets.token_urlsafe(48)
    for user in USERS:
        made[f"{user.name}_password"] = secrets.token_urlsafe(15)
        made[f"{user.name}_totp"] = base64.b32encode(secrets.token_bytes(20)).decode("ascii")
    return made


def choose_ports() -> Ports:
    """Seven ports nobody listens on right now; somebody else may still take one before we bind it.

    They lie below the range from which Linux takes the ports of outgoing connections (32768 and up): a service that is
    restarted later must find its port still free.
    """
    names = [field.name for field in dataclasses.fields(Ports)]
    free: dict[str, int] = {}
    for number in random.sample(_PORT_RANGE, k=400):
        if len(free) < len(names) and is_free(number):
            free[names[len(free)]] = number
    return Ports(**free)


def is_free(number: int) -> bool:
    """Whether that port of 127.0.0.1 can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
            return True
        except OSError:
            return False


def save(settings: Settings) -> None:
    """Write `settings.json`, readable by its owner alone."""
    text = json.dumps(dataclasses.asdict(settings), indent=1, default=str)
    state.write_private(settings.directory / FILE_NAME, text)


def load(directory: Path | None = None) -> Settings:
    """Read the settings of a state directory (default: the one `GOLIVE_DEMO_DIR` names).

    Raises KeyError without a directory, OSError or ValueError for an unreadable file.
    """
    place = directory if directory is not None else Path(os.environ[DIRECTORY_VARIABLE])
    content = json.loads((place / FILE_NAME).read_text(encoding="utf-8"))
    return Settings(
        directory=place,
        ports=Ports(**content["ports"]),
        secrets=content["secrets"],
        version=content["version"],
        postgres_programs=Path(content["postgres_programs"]),
        postgres_home=Path(content["postgres_home"]),
        supervisor_socket=Path(content["supervisor_socket"]),
    )
