"""Watches: at most one of an environment is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from golive.history.storage.schema import POLICIES, WATCHES
from golive.history.storage.trouble import HistoryUnusable
from golive.model import Deployment, Slot, Watch, When

if TYPE_CHECKING:
    from golive.history.store import History

_WATCH = sa.select(WATCHES, POLICIES.c.policy).outerjoin(POLICIES, POLICIES.c.watch == WATCHES.c.id)


def open_watch(history: History, watch: Watch) -> Watch:
    """Keep a new watch, and give the one that now stands.

    A watch that is known by its id comes back as it is stored. The one that `watch.replaces` names is closed in the
    same moment. If another one is open (another process was faster), that one comes back and nothing is changed.
    """
    with history.writing(durable=True) as connection:
        if not history.is_sqlite:
            # Two processes may both find no open watch; the second one waits here for the first.
            connection.execute(sa.text("LOCK TABLE watches IN SHARE ROW EXCLUSIVE MODE"))
        found = connection.execute(_WATCH.where(WATCHES.c.id == watch.id)).first()
        if found is not None:
            return _watch(found)
        if watch.replaces is not None:
            replaced = (WATCHES.c.id == watch.replaces) & WATCHES.c.closed_at.is_(None)
            values = {"closed_at": watch.opened_at, "closed_because": watch.reason}
            connection.execute(sa.update(WATCHES).where(replaced).values(**values))
        if watch.closed_at is None:
            found = connection.execute(_open(watch.environment)).first()
            if found is not None:
                return _watch(found)
        connection.execute(sa.insert(WATCHES).values(**_row(watch)))
        if watch.policy:
            connection.execute(sa.insert(POLICIES).values(watch=watch.id, policy=dict(watch.policy)))
    return watch


def current_watch(history: History, environment: str) -> Watch | None:
    """The open watch of an environment."""
    with history.reading() as connection:
        found = connection.execute(_open(environment)).first()
        return None if found is None else _watch(found)


def watches(history: History, environment: str) -> list[Watch]:
    """All watches of an environment, oldest first."""
    wanted = _WATCH.where(WATCHES.c.environment == environment)
    with history.reading() as connection:
        return [_watch(row) for row in connection.execute(wanted.order_by(WATCHES.c.opened_at, WATCHES.c.id))]


def watch_by_id(history: History, watch: str) -> Watch | None:
    """One watch, open or closed."""
    with history.reading() as connection:
        found = connection.execute(_WATCH.where(WATCHES.c.id == watch)).first()
        return None if found is None else _watch(found)


def close_watch(history: History, watch: str, at: datetime, because: str) -> None:
    """Close an open watch; a closed one stays as it is. HistoryUnusable if there is no such watch."""
    _change(history, watch, {"closed_at": at, "closed_because": because}, WATCHES.c.closed_at.is_(None))


def set_watch_target(history: History, watch: str, target: Mapping[str, str]) -> None:
    """Record what was found deployed at the start of the watch."""
    _change(history, watch, {"target": dict(target)}, sa.true())


def _change(history: History, watch: str, values: dict[str, Any], condition: sa.ColumnElement[bool]) -> None:
    with history.writing(durable=True) as connection:
        if not connection.execute(sa.select(WATCHES.c.id).where(WATCHES.c.id == watch)).first():
            raise HistoryUnusable(f"history {history.where}: holds no watch {watch}")
        connection.execute(sa.update(WATCHES).where(WATCHES.c.id == watch, condition).values(**values))


def _open(environment: str) -> sa.Select[Any]:
    return _WATCH.where(WATCHES.c.environment == environment, WATCHES.c.closed_at.is_(None))


def _row(watch: Watch) -> dict[str, Any]:
    return {
        "id": watch.id, "environment": watch.environment, "system": watch.system,
        "version": watch.deployment.version, "deployed_at": watch.deployment.deployed_at,
        "starts_at": watch.starts_at, "opened_at": watch.opened_at,
        "schedule": [[slot.label, slot.offset_s, [when.value for when in slot.occasions]] for slot in watch.schedule],
        "tolerance_s": watch.tolerance_s, "time_scale": watch.time_scale, "target": dict(watch.target),
        "criteria_digest": watch.criteria_digest, "replaces": watch.replaces, "reason": watch.reason,
        "closed_at": watch.closed_at, "closed_because": watch.closed_because,
    }  # fmt: skip


def _watch(row: sa.Row[Any]) -> Watch:
    return Watch(
        id=row.id,
        environment=row.environment,
        system=row.system,
        deployment=Deployment(version=row.version, deployed_at=row.deployed_at),
        starts_at=row.starts_at,
        opened_at=row.opened_at,
        schedule=tuple(
            Slot(label=label, offset_s=offset_s, occasions=tuple(When(word) for word in occasions))
            for label, offset_s, occasions in row.schedule
        ),
        tolerance_s=row.tolerance_s,
        time_scale=row.time_scale,
        target=row.target,
        criteria_digest=row.criteria_digest,
        policy=row.policy or {},
        replaces=row.replaces,
        reason=row.reason,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
    )
