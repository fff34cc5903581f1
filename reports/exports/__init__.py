"""A watch as a schedule that something else keeps: cron, systemd, Kubernetes, GitHub. Pure text, one file a format.

Each renders a `Plan` and takes care of its own quoting. Secrets appear by the names of their variables only.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from golive.model import Slot, Watch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotSchedulable(Exception):
    """The watch cannot be kept in the way that was asked for; the message is one line that says what to change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One checkpoint that is to come, and when it is started: at its time or as soon after as the format can."""

    slot: Slot
    at: datetime
    deadline: datetime

    @property
    def selection(self) -> str:
        """What `pytest -m` is given."""
        return " or ".join(occasion.value for occasion in self.slot.occasions)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A watch and how its runs are started.

    `environment` is what `--env` is given and `file` that environment's file, `variables` the names of the
    environment variables that its references need and `files` the paths of those it reads. `options` are passed on
    to every run (`--history=…`).
    """

    watch: Watch
    now: datetime
    environment: str
    file: str
    python: str
    directory: str
    probes: bool = False
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`golive-ENVIRONMENT` in the characters, and at most the length, that every format takes."""
        return f"golive-{re.sub(r'[^a-z0-9]+', '-', self.watch.environment.lower())}"[:60].strip("-")

    @property
    def subject(self) -> str:
        """What is watched, for people."""
        return f"{self.watch.environment} {self.watch.deployment.version}".strip()

    @property
    def over(self) -> int:
        """Unix time from which on no checkpoint can begin any more without being late."""
        return int(self.watch.ends_at.timestamp() + self.watch.tolerance_s) + 1

    def coming(self, step_s: int = 60) -> list[Due]:
        """The checkpoints that are still to be started, at whole multiples of `step_s` seconds.

        NotSchedulable when none is left, and when one could only be started too late.
        """
        dues = self.dues(step_s)
        late = [due for due in dues if due.at > due.deadline]
        if late:
            raise NotSchedulable(
                f"checkpoint {late[0].slot.label} cannot be started in time: jobs start at multiples of {step_s} s, and"
                f" the watch tolerates {self.watch.tolerance_s:g} s; give it a longer 'tolerance'"
            )
        found = [due for due in dues if due.at >= self.now]
        if not found:
            raise NotSchedulable(
                f"the watch that began at {told(self.watch.starts_at)} was over at {told(self.watch.ends_at)}; give the"
                " time of the deployment that is to be watched: --deployed-at=2026-05-01T09:00:00Z"
            )
        return found

    def missed(self, step_s: int = 60) -> list[Due]:
        """The checkpoints whose start is past."""
        return [due for due in self.dues(step_s) if due.at < self.now]

    def dues(self, step_s: int = 60) -> list[Due]:
        """All checkpoints, started at whole multiples of `step_s` seconds."""
        return [self._due(slot, step_s) for slot in self.watch.schedule]

    def run(self, selection: str, label: str) -> list[str]:
        """The command of one checkpoint, as words; the last one names the checkpoint."""
        start = [self.python, "-m", "pytest", f"--env={self.environment}", "-m", selection]
        return [*start, *self.options, f"--checkpoint={label}"]

    def probe(self) -> list[str]:
        """The command that probes availability until the watch is over, as words."""
        start = [self.python, "-m", "commands.main", "watch", f"--env={self.environment}", "--probes-only"]
        return [*start, *self.options]

    def _due(self, slot: Slot, step_s: int) -> Due:
        seconds = (self.watch.due_at(slot) - _EPOCH).total_seconds()
        at = datetime.fromtimestamp(math.ceil(seconds / step_s) * step_s, UTC)
        return Due(slot=slot, at=at, deadline=self.watch.deadline(slot))


def told(moment: datetime) -> str:
    """A moment in UTC to the minute, for people."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def cron_fields(moment: datetime) -> str:
    """Minute, hour, day, month and any weekday: that minute of every year, for cron has no field for the year."""
    return f"{moment.minute} {moment.hour} {moment.day} {moment.month} *"


def heading(plan: Plan, *, step_s: int = 60) -> list[str]:
    """What every format says first: what is watched, what is past already, what the runs need."""
    begin, end = told(plan.watch.starts_at), told(plan.watch.ends_at)
    lines = [
        f"The watch over {plan.subject}: hour 0 is {begin}, its last checkpoint is due {end}.",
        "Runs take hour 0 from the environment's 'deployed_at'. Another deployment begins another watch: export anew.",
    ]
    missed = plan.missed(step_s)
    if missed:
        past = ", ".join(f"{due.slot.label} ({told(due.at)})" for due in missed)
        lines.append(f"Past already and therefore left out: {past}.")
    for due in missed:
        if due.deadline > plan.now:
            words = ["pytest", f"--env={plan.environment}", "-m", due.selection, f"--checkpoint={due.slot.label}"]
            lines.append(f"Not late before {told(due.deadline)}, so hold it by hand now: {shlex.join(words)}")
    if plan.files:
        lines.append(f"The environment reads these files where it runs: {', '.join(plan.files)}.")
    return lines


def commented(lines: list[str]) -> list[str]:
    """Lines as comments of a shell, a crontab, a unit or YAML."""
    return [f"# {line}".rstrip() for text in lines for line in text.splitlines() or [""]]
