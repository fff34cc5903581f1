"""supervisord: its configuration, its launch, and a client for its XML-RPC interface on a Unix socket."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import os
import shlex
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from demo import frontend, layout, postgres, redis_server
from demo.processes import python_command, spawn
from demo.settings import Settings
from demo.state import DemoError, write_private

USER = "warungin"
SOCKET_NAME = "supervisor.sock"
TIMEOUT_S = 10.0
# No path of the state directory stands in it, as supervisord would take parts of an odd one for comments or for
# placeholders: it is started in that directory, and what it starts are scripts.
_HEAD = """\
[unix_http_server]
file={socket}
chmod=0700
username={user}
password={password}

[supervisord]
identifier=warungin
logfile=logs/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile=pids/supervisord.pid
childlogdir=output
nodaemon=true
silent=true
nocleanup=true
minfds=256
minprocs=50
umask=077
{as_root}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}
username={user}
password={password}
"""
# Each is started by `demo.start` as soon as what it needs is there, hence autostart=false.
_PROGRAM = """
[program:{name}]
command={script}
priority={priority}
autostart=false
autorestart=unexpected
exitcodes=0
startsecs=1
startretries=5
stopsignal={stop_signal}
stopwaitsecs={stop_wait_s}
killasgroup=true
redirect_stderr=true
stdout_logfile={output}
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=3
{extra}
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One of the eight: a shell script, and how supervisord treats it. Lower priorities start first and stop last."""

    name: str
    script: str
    output: str
    priority: int
    stop_signal: str = "TERM"
    stop_wait_s: int = 4


def programs(settings: Settings) -> list[Program]:
    """The eight. The first three are the real servers; the rest are our own, and record their pid as they start."""
    servers = [
        Program(
            name="postgres",
            script=f"exec {shlex.join(postgres.command(settings))}",
            output="logs/postgres.log",
            priority=10,
            stop_signal="INT",  # PostgreSQL's fast shutdown: does not wait for clients to leave
            stop_wait_s=8,
        ),
        Program(
            name="redis",
            script=f"cd redis && exec {shlex.join(redis_server.command())}",
            output="logs/redis.log",
            priority=10,
        ),
        Program(
            name="frontend",
            script=f"exec {shlex.join(frontend.command())}",
            output="logs/nginx-error.log",
            priority=40,
            stop_signal="QUIT",
        ),
    ]
    ours = {"mail": 20, "collector": 20, "api": 30, "worker": 40, "scheduler": 40}
    return servers + [
        Program(
            name=name,
            script=f"echo $$ > pids/{name}.pid\nexec {shlex.join([*python_command(), '-m', f'demo.services.{name}'])}",
            output=f"output/{name}.txt",
            priority=priority,
        )
        for name, priority in ours.items()
    ]


def configure(settings: Settings) -> None:
    """Write the scripts, and `supervisord.conf` (private: it holds a password)."""
    is_inside = settings.supervisor_socket.parent == settings.directory
    text = _HEAD.format(
        socket=f"%(here)s/{SOCKET_NAME}" if is_inside else settings.supervisor_socket,
        user=USER,
        password=settings.secrets["supervisor_password"],
        as_root="user=root" if os.geteuid() == 0 else "",
    )
    for program in programs(settings):
        script, extra = Path("run", program.name), ""
        if program.name == "postgres":
            script, extra = _for_postgres(settings)
        layout.write_script(settings.directory / script, program.script)
        text += _PROGRAM.format(**{**dataclasses.asdict(program), "script": script, "extra": extra})
    (settings.postgres_home / "start").chmod(0o755)
    write_private(settings.supervisor_config, text)


def _for_postgres(settings: Settings) -> tuple[Path, str]:
    """Its start script and what else its section needs: its user can enter its home, but perhaps not our directory."""
    home, account = settings.postgres_home, postgres.account()
    script = home / "start"
    user = f"user={account.pw_name}" if account else ""
    if home.is_relative_to(settings.directory):
        return script.relative_to(settings.directory), user
    return script, f"{user}\ndirectory={home}"


def launch(settings: Settings, *, timeout_s: float = 15.0) -> int:
    """Start supervisord without any service and wait until it answers; returns its pid. Raises DemoError."""
    started = spawn(
        settings.directory,
        [*python_command(), "-m", "supervisor.supervisord", "-c", str(settings.supervisor_config)],
        output=settings.directory / "output" / "supervisord.txt",
    )
    client = Supervisor(settings)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if started.poll() is not None:
            raise DemoError(f"supervisord ended at once (exit code {started.returncode})")
        if client.answers():
            _disown(started)
            return started.pid
        time.sleep(0.02)
    raise DemoError(f"supervisord did not answer within {timeout_s:.0f} s")


def _disown(started: subprocess.Popen[bytes]) -> None:
    """Let the object go without the warning that its process still runs: that is the point."""
    started.returncode = 0


@dataclass(frozen=True, kw_only=True)
class ProcessInfo:
    """One service as supervisord sees it. `state` is its own word: RUNNING, STARTING, BACKOFF, STOPPED, FATAL …"""

    name: str
    state: str
    pid: int | None
    uptime_s: float
    exit_status: int
    problem: str


class Supervisor:
    """A client of supervisord. Its methods raise OSError when nobody answers and xmlrpc.client.Fault for a refusal."""

    def __init__(self, settings: Settings) -> None:
        transport = _UnixTransport(settings.supervisor_socket, settings.secrets["supervisor_password"])
        self._remote: Any = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport).supervisor

    def answers(self) -> bool:
        """Whether it is there and in its normal state."""
        try:
            return cast(str, self._remote.getState()["statename"]) == "RUNNING"
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def services(self) -> dict[str, ProcessInfo]:
        """All services by name."""
        return {info["name"]: _process_info(info) for info in self._remote.getAllProcessInfo()}

    def start(self, name: str, *, wait: bool = False) -> None:
        """Start a service; with `wait`, return when it has been up for a second."""
        self._remote.startProcess(name, wait)

    def stop(self, name: str, *, wait: bool = True) -> None:
        """Stop a service."""
        self._remote.stopProcess(name, wait)

    def restart(self, name: str) -> None:
        """Stop a service and start it again, waiting for both."""
        self.stop(name)
        self.start(name, wait=True)

    def signal(self, name: str, signal_name: str) -> None:
        """Send a signal such as "KILL" or "HUP" to a service's main process."""
        self._remote.signalProcess(name, signal_name)

    def shutdown(self) -> None:
        """Stop everything that is left, and supervisord itself."""
        self._remote.shutdown()


def _process_info(info: Mapping[str, Any]) -> ProcessInfo:
    return ProcessInfo(
        name=info["name"],
        state=info["statename"],
        pid=info["pid"] or None,
        uptime_s=float(max(0, info["now"] - info["start"])) if info["pid"] else 0.0,
        exit_status=info["exitstatus"],
        problem=info["spawnerr"],
    )


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket, with the password in a header and a connection per call."""

    def __init__(self, path: Path, password: str) -> None:
        token = base64.b64encode(f"{USER}:{password}".encode()).decode()
        super().__init__(headers=[("Authorization", f"Basic {token}")])
        self._path = path

    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = (host, connection)  # this is what `close` closes
        return connection

    def request(
        self, host: tuple[str, dict[str, str]] | str, handler: str, request_body: Any, verbose: bool = False
    ) -> Any:
        try:
            return super().request(host, handler, request_body, verbose)
        finally:
            self.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
