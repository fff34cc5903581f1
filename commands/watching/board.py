"""How a watch stands, at one look: its checkpoints, what blocks, availability, and the verdict so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from golive.model import Outcome, ProbeSpan, Verdict, Watch

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.store import History
    from golive.judge.uptime import Uptime
    from golive.watch.schedule import SlotState


@dataclass(frozen=True, kw_only=True)
class Board:
    """A watch at the moment `at`. `failures` block in the last checkpoint that came to its end, `label`.

    `uptime` and the last span of each endpoint are empty where nothing is probed.
    """

    environment: str
    watch: Watch
    at: datetime
    states: Sequence[SlotState]
    verdict: Verdict
    label: str = ""
    failures: Sequence[Outcome] = ()
    uptime: Mapping[str, Uptime]
    last_spans: Mapping[str, ProbeSpan]


def look(history: History, environment: Environment, watch: Watch, now: datetime) -> Board:
    """Read how `watch` stands at `now`. golive.history.store.HistoryUnusable when the history cannot be read."""
    from fixtures.watching import required
    from golive.history.watch_record import watch_record
    from golive.judge.uptime import uptime
    from golive.judge.verdict import decide
    from golive.watch.schedule import state_of_slots

    record = watch_record(history, environment, watch=watch, now=now)
    states = state_of_slots(watch, record.runs, now, required=required(environment))
    complete = [(state.slot.label, run) for state in states for run in state.runs if run.complete]
    label, last = max(complete, key=lambda one: one[1].started_at) if complete else ("", None)
    until = min(now, watch.ends_at)
    policy = record.probe_policy
    begun = policy is not None and until > watch.starts_at
    return Board(
        environment=environment.name,
        watch=watch,
        at=now,
        states=states,
        verdict=decide(record, now=now),
        label=label,
        failures=[o for o in last.outcomes if o.status.blocks] if last is not None else [],
        uptime=uptime(record.probes, begin=watch.starts_at, end=until, policy=policy) if policy and begun else {},
        last_spans={span.endpoint: span for span in sorted(record.probes, key=lambda span: span.last_at)},
    )
