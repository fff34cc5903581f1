"""The worker: takes report jobs from the queue, works them out, and writes them into the table `reports`."""

from __future__ import annotations

import json
import time

import psycopg

from demo.services import misbehave
from demo.services.cache import Cache
from demo.services.database import Connection, connect, is_usable, one_row
from demo.services.errors import UnreachableError
from demo.services.journal import Journal
from demo.services.queue import QUEUE_KEY
from demo.settings import HEARTBEAT_KEY, Settings, load

HEARTBEAT_LASTS_S = 10
TAKE_WAITS_S = 1
RETRY_AFTER_S = 0.5
COMPLAIN_EVERY_S = 10.0


class Worker:
    """One job at a time. What it cannot reach it waits for, and says so now and then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._journal = Journal("worker", settings.logs)
        self._cache = Cache(settings)
        self._connection: Connection | None = None
        self._complained_at = float("-inf")

    def run(self) -> None:
        """Work for ever."""
        self._journal.info("started", "service.started")
        while True:
            try:
                self._step()
            except (UnreachableError, psycopg.OperationalError) as error:
                self._complain(error)
                time.sleep(RETRY_AFTER_S)

    def _step(self) -> None:
        misbehave.leak()
        self._cache.run("SET", HEARTBEAT_KEY, repr(time.time()), "EX", HEARTBEAT_LASTS_S)
        if misbehave.is_on("queue-stuck"):
            time.sleep(0.1)
            return
        self._database()  # before a job is taken: it would be lost if the database were away
        taken = self._cache.run("BLPOP", QUEUE_KEY, TAKE_WAITS_S)
        if not taken:
            return
        if misbehave.is_on("queue-stuck"):  # became so while we waited
            self._cache.run("LPUSH", QUEUE_KEY, taken[1])
            return
        try:
            self._make(json.loads(taken[1])["report"])
        except psycopg.OperationalError:
            self._cache.run("LPUSH", QUEUE_KEY, taken[1])
            raise

    def _make(self, report: str) -> None:
        began = time.perf_counter()
        connection = self._database()
        row = connection.execute(
            "UPDATE reports SET status = 'running' WHERE id = %s RETURNING store_id, day", [report]
        ).fetchone()
        if row is None:
            self._journal.warning(f"report {report} is not known", "report.unknown", report=report)
            return
        figures = one_row(
            connection,
            "SELECT coalesce(sum(total), 0) AS total, count(*) AS orders FROM orders WHERE store_id = %s"
            " AND created_at >= %s::date::timestamptz AND created_at < (%s::date + 1)::timestamptz",
            [row["store_id"], row["day"], row["day"]],
        )
        connection.execute(
            "UPDATE reports SET status = 'done', total = %s, orders = %s, finished_at = now() WHERE id = %s",
            [figures["total"] + misbehave.report_surplus(), figures["orders"], report],
        )
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        self._journal.info(f"report of {row['day']} made", "report.made", report=report, duration_ms=took_ms)

    def _database(self) -> Connection:
        """The connection, made anew when the server has hung up. Raises psycopg.OperationalError."""
        if self._connection is None or not is_usable(self._connection):
            if self._connection is not None:
                self._connection.close()
            self._connection = None  # should connecting fail
            self._connection = connect(self._settings, service="worker")
        return self._connection

    def _complain(self, error: Exception) -> None:
        if time.monotonic() - self._complained_at > COMPLAIN_EVERY_S:
            self._complained_at = time.monotonic()
            what = error.what if isinstance(error, UnreachableError) else "database"
            self._journal.error(f"{what} unreachable: {type(error).__name__}", "dependency.unreachable")


def main() -> None:
    """Work until a signal ends the process."""
    Worker(load()).run()


if __name__ == "__main__":
    main()
