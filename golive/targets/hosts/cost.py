"""What looking at a host costs it: connections, commands, and what goes over the line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Sums over one process or one run. Bytes are those of commands and their output, without what carries them.

    `seconds` is how long commands ran, opening of connections included; commands at the same time count each.
    """

    connections: int = 0
    commands: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(**{name: getattr(self, name) + value for name, value in asdict(other).items()})

    def as_data(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """What `as_data` gave."""
        return cls(**data)
