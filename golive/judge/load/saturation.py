"""Whether the machine that presses was itself too busy, so that the latencies it saw are partly its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from golive.judge import wording
from golive.judge.load.records import State

LASTING_S = 3.0
"""How long a load process must have been too busy; a moment of it is nothing."""
_INTERVAL_S = 1.0


def saturation(states: Iterable[State], *, above: float) -> str:
    """Why the latencies are not to be believed, "" if they are; `above` is a CPU use in per cent of a core.

    States that tell no CPU use are no proof that there was some to spare: with none that does, this is told as well.
    """
    by_worker: dict[str, list[State]] = {}
    for state in sorted(states, key=lambda state: state.at):
        by_worker.setdefault(state.worker, []).append(state)
    silent = [name for name, own in by_worker.items() if all(state.cpu is None for state in own)]
    if not by_worker or silent:
        who = wording.listed(silent, shown=3) or "no load process"
        return f"{who} told {'no CPU use' if silent else 'its CPU use'}, so that latencies may be its own"
    worst = max(
        (_longest(name, own, above) for name, own in by_worker.items()), key=lambda found: found[0], default=(0.0, "")
    )
    return worst[1] if worst[0] >= LASTING_S else ""


def _longest(name: str, states: Sequence[State], above: float) -> tuple[float, str]:
    """The longest time without a pause that a process was above, in seconds, and a sentence about it."""
    longest, lasted, peak, text = 0.0, 0.0, 0.0, ""
    before: float | None = None
    for state in states:
        # What a state tells is of the time since the one before it.
        span = _INTERVAL_S if before is None else state.at - before
        before = state.at
        if state.cpu is not None and state.cpu <= above:
            lasted, peak = 0.0, 0.0
            continue
        # What is not told is not known to be low.
        lasted, peak = lasted + span, max(peak, state.cpu or 0.0)
        if lasted > longest:
            longest = lasted
            used = f"used {peak:.0f} % of a core" if peak else "did not tell its CPU use"
            text = f"load process {name} {used} for {wording.span(lasted)}" + (f", above {above:g} %" if peak else "")
    return longest, text
