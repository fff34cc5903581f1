"""Lines on a host that are counted there, since they are too many to be carried."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from golive.logs import CommandOutput, LogHost
from golive.logs.hosted import counting
from golive.logs.hosted.counted import Counted, Understood, events_of, understood
from golive.logs.hosted.files import UNREAD_PACKED
from golive.logs.hosted.look import DAMAGED
from golive.logs.hosted.plan import Plan, plan_of, whole_lines
from golive.logs.sought import Found, Sought
from golive.logs.text import LogText
from golive.model import CouldNotLook

_BYTES_PER_S = 20_000_000
_LONGEST_S = 300.0


def _stays(_: counting.After) -> None:
    """Nothing is known to change."""


@dataclass(frozen=True, kw_only=True)
class Countable:
    """What `origin` prints on the host: text like `like`, about `size` bytes of it, of which there are `samples`.

    `told` is how it is called in messages, `require_same` raises when it changed under the count, `error` makes
    the error that says why it could not be counted.
    """

    host: LogHost
    origin: counting.Origin
    like: LogText
    size: int
    told: str
    samples: Sequence[bytes]
    error: Callable[[str], CouldNotLook]
    wrapped: bool = False
    require_same: Callable[[counting.After], None] = _stays

    def counted(self, sought: Collection[Sought]) -> tuple[Counted, Understood, counting.Picked]:
        """The piece, with the lines that are sought; how its lines were understood; and what the host picked."""
        plan = plan_of(whole_lines(self.samples))
        picked = self._picked(plan)
        if picked.overflow:
            picked = self._picked(replace(plan, light=()))
        told = understood(picked, self.like, wrapped=self.wrapped)
        found = {one: self._searched(one) for one in sought}
        piece = Counted(kept=told.kept, size=self.size, why=self.why, tally=told.tally, found=found)
        return piece, told, picked

    @property
    def why(self) -> str:
        """What was not carried, for messages."""
        return f"log {self.like.source}: {self.size / 1e6:.0f} MB of {self.told} were counted on the host"

    @property
    def limit_s(self) -> float:
        """Longest that one program may take over it."""
        return min(_LONGEST_S, 20.0 + self.size / _BYTES_PER_S)

    def _picked(self, plan: Plan) -> counting.Picked:
        script = counting.count_script(self.origin, plan)
        said = self._whole(self.host.run(script, max_bytes=counting.MOST_PRINTED, timeout_s=self.limit_s))
        try:
            picked, after = counting.parse_picked(said.stdout_bytes)
        except counting.Garbled as error:
            raise self.error(str(error)) from None
        self.require_same(after)
        return picked

    def _whole(self, said: CommandOutput) -> CommandOutput:
        """CouldNotLook where a packed file was not unpacked to its end."""
        if DAMAGED in said.stderr_bytes:
            raise self.error(UNREAD_PACKED)
        return said

    def _searched(self, sought: Sought) -> Found:
        if sought.texts is None:
            told = f"{sought.told} has no fixed text that it could be looked for by there"
            return Found(incomplete=f"{self.why}, and {told}")
        script = counting.sought_script(self.origin, sought, wrapped=self.wrapped)
        said = self._whole(self.host.run(script, max_bytes=3 * counting.SOUGHT_BYTES, timeout_s=self.limit_s))
        try:
            lines, whole, after = counting.parse_sought(said.stdout_bytes, self.origin)
        except counting.Garbled as error:
            raise self.error(str(error)) from None
        self.require_same(after)
        start = self.like.window_start
        events = events_of(lines, self.like, wrapped=self.wrapped)
        within = (e for e in events if start is None or e.time is None or e.time >= start)
        found = tuple(event for event in within if sought.expression.search(event.raw))
        most = f"{counting.SOUGHT_BYTES / 1e6:g} MB of lines may be {sought.told}; the rest was not carried"
        return Found(events=found, incomplete=None if whole else f"{self.why}, where more than {most}")
