"""What has to go on in the background while a fault is active: `python -m demo.faults._helper KIND FAULT`.

The process starts its work in a child and ends when that is under way (exit code 0) or has failed (1). The child ends
by itself as soon as the fault is inactive, the state directory is gone, or its time is up, whichever comes first; until
then it holds a lock on `run/fault-FAULT.lock`, by which the healer sees that it is still there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from demo.settings import Settings, load
from demo.state import active_faults

LOOK_EVERY_S = 0.05
LASTS_AT_MOST_S = 3600.0
BURNS_AT_MOST_S = 120.0
TRANSACTION_IS_OLD_AFTER_S = 2.5
_READY = b"ready"

Work = Callable[[Settings, Callable[[], bool]], AbstractContextManager[None]]


@contextlib.contextmanager
def lock(settings: Settings, _: Callable[[], bool]) -> Iterator[None]:
    """One session keeps a row locked; another waits for it, as it may for ever."""
    import psycopg

    statement = "UPDATE stores SET name = name WHERE id = 3"
    holder = psycopg.connect(**settings.database(), application_name="till 7")
    waiter = psycopg.connect(**settings.database(), application_name="till 8")

    def wait() -> None:
        with contextlib.suppress(psycopg.Error):  # the connection is cut under it in the end
            waiter.execute(statement)

    holder.execute(statement)
    threading.Thread(target=wait, daemon=True).start()
    with psycopg.connect(**settings.database("postgres"), autocommit=True) as observer:
        while not observer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            time.sleep(0.02)
    yield
    holder.close()
    waiter.cancel_safe(timeout=1.0)
    waiter.close()


@contextlib.contextmanager
def transaction(settings: Settings, goes_on: Callable[[], bool]) -> Iterator[None]:
    """A session has begun a transaction and does nothing with it."""
    import psycopg

    with psycopg.connect(**settings.database(), application_name="month-end closing") as connection:
        connection.execute("SELECT count(*) FROM orders")
        end = time.monotonic() + TRANSACTION_IS_OLD_AFTER_S
        while goes_on() and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)
        yield
        connection.rollback()


@contextlib.contextmanager
def connections(settings: Settings, _: Callable[[], bool]) -> Iterator[None]:
    """Every slot that the application may use is taken by sessions that do nothing."""
    import psycopg

    held = []
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            held.append(psycopg.connect(**settings.database(), application_name="leaky import", autocommit=True))
    yield
    for connection in held:
        connection.close()


@contextlib.contextmanager
def burn(_: Settings, goes_on: Callable[[], bool]) -> Iterator[None]:
    """All cores are busy, at the lowest priority, so that they are used but nobody has to wait for them."""
    end = time.monotonic() + BURNS_AT_MOST_S
    children = [_burn_one(goes_on, end) for _ in range(os.cpu_count() or 1)]
    yield
    for child in children:
        os.waitpid(child, 0)


def _burn_one(goes_on: Callable[[], bool], end: float) -> int:
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(OSError):
        os.nice(19)
    while goes_on() and time.monotonic() < end:
        pause = time.monotonic() + LOOK_EVERY_S
        while time.monotonic() < pause:
            pass
    os._exit(0)


_ADMIN_PORTS = range(19000, 19100)


@contextlib.contextmanager
def listen(_: Settings, __: Callable[[], bool]) -> Iterator[None]:
    """Something listens on a port that nobody knows of, in the range that is kept for the system's own use."""
    with _first_free(_ADMIN_PORTS) as server:
        server.settimeout(1.0)
        yield


def _first_free(ports: range) -> socket.socket:
    for port in ports:
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
    raise OSError(f"no port between {ports.start} and {ports.stop - 1} is free")


KINDS: dict[str, Work] = {
    "lock": lock,
    "transaction": transaction,
    "connections": connections,
    "burn": burn,
    "listen": listen,
}


def main() -> None:
    """Start the work, report, and leave the child alone with it."""
    kind, fault = sys.argv[1:]
    settings = load()
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        said = os.read(reading, 1000)
        print("" if said == _READY else said.decode(errors="replace") or "it ended without a word", flush=True)
        os._exit(0 if said == _READY else 1)
    os.close(reading)
    try:
        _work(KINDS[kind], settings, fault, writing)
    except Exception as error:  # noqa: BLE001  whatever it was, whoever started us has to hear of it
        with contextlib.suppress(OSError):
            os.write(writing, f"{type(error).__name__}: {error}".encode()[:1000])
    os._exit(0)


def _work(work: Work, settings: Settings, fault: str, report_to: int) -> None:
    os.setsid()
    end = time.monotonic() + LASTS_AT_MOST_S
    path = settings.directory / "run" / f"fault-{fault}.lock"
    with path.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        is_on = _look(settings.directory, fault)
        with work(settings, is_on):
            os.write(report_to, _READY)
            os.close(report_to)
            while is_on() and time.monotonic() < end:
                time.sleep(LOOK_EVERY_S)


def _look(directory: Path, fault: str) -> Callable[[], bool]:
    return lambda: fault in active_faults(directory)


if __name__ == "__main__":
    main()
