"""PostgreSQL: its cluster, its configuration, and the user it runs as.

PostgreSQL refuses to be run by root. So a demo that root starts gives it an unprivileged user, who may be able to read
neither the virtual environment nor the state directory (think of a clone in /root): then the programs are copied, and
the cluster lives in the annex.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo import layout
from demo.processes import environment
from demo.settings import Settings
from demo.state import DemoError

MAX_CONNECTIONS = 40
_CLONE_NEWUSER = 0x10000000
_NOBODY = 65534
_IPC_RMID = 0
_CONFIGURATION = """
# Of the demo. Only on loopback, and small, for two cores that do other things as well.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
external_pid_file = 'postmaster.number'
max_connections = {connections}
superuser_reserved_connections = 2
reserved_connections = 2                 # for those who watch (pg_use_reserved_connections): they can see a full house
shared_buffers = '16MB'
dynamic_shared_memory_type = mmap        # leaves nothing in /dev/shm after a SIGKILL
io_method = sync
jit = off
autovacuum = off                         # would open databases of backup tests just as they go, and log that as FATAL
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
max_parallel_workers_per_gather = 0
# Nothing in this cluster outlives the demo, so it need not outlive a power cut: speed only, never for real data.
fsync = off
synchronous_commit = off
full_page_writes = off
deadlock_timeout = '200ms'
log_destination = stderr
log_line_prefix = '%m [%p] %q%u@%d %a '
log_timezone = 'UTC'
timezone = 'UTC'
log_min_duration_statement = 1000
log_checkpoints = off
log_lock_waits = on
update_process_title = on
password_encryption = 'scram-sha-256'
"""
_WHO_MAY = """
# type  database  user  address        method
local   all       all                  scram-sha-256
host    all       all   127.0.0.1/32   scram-sha-256
"""


@dataclass(frozen=True, kw_only=True)
class Housing:
    """Where PostgreSQL lives: the folder that holds `data`, and the folder of its programs."""

    home: Path
    programs: Path


def account() -> pwd.struct_passwd | None:
    """The user PostgreSQL runs as when we are root, else None (it runs as ourselves). Raises DemoError."""
    if os.geteuid() != 0:
        return None
    for name in (_NOBODY, "postgres", "daemon"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwuid(name) if isinstance(name, int) else pwd.getpwnam(name)
            if found.pw_uid != 0:
                return found
    raise DemoError("PostgreSQL refuses to run as root, and this machine has no user nobody, postgres or daemon")


def house(place: Path) -> Housing:
    """Choose and make PostgreSQL's folder; copy its programs there when its user cannot read the installed ones."""
    user = account()
    bundled = layout.bundled_postgres()
    if user is None:
        home = place / "postgres"
        home.mkdir(mode=0o700)
        return Housing(home=home, programs=bundled / "bin")
    base = place if _may_enter(place, user) else layout.make_annex(place)
    home = base / "postgres"
    home.mkdir(mode=0o711)
    os.chown(home, user.pw_uid, user.pw_gid)
    if all(_may_enter(bundled / part, user) for part in ("bin", "bin/postgres", "lib", "share/postgresql")):
        return Housing(home=home, programs=bundled / "bin")
    return Housing(home=home, programs=_copy(bundled, base))


def _may_enter(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether that user can reach and read the path: search permission on the way, read and search at its end."""
    ends = path.stat()
    way = [parent.stat() for parent in path.resolve().parents]
    return all(_grants(found, user, 0o1) for found in way) and _grants(ends, user, 0o1)


def _grants(found: os.stat_result, user: pwd.struct_passwd, bits: int) -> bool:
    if found.st_uid == user.pw_uid:
        return found.st_mode >> 6 & bits == bits
    if found.st_gid == user.pw_gid:
        return found.st_mode >> 3 & bits == bits
    return found.st_mode & bits == bits


def _copy(bundled: Path, base: Path) -> Path:
    """Copy the server and what it loads, in the same arrangement, as the programs look for libraries beside them."""
    target = base / "programs" / "packages" / bundled.name
    (target / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copy(bundled / "bin" / name, target / "bin" / name)
    shutil.copytree(bundled / "lib" / "postgresql", target / "lib" / "postgresql", copy_function=shutil.copy)
    shutil.copytree(bundled / "share", target / "share", copy_function=shutil.copy)
    libraries = bundled.parent.with_name(f"{bundled.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, base / "programs" / libraries.name, copy_function=shutil.copy)
    for path in ((base / "programs"), *(base / "programs").rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" or ".so" in path.name else 0o644)
    return target / "bin"


def create_cluster(settings: Settings) -> None:
    """Run initdb and configure. Raises DemoError with what initdb said."""
    user = account()
    home = settings.postgres_home
    password_file = home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(settings.secrets["superuser_password"], encoding="utf-8")
    if user is not None:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    try:
        _initdb(settings, user, password_file)
    finally:
        password_file.unlink()
    sockets = home if layout.socket_fits(home, f".s.PGSQL.{settings.ports.postgres}") else ""
    text = _CONFIGURATION.format(port=settings.ports.postgres, connections=MAX_CONNECTIONS, sockets=_quoted(sockets))
    with (settings.postgres_data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(text)
    (settings.postgres_data / "pg_hba.conf").write_text(_WHO_MAY, encoding="utf-8")
    (settings.directory / "pids" / "postgres.pid").symlink_to(settings.postgres_data / "postmaster.number")


def _quoted(path: Path | str) -> str:
    """A folder for `unix_socket_directories`, which is a list whose entries may be quoted, within a quoted value."""
    return f'"{path}"'.replace("'", "''") if path else ""


def _initdb(settings: Settings, user: pwd.struct_passwd | None, password_file: Path) -> None:
    command = [
        str(settings.postgres_programs / "initdb"),
        *("--pgdata", str(settings.postgres_data), "--username", "postgres", "--pwfile", str(password_file)),
        *("--auth", "scram-sha-256", "--data-checksums", "--no-sync", "--no-instructions", "--encoding", "UTF8"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
    ]
    done = subprocess.run(
        command,
        check=False,
        env=environment(settings.directory),
        cwd=settings.postgres_home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        timeout=60,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
        preexec_fn=_nameless(),
    )
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip()
        raise DemoError(f"PostgreSQL's initdb failed (exit code {done.returncode})\n{said}")


def _nameless() -> Callable[[], None] | None:
    """What lets initdb run for a user id without an account, as in some containers; None when there is an account.

    initdb insists on a user name, though it makes no use of it here. In a user namespace of its own it has one.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        pwd.getpwuid(uid)
        return None
    except KeyError:
        libc = ctypes.CDLL(None, use_errno=True)

    def enter_namespace() -> None:
        if libc.unshare(_CLONE_NEWUSER) != 0:
            return  # not allowed here: initdb will say that it misses the user's name
        for file, text in (
            ("setgroups", "deny"),
            ("gid_map", f"{_NOBODY} {gid} 1"),
            ("uid_map", f"{_NOBODY} {uid} 1"),
        ):
            Path("/proc/self", file).write_text(text)

    return enter_namespace


def command(settings: Settings) -> list[str]:
    """How it is started, wherever."""
    return [str(settings.postgres_programs / "postgres"), "-D", str(settings.postgres_data)]


def release_memory(data: Path) -> None:
    """Give back the small shared memory segment that a killed server leaves to the kernel; nothing of ours runs now.

    A segment counts as the server's only if key and number are those in its note and nobody is attached to it.
    """
    try:
        note = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        key, number = (int(word) for word in note[6].split())
        segments = [line.split() for line in Path("/proc/sysvipc/shm").read_text(encoding="utf-8").splitlines()[1:]]
    except (OSError, ValueError, IndexError):
        return  # it was shut down properly, or never got that far
    if any([int(one[0]), int(one[1]), int(one[6])] == [key, number, 0] for one in segments):
        ctypes.CDLL(None).shmctl(number, _IPC_RMID, None)
