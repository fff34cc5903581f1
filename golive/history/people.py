"""What people have affirmed and signed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from golive.history.storage.schema import ATTESTATIONS, SIGNATURES
from golive.model import Attestation, Signature

if TYPE_CHECKING:
    from golive.history.store import History

_ATTESTATION = ("criterion", "by", "role", "at", "note")
_SIGNATURE = ("role", "name", "at", "digest", "key", "override", "reason", "expires", "manifest", "signature")


def add_attestation(history: History, environment: str, attestation: Attestation, expires: datetime | None) -> None:
    """Keep an attestation that holds until `expires`, or as long as its criterion says."""
    row = {name: getattr(attestation, name) for name in _ATTESTATION}
    with history.writing(durable=True) as connection:
        connection.execute(sa.insert(ATTESTATIONS).values(**row, environment=environment, expires=expires))


def attestations(history: History, environment: str, *, valid_at: datetime | None = None) -> list[Attestation]:
    """The attestations of an environment, oldest first; with `valid_at` without those that had expired by then."""
    a = ATTESTATIONS.c
    wanted = sa.select(ATTESTATIONS).where(a.environment == environment)
    if valid_at is not None:
        wanted = wanted.where(a.expires.is_(None) | (a.expires > valid_at))
    with history.reading() as connection:
        rows = connection.execute(wanted.order_by(a.at, a.id))
        return [Attestation(**{name: getattr(row, name) for name in _ATTESTATION}) for row in rows]


def add_signature(history: History, watch: str, signature: Signature) -> None:
    """Keep a signature; whether it counts (`problem`) is found out anew each time it is read."""
    row: dict[str, Any] = {name: getattr(signature, name) for name in _SIGNATURE}
    with history.writing(durable=True) as connection:
        connection.execute(sa.insert(SIGNATURES).values(**row, watch=watch, covers=list(signature.covers)))


def signatures(history: History, watch: str) -> list[Signature]:
    """The signatures under a watch, oldest first, not verified."""
    wanted = sa.select(SIGNATURES).where(SIGNATURES.c.watch == watch).order_by(SIGNATURES.c.at, SIGNATURES.c.id)
    with history.reading() as connection:
        return [
            Signature(**{name: getattr(row, name) for name in _SIGNATURE}, covers=tuple(row.covers))
            for row in connection.execute(wanted)
        ]
