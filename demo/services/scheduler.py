"""The scheduler: a backup at start and every minute, housekeeping after probes, and the nightly summary by mail."""

from __future__ import annotations

import smtplib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

import psycopg

from demo.services import backups, ledger, misbehave
from demo.services.database import connect
from demo.services.journal import Journal
from demo.settings import Settings, load

TICK_S = 0.1
BACKUP_EVERY_S = 60.0
HOUSEKEEPING_EVERY_S = 60.0
RETRY_AFTER_S = 5.0
PROBE_ORDERS_LIVE_S = 600
REPORTS_LIVE_S = 86_400
_NEVER = float("inf")


@dataclass
class Job:
    """Something to be done now, and again later. `every_s` is infinite for what is done once."""

    name: str
    run: Callable[[], None]
    every_s: float
    due_at: float = 0.0


class Scheduler:
    """Runs its jobs one after another. A failing job is logged and tried again soon."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._journal = Journal("scheduler", settings.logs)
        self._backup = Job("backup", self._back_up, BACKUP_EVERY_S)
        self._jobs = [
            self._backup,
            Job("summary mail", self._send_summary, _NEVER),
            Job("housekeeping", self.clean_up, HOUSEKEEPING_EVERY_S, due_at=time.monotonic() + HOUSEKEEPING_EVERY_S),
        ]

    def run(self) -> None:
        """Work for ever."""
        self._journal.info("started", "service.started")
        while True:
            paused = misbehave.pauses_backups()
            if paused:
                self._backup.due_at = 0.0  # at once when it goes on
            for job in self._jobs:
                if job.due_at <= time.monotonic() and not (paused and job is self._backup):
                    self._attempt(job)
            time.sleep(TICK_S)

    def _attempt(self, job: Job) -> None:
        job.due_at = time.monotonic() + job.every_s
        try:
            job.run()
        except (OSError, smtplib.SMTPException, subprocess.SubprocessError, psycopg.Error) as error:
            job.due_at = time.monotonic() + RETRY_AFTER_S
            self._journal.error(f"{job.name} failed: {type(error).__name__}", "job.failed", job=job.name)

    def _back_up(self) -> None:
        began = time.perf_counter()
        folder = self._settings.backups
        partial = folder / backups.PARTIAL
        backups.dump(self._settings, partial)
        if misbehave.pauses_backups():  # since it began
            partial.unlink()
            return
        path = folder / backups.name_at(datetime.now(UTC))
        partial.replace(path)
        backups.prune(folder)
        took_ms = round((time.perf_counter() - began) * 1000)
        size = path.stat().st_size
        self._journal.info(f"backup {path.name} made", "backup.made", size_bytes=size, duration_ms=took_ms)

    def clean_up(self) -> None:
        """Take back orders that a probe made and did not delete, and forget old reports."""
        with connect(self._settings, service="scheduler") as connection:
            rows = connection.execute(
                "SELECT id FROM orders WHERE probe AND created_at < now() - make_interval(secs => %s) ORDER BY id",
                [PROBE_ORDERS_LIVE_S],
            ).fetchall()
            for row in rows:
                with connection.transaction():
                    ledger.remove_order(connection, row["id"])
            forgotten = connection.execute(
                "DELETE FROM reports WHERE requested_at < now() - make_interval(secs => %s)", [REPORTS_LIVE_S]
            ).rowcount
        self._journal.info("housekeeping done", "housekeeping.done", orders=len(rows), reports=forgotten)

    def _send_summary(self) -> None:
        with connect(self._settings, service="scheduler") as connection:
            rows = connection.execute(
                "SELECT s.name, count(o.id) AS orders, coalesce(sum(o.total), 0) AS total FROM stores s"
                " LEFT JOIN orders o ON o.store_id = s.id AND o.created_at::date = current_date - 1"
                " GROUP BY s.id ORDER BY s.id"
            ).fetchall()
        letter = EmailMessage()
        letter["From"] = "Warungin <scheduler@warungin.example>"
        letter["To"] = "Head office <office@warungin.example>"
        letter["Subject"] = "Yesterday's sales"
        letter.set_content("\n".join(f"{row['name']}: {row['orders']} orders, Rp {row['total']:,.0f}" for row in rows))
        with smtplib.SMTP("127.0.0.1", self._settings.ports.mail_smtp, timeout=5) as smtp:
            smtp.send_message(letter)
        self._journal.info("summary sent", "mail.sent", stores=len(rows))


def main() -> None:
    """Work until a signal ends the process."""
    settings = load()
    (settings.backups / backups.PARTIAL).unlink(missing_ok=True)
    Scheduler(settings).run()


if __name__ == "__main__":
    main()
