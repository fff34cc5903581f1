"""The tables of the history. A change here takes a new migration in `migrations.py`.

Measurements are clustered by series and time, so that one series is read from neighbouring pages however large the
store is. What an outcome holds is kept whole as JSON; its status and its measurements are kept beside it to be
searched. Whatever a target answered is kept as it was: see `Words` and `Data`.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_ESCAPED = "\x1bjson:"


class Moment(TypeDecorator[datetime]):
    """A point in time as microseconds since 1970 in UTC: sorts, compares and survives in every database alike."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> int | None:
        """TypeError on a time without its zone."""
        return None if value is None else (value - _EPOCH) // _TICK

    def process_result_value(self, value: int | None, _dialect: sa.Dialect) -> datetime | None:
        """The moment in UTC."""
        return None if value is None else _EPOCH + value * _TICK


class Words(TypeDecorator[str]):
    """Text of any characters. NUL, which PostgreSQL refuses, and lone surrogates, which nobody takes, are escaped."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """The same text gets the same escape, so that it can be searched for."""
        return value if value is None or _is_plain(value) else _ESCAPED + json.dumps(value)

    def process_result_value(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """The text as it was."""
        return json.loads(value[len(_ESCAPED) :]) if value is not None and value.startswith(_ESCAPED) else value


class Data(TypeDecorator[Any]):
    """Plain data as JSON in ASCII: non-finite numbers, NUL and lone surrogates come back as they were."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: sa.Dialect) -> str | None:
        """None stays none."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, _dialect: sa.Dialect) -> Any:
        """The data as it was; tuples have become lists."""
        return None if value is None else json.loads(value)


class Value(TypeDecorator[float]):
    """A float. SQLite keeps no NaN but null, which therefore means it."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: float | None, _dialect: sa.Dialect) -> float | None:
        """An integer beyond every float becomes infinite."""
        return as_float(value)

    def process_result_value(self, value: float | None, _dialect: sa.Dialect) -> float:
        """The number, or NaN."""
        return math.nan if value is None else value


def as_float(value: float | None) -> float | None:
    """`value` as a float; an integer beyond every float becomes infinite."""
    try:
        return None if value is None else float(value)
    except OverflowError:
        return math.inf if value is not None and value > 0 else -math.inf


def _is_plain(text: str) -> bool:
    if text.isascii():
        return "\0" not in text and not text.startswith(_ESCAPED)
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


METADATA = sa.MetaData()
_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _table(name: str, *parts: Any, **more: Any) -> sa.Table:
    return sa.Table(name, METADATA, *parts, **more)


def _column(name: str, kind: Any, *, optional: bool = False, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=optional, primary_key=key)


STORE = _table("golive_history", _column("version", sa.Integer), _column("made_at", Moment))

RUNS = _table(
    "runs",
    _column("id", _Id, key=True),
    sa.Column("run", Words, nullable=False, unique=True),
    _column("environment", Words),
    _column("system", Words),
    _column("started_at", Moment),
    _column("finished_at", Moment, optional=True),
    _column("version", Words),
    _column("deployed_at", Moment, optional=True),
    _column("selection", Words),
    _column("aborted", Words, optional=True),
    _column("unanswered", Data),
    _column("watch", Words, optional=True),
    _column("checkpoint", Words, optional=True),
    _column("selected", Data),
    _column("target", Data),
    _column("criteria_digest", Words),
    _column("process", Data),
    _column("alive_at", Moment),
    sa.Index("runs_of_environment", "environment", "started_at"),
    sa.Index("runs_of_watch", "watch"),
)
"""`process` says who judges (see `processes.Process`), `alive_at` when it was last heard of."""

OUTCOMES = _table(
    "outcomes",
    _column("id", _Id, key=True),
    sa.Column("run_id", _Id, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    _column("criterion", Words),
    _column("status", Words),
    _column("at", Moment),
    _column("data", Data),
    sa.UniqueConstraint("run_id", "criterion"),
)
"""`data` is the whole outcome (`Outcome.as_data`)."""

SERIES = _table(
    "series",
    _column("id", _Id, key=True),
    _column("environment", Words),
    _column("criterion", Words),
    _column("name", Words),
    _column("unit", Words),
    sa.UniqueConstraint("environment", "criterion", "name", "unit"),
)

MEASUREMENTS = _table(
    "measurements",
    sa.Column("series_id", _Id, sa.ForeignKey("series.id"), primary_key=True, autoincrement=False),
    _column("at", Moment, key=True),
    sa.Column("run_id", _Id, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    _column("value", Value, optional=True),
    _column("warning", sa.Double, optional=True),
    _column("critical", sa.Double, optional=True),
    _column("higher", sa.Boolean),
    _column("inclusive", sa.Boolean),
    _column("samples", sa.BigInteger, optional=True),
    sqlite_with_rowid=False,
)
"""A row lies beside its neighbours in time. `run_id` is no foreign key: each deleted run would search all rows."""

WATCHES = _table(
    "watches",
    _column("id", Words, key=True),
    _column("environment", Words),
    _column("system", Words),
    _column("version", Words),
    _column("deployed_at", Moment, optional=True),
    _column("starts_at", Moment),
    _column("opened_at", Moment),
    _column("schedule", Data),
    _column("tolerance_s", sa.Double),
    _column("time_scale", sa.Double),
    _column("target", Data),
    _column("criteria_digest", Words),
    _column("replaces", Words, optional=True),
    _column("reason", Words),
    _column("closed_at", Moment, optional=True),
    _column("closed_because", Words),
)
# As text, which both databases understand: SQLAlchemy would load PostgreSQL's dialect for it at every start.
sa.event.listen(
    WATCHES,
    "after_create",
    sa.DDL("CREATE UNIQUE INDEX one_open_watch ON watches (environment) WHERE closed_at IS NULL"),  # type: ignore[no-untyped-call] # it has no types
)

POLICIES = _table(
    "policies",
    _column("watch", Words, key=True),
    _column("policy", Data),
)

PROBE_SPANS = _table(
    "probe_spans",
    _column("id", _Id, key=True),
    _column("watch", Words),
    _column("endpoint", Words),
    _column("state", Words),
    _column("first_at", Moment),
    _column("last_at", Moment),
    _column("samples", sa.BigInteger),
    _column("message", Words),
    sa.Index("spans_of_endpoint", "watch", "endpoint", "id"),
)

BASELINES = _table(
    "baselines",
    _column("id", _Id, key=True),
    _column("environment", Words),
    _column("name", Words),
    _column("version", Words),
    _column("made_at", Moment),
    _column("runs", Data),
    _column("values", Data),
    _column("invalid_at", Moment, optional=True),
    _column("invalid_because", Words),
    sa.UniqueConstraint("environment", "name"),
)

ATTESTATIONS = _table(
    "attestations",
    _column("id", _Id, key=True),
    _column("environment", Words),
    _column("criterion", Words),
    _column("by", Words),
    _column("role", Words),
    _column("at", Moment),
    _column("note", Words),
    _column("expires", Moment, optional=True),
    sa.Index("attestations_of_environment", "environment"),
)

SIGNATURES = _table(
    "signatures",
    _column("id", _Id, key=True),
    _column("watch", Words),
    _column("role", Words),
    _column("name", Words),
    _column("at", Moment),
    _column("digest", Words),
    _column("covers", Data),
    _column("key", Words),
    _column("override", sa.Boolean),
    _column("reason", Words),
    _column("expires", Moment, optional=True),
    _column("manifest", Words),
    _column("signature", Words),
    sa.Index("signatures_of_watch", "watch"),
)

NOTES = _table(
    "notes",
    _column("id", _Id, key=True),
    _column("watch", Words),
    _column("at", Moment),
    _column("by", Words),
    _column("text", Words),
    _column("checkpoint", Words, optional=True),
    _column("criterion", Words, optional=True),
    sa.Index("notes_of_watch", "watch"),
)

STATE = _table(
    "state",
    _column("environment", Words, key=True),
    _column("key", Words, key=True),
    _column("value", Data, optional=True),
    sqlite_with_rowid=False,
)

CRITERIA_SETS = _table(
    "criteria_sets",
    _column("digest", Words, key=True),
    _column("stored_at", Moment),
    _column("criteria", Data),
)
