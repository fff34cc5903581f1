"""A watch on the screen: the board as something that Rich can show, live or once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from commands.watching.board import Board
from golive.model import Decision, ProbeState, RunRecord, Watch, utc_text
from golive.watch.schedule import SlotState, Standing
from reports.text import duration, one_line

_SHOWN = 6
_WIDTH = 160
_DECISIONS = {Decision.GO: "bold green", Decision.NO_GO: "bold red", Decision.PENDING: "bold yellow"}
_PROBES = {ProbeState.UP: "green", ProbeState.DOWN: "bold red", ProbeState.UNKNOWN: "yellow"}
_STANDINGS = {
    Standing.DONE: "green",
    Standing.RUNNING: "bold cyan",
    Standing.OPEN: "bold yellow",
    Standing.MISSED: "bold red",
    Standing.UPCOMING: "dim",
}


def shown(board: Board, now: datetime, *, kept_by: str = "") -> RenderableType:
    """The whole board. `kept_by` says who keeps the watch, where that is asked."""
    watch = board.watch
    trial = f", a trial at {watch.time_scale:g} times the speed" if watch.trial else ""
    parts: list[RenderableType] = [
        Text(f"watch {watch.id} of {board.environment}{trial}", style="bold"),
        Text(f"{hour(watch, now)}; {coming(board.states, now)}"),
    ]
    if kept_by:
        parts.append(Text(kept_by))
    return Group(*parts, _checkpoints(board), *_availability(board), *_failures(board), _verdict(board))


def plain(board: Board, now: datetime, *, kept_by: str = "") -> str:
    """The board as text, for a pipe or a log."""
    console = Console(width=_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(shown(board, now, kept_by=kept_by))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def hour(watch: Watch, now: datetime) -> str:
    """How far the watch has come, in its own time: `hour 3.2 of 24`."""
    last_s = watch.schedule[-1].offset_s
    return f"hour {min(max(0.0, watch.offset_s(now)), last_s) / 3600:.1f} of {last_s / 3600:g}"


def coming(states: Sequence[SlotState], now: datetime) -> str:
    """Which checkpoint comes next, and when."""
    state = next((s for s in states if s.standing not in (Standing.DONE, Standing.MISSED)), None)
    if state is None:
        return "no checkpoint is left"
    label = state.slot.label
    if state.standing is Standing.RUNNING:
        return f"checkpoint {label} is being run"
    if state.standing is Standing.OPEN:
        return f"checkpoint {label} is due, within {duration(max(0.0, (state.deadline - now).total_seconds()))}"
    return f"next checkpoint {label} in {duration(max(0.0, (state.due_at - now).total_seconds()))}"


def _checkpoints(board: Board) -> Table:
    table = _table("checkpoint", "due", "state", "outcomes")
    for state in board.states:
        standing = Text(state.standing.value, style=_STANDINGS[state.standing])
        table.add_row(state.slot.label, f"{utc_text(state.due_at)[:19]}Z", standing, _runs(state.runs))
    return table


def _runs(runs: Sequence[RunRecord]) -> str:
    return "; ".join(_run(run) for run in runs)


def _run(run: RunRecord) -> str:
    if run.aborted is not None:
        return one_line(f"aborted: {run.aborted}", 80)
    counts = Counter(outcome.status for outcome in run.outcomes)
    return ", ".join(f"{count} {status.value.replace('_', ' ')}" for status, count in sorted(counts.items()))


def _availability(board: Board) -> Iterator[RenderableType]:
    if not board.uptime:
        return
    table = _table("endpoint", "now", "up", "down for", "unseen for", "last said")
    for endpoint, uptime in board.uptime.items():
        last = board.last_spans.get(endpoint)
        state = (
            Text("never probed", style="yellow") if last is None else Text(last.state.value, style=_PROBES[last.state])
        )
        percent = "-" if uptime.percent is None else f"{uptime.percent:.4g} %"
        down, unknown = duration(uptime.down_s), duration(uptime.unknown_s)
        table.add_row(endpoint, state, percent, down, unknown, one_line(last.message, 80) if last else "")
    yield table


def _failures(board: Board) -> Iterator[RenderableType]:
    # A sign-off that was open at the last checkpoint may have been given since.
    if not board.failures or board.verdict.decision is Decision.GO:
        return
    yield Text(f"blocking at {board.label}:", style="bold")
    for outcome in board.failures[:_SHOWN]:
        yield Text(f"  {outcome.criterion}: {outcome.status.value}: {one_line(outcome.message)}", style="red")
    if len(board.failures) > _SHOWN:
        yield Text(f"  … and {len(board.failures) - _SHOWN} more")


def _verdict(board: Board) -> Text:
    verdict = board.verdict
    is_left = any(state.standing not in (Standing.DONE, Standing.MISSED) for state in board.states)
    text = Text("verdict so far: " if is_left else "verdict: ")
    text.append(verdict.decision.value, style=_DECISIONS[verdict.decision])
    for reason in verdict.reasons[:_SHOWN]:
        text.append(f"\n  {reason.decision.value}: {one_line(reason.text)}")
    if len(verdict.reasons) > _SHOWN:
        text.append(f"\n  … and {len(verdict.reasons) - _SHOWN} more: golive verdict --env={board.environment}")
    return text


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
