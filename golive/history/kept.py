"""What one run leaves for the next: log cursors, counters, and which runs there were."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from golive.history.storage.schema import RUNS, STATE
from golive.history.storage.upsert import upsert

if TYPE_CHECKING:
    from golive.history.store import History

_RUNS_KEPT = 500


class StateStore:
    """The state of one environment as earlier runs left it when this was made.

    What is `put` is visible through this object at once, and to later runs after `commit`, so that an aborted run
    leaves the state as it was and the next one looks again.
    """

    def __init__(self, history: History, environment: str) -> None:
        self._history = history
        self._environment = environment
        self._pending: dict[str, Any] = {}
        wanted = sa.select(STATE.c.key, STATE.c.value).where(STATE.c.environment == environment)
        with history.reading() as connection:
            self._committed: dict[str, Any] = {row.key: row.value for row in connection.execute(wanted)}

    def get(self, key: str) -> Any:
        """The last value under `key`, or None."""
        return self._pending.get(key, self._committed.get(key))

    def committed(self, key: str) -> Any:
        """The value that earlier runs left under `key`, or None."""
        return self._committed.get(key)

    def put(self, key: str, value: Any) -> None:
        """Remember JSON-ready `value` under `key`."""
        self._pending[key] = value

    @property
    def pending(self) -> dict[str, Any]:
        """What was put and is not committed yet."""
        return dict(self._pending)

    @cached_property
    def runs(self) -> frozenset[str]:
        """Ids of the last runs against this environment, also of those that died: their traces on it are ours."""
        wanted = sa.select(RUNS.c.run).where(RUNS.c.environment == self._environment)
        with self._history.reading() as connection:
            latest = wanted.order_by(RUNS.c.started_at.desc(), RUNS.c.id.desc()).limit(_RUNS_KEPT)
            return frozenset(connection.execute(latest).scalars())

    def commit(self) -> None:
        """Write what was put; values of a run that finished meanwhile under other keys survive."""
        if not self._pending:
            return
        with self._history.writing(durable=True) as connection:
            rows = [{"environment": self._environment, "key": k, "value": v} for k, v in sorted(self._pending.items())]
            upsert(connection, STATE, rows, ("environment", "key"))
        self._committed |= self._pending
        self._pending = {}
