"""What stands against GO, with all that its order and its folding take. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from golive.model import Decision, Reason, Severity

GRAVEST = 0
"""The weight of what spoils the watch as a whole."""
LIGHTEST = len(Severity) + 1
"""The weight of what only waits for somebody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Objection:
    """A reason against GO. `at` is the moment from which it holds, a smaller `weight` is worse.

    `offset_s` is the watch time at which it struck, None for what is not about an hour of the watch.
    `acceptable`: an override may accept it; what is still to come, and edited evidence, nobody can.
    """

    reason: Reason
    at: datetime
    weight: int = GRAVEST
    offset_s: float | None = None
    acceptable: bool = True

    @property
    def is_final(self) -> bool:
        """Whether nothing can mend it."""
        return self.reason.decision is Decision.NO_GO


def objection(
    kind: str,
    text: str,
    *,
    at: datetime,
    final: bool,
    weight: int = GRAVEST,
    offset_s: float | None = None,
    acceptable: bool = True,
    criterion: str | None = None,
    checkpoint: str | None = None,
) -> Objection:
    """An objection that makes the decision NO-GO if it is `final`, else PENDING."""
    decision = Decision.NO_GO if final else Decision.PENDING
    reason = Reason(kind=kind, decision=decision, text=text, criterion=criterion, checkpoint=checkpoint)
    return Objection(reason=reason, at=at, weight=weight, offset_s=offset_s, acceptable=acceptable)


def weight_of(severity: Severity) -> int:
    """The weight of what is wrong with a criterion."""
    return list(Severity).index(severity) + 1


def worst_first(objections: Iterable[Objection]) -> list[Objection]:
    """NO-GO before PENDING, then by weight, then by time; one line each, whoever found it."""
    ordered = sorted(objections, key=lambda o: (not o.is_final, o.weight, o.at, o.reason.kind, o.reason.text))
    return list({o.reason: o for o in ordered}.values())
