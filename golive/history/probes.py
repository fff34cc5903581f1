"""Availability probes, kept as spans of successive ones that found the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from golive.history.storage.schema import PROBE_SPANS
from golive.model import ProbeSpan, ProbeState

if TYPE_CHECKING:
    from golive.history.store import History


def record_probe(
    history: History,
    watch: str,
    endpoint: str,
    state: ProbeState,
    at: datetime,
    message: str = "",
    *,
    longest_gap_s: float,
) -> None:
    """Extend the last span of the endpoint, or begin a new one if the state changed or the last probe is too old.

    A span keeps the first message that it was given.
    """
    p = PROBE_SPANS.c
    of_endpoint = sa.select(PROBE_SPANS).where(p.watch == watch, p.endpoint == endpoint)
    newest = of_endpoint.order_by(p.id.desc()).limit(1).with_for_update()
    with history.writing() as connection:
        last = connection.execute(newest).first()
        if last is not None and last.state == state.value and _is_near(last, at, longest_gap_s):
            values = {"last_at": max(last.last_at, at), "samples": last.samples + 1}
            if not last.message:
                values["message"] = message
            connection.execute(sa.update(PROBE_SPANS).where(p.id == last.id).values(**values))
            return
        row = {
            "watch": watch, "endpoint": endpoint, "state": state.value, "first_at": at, "last_at": at,
            "samples": 1, "message": message,
        }  # fmt: skip
        connection.execute(sa.insert(PROBE_SPANS).values(**row))


def probe_spans(history: History, watch: str) -> list[ProbeSpan]:
    """All spans of a watch, by endpoint, oldest first."""
    p = PROBE_SPANS.c
    wanted = sa.select(PROBE_SPANS).where(p.watch == watch).order_by(p.endpoint, p.first_at, p.id)
    with history.reading() as connection:
        return [
            ProbeSpan(
                endpoint=row.endpoint,
                state=ProbeState(row.state),
                first_at=row.first_at,
                last_at=row.last_at,
                samples=row.samples,
                message=row.message,
            )
            for row in connection.execute(wanted)
        ]


def _is_near(last: sa.Row[Any], at: datetime, longest_gap_s: float) -> bool:
    gap = timedelta(seconds=longest_gap_s)
    return bool(last.first_at - gap <= at <= last.last_at + gap)
