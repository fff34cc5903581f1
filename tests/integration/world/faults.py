"""What can go wrong with a production, each brought about for the time of a `with` and mended at its end.

Whatever starts a container anew, or leaves a mark in its log, counts as deployed anew once it is mended.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from demo.services.journal import utc_now
from demo.settings import is_free
from tests.integration.world.engine import docker, make_image
from tests.integration.world.host import HOME_BYTES, HOME_INODES, USER
from tests.integration.world.production import Production
from tests.integration.world.system import System

CLOCK_OFF_S = 300
# Only who asks for the time to the nanosecond, to compare clocks, is told another one.
_LATE_DATE = f"""\
#!/bin/sh
now=$(/bin/date "$@") || exit
case "$1" in
  +%s.%N) seconds=${{now%%.*}}; echo "$((seconds + {CLOCK_OFF_S}))${{now#"$seconds"}}" ;;
  *) echo "$now" ;;
esac
"""


@contextmanager
def stopped(production: Production) -> Iterator[None]:
    """Somebody stopped the mail server."""
    container = production.system.container("mail")
    docker("stop", "--time", "3", container)
    try:
        yield
    finally:
        docker("start", container)
        production.system.deploy()


@contextmanager
def restarted(production: Production) -> Iterator[None]:
    """Somebody restarted the mail server."""
    production.system.let_grace_pass()
    docker("restart", "--time", "3", production.system.container("mail"))
    production.system.wait_until_healthy("mail")
    yield
    production.system.deploy()


@contextmanager
def crashed(production: Production) -> Iterator[None]:
    """The mail server was killed, and the engine started it again."""
    system = production.system
    system.let_grace_pass()
    os.kill(system.pid("mail"), signal.SIGKILL)
    system.wait_for(lambda: system.inspect("mail")["RestartCount"] == 1, "the engine restarts mail")
    system.wait_until_healthy("mail")
    yield
    system.make_anew("mail")


@contextmanager
def exited(production: Production) -> Iterator[None]:
    """The mail server was killed and stays so: `docker ps` does not even list it."""
    system = production.system
    container = system.container("mail")
    system.let_grace_pass()
    docker("update", "--restart", "no", container)
    os.kill(system.pid("mail"), signal.SIGKILL)
    system.wait_for(lambda: system.inspect("mail")["State"]["Status"] == "exited", "mail exits")
    assert container[:12] not in docker("ps", "-q")
    try:
        yield
    finally:
        system.make_anew("mail")


@contextmanager
def one_of_two_exited(production: Production) -> Iterator[None]:
    """Of two workers one has ended, behind the back of the other, which runs."""
    system = production.system
    system.compose("up", "-d", "--no-deps", "--scale", "worker=2", "worker")
    second = f"{system.project}_worker_2"
    docker("update", "--restart", "no", second)
    system.deploy()
    system.let_grace_pass()
    docker("kill", second)
    try:
        yield
    finally:
        system.compose("up", "-d", "--no-deps", "--scale", "worker=1", "worker")
        system.deploy()


@contextmanager
def unhealthy(production: Production) -> Iterator[None]:
    """The mail server takes connections and says nothing."""
    system = production.system
    process = system.pid("mail")
    system.let_grace_pass()
    os.kill(process, signal.SIGSTOP)
    system.wait_for(lambda: "unhealthy" in system.inspect("mail")["State"]["Health"]["Status"], "mail is unhealthy")
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)
        system.deploy()


@contextmanager
def out_of_memory(production: Production) -> Iterator[None]:
    """The worker fills its /tmp, which is memory, until the kernel ends it; the engine starts it again."""
    system = production.system
    container = system.container("worker")
    system.let_grace_pass()
    docker("exec", container, "dd", "if=/dev/zero", "of=/tmp/full", "bs=1M", "count=250", check=False)
    system.wait_for(lambda: system.inspect("worker")["RestartCount"] >= 1, "the kernel ends the worker")
    system.wait_until_healthy("worker")
    yield
    system.make_anew("worker")


@contextmanager
def as_root(production: Production) -> Iterator[None]:
    """The mail server runs as root."""
    state = production.system.state
    (state / "mails").chmod(0o777)
    (state / "logs" / "mail.log").chmod(0o666)
    (state / "settings.json").chmod(0o644)  # root without capabilities may read no more than others
    with production.system.changed("mail", user="0:0"):
        production.system.deploy()
        yield


@contextmanager
def without_limits(production: Production) -> Iterator[None]:
    """The mail server may take what it likes."""
    with production.system.changed("mail", mem_limit=0, cpus=0, pids_limit=0):
        production.system.deploy()
        yield


@contextmanager
def open_to_the_world(production: Production) -> Iterator[None]:
    """A port of the mail server is published on every address; nothing listens behind it."""
    port = next(number for number in range(19000, 19100) if is_free(number))
    with production.system.changed("mail", ports=[f"{port}:9"]):
        production.system.deploy()
        yield


@contextmanager
def other_image(production: Production) -> Iterator[None]:
    """The mail server was made anew of another image that carries the same tag."""
    system = production.system
    production.look("unchanged")
    before = docker("image", "inspect", "--format", "{{.Id}}", system.image).strip()
    other = make_image(system.image, mark="slipped in")
    system.let_grace_pass()
    system.compose("up", "-d", "--no-deps", "mail")
    system.wait_until_healthy("mail")
    try:
        yield
    finally:
        docker("tag", before, system.image)
        system.compose("up", "-d", "--no-deps", "mail")
        docker("image", "rm", "--force", other)
        system.deploy()


@contextmanager
def log_rotated(production: Production) -> Iterator[None]:
    """The worker's log was rotated after it wrote something bad, which stands in the old file now."""
    production.look("logging")
    log = production.system.state / "logs" / "worker.log"
    _write(production.system, "worker", "CRITICAL", "spooler lost 12 receipts")
    log.rename(log.with_name("worker.log.1"))
    _write(production.system, "worker", "INFO", "goes on")
    yield
    production.system.deploy()


@contextmanager
def log_truncated(production: Production) -> Iterator[None]:
    """Somebody emptied the worker's log."""
    production.look("logging")
    os.truncate(production.system.state / "logs" / "worker.log", 0)
    _write(production.system, "worker", "INFO", "goes on")
    yield
    production.system.deploy()


@contextmanager
def log_recreated(production: Production) -> Iterator[None]:
    """The worker's log was removed with all older ones, and begun anew."""
    production.look("logging")
    production.system.let_grace_pass(4.0)
    for path in (production.system.state / "logs").glob("worker.log*"):
        path.unlink()
    _write(production.system, "worker", "INFO", "goes on")
    yield
    production.system.deploy()


@contextmanager
def critical_in_file(production: Production) -> Iterator[None]:
    """The worker wrote a CRITICAL line into its file."""
    _write(production.system, "worker", "CRITICAL", "spooler lost 12 receipts")
    yield
    production.system.deploy()


@contextmanager
def critical_in_container(production: Production) -> Iterator[None]:
    """The web server said something critical on its standard error, which the engine keeps."""
    line = f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S} [crit] 7#7: *1 open() failed (24: Too many open files)"
    docker("exec", production.system.container("frontend"), "sh", "-c", f"echo '{line}' >/proc/1/fd/2")
    yield
    production.system.deploy()


@contextmanager
def home_full(production: Production) -> Iterator[None]:
    """/home of the host is 95 % full."""
    size = HOME_BYTES * 95 // 100 // 1024
    production.host.inside(f"dd if=/dev/zero of=/home/full bs=1024 count={size} 2>/dev/null")
    try:
        yield
    finally:
        production.host.inside("rm /home/full")


@contextmanager
def home_without_inodes(production: Production) -> Iterator[None]:
    """/home of the host holds so many files that it can hardly take another one."""
    production.host.inside(f"mkdir /home/many; cd /home/many; seq {HOME_INODES * 95 // 100} | xargs touch")
    try:
        yield
    finally:
        production.host.inside("rm -r /home/many")


@contextmanager
def clock_off(production: Production) -> Iterator[None]:
    """The clock of the host is five minutes ahead, as far as one sees who asks it there."""
    date = production.bin / "date"
    date.write_text(_LATE_DATE, encoding="utf-8")
    date.chmod(0o755)
    try:
        yield
    finally:
        date.unlink()


@contextmanager
def with_sudo(production: Production) -> Iterator[None]:
    """No fault: the host is looked at as root, as its user is allowed to."""
    production.host.allow(f"{USER} ALL=(root) NOPASSWD: /bin/sh")
    production.describe(sudo=True)
    try:
        yield
    finally:
        production.describe()
        production.host.allow("")


@contextmanager
def without_sudo(production: Production) -> Iterator[None]:
    """The host is to be looked at as root, and the rule that allows its user to has been taken away."""
    with with_sudo(production):
        production.host.allow("")
        yield


def _write(system: System, service: str, level: str, message: str) -> None:
    """A line in the log of a service, as it would write it."""
    line = {"time": utc_now(), "level": level, "service": service, "message": message, "event": "test"}
    path = system.state / "logs" / f"{service}.log"
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    os.chown(path, path.parent.stat().st_uid, path.parent.stat().st_gid)
