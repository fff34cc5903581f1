"""What a watch says while it goes on: timestamped lines, and a live board below them on a terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reports.text import clipped, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from commands.watching.board import Board

REFRESH_S = 2.0
_LONGEST = 300


class Teller:
    """Says lines to the terminal and to the log of the watch. Safe to use from several threads.

    A terminal that has gone, or a log that cannot be written, ends no watch.
    """

    def __init__(self, log: Path, *, redact: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self._log = log
        self._redact = redact
        self._now = now
        self._lock = threading.Lock()
        self._console: Console | None = None

    def say(self, text: str) -> None:
        """One message; each of its lines gets the time (UTC) in front."""
        stamp = f"{self._now():%Y-%m-%d %H:%M:%S}Z"
        lines = [f"{stamp} {clipped(line, _LONGEST)}" for line in visible(self._redact(text)).splitlines() or [""]]
        with self._lock:
            self._print("\n".join(lines))
            try:
                self._log.parent.mkdir(parents=True, exist_ok=True)
                with self._log.open("a", encoding="utf-8") as log:
                    log.write("".join(f"{line}\n" for line in lines))
            except OSError as error:
                self._print(f"{stamp} {self._log} cannot be written: {error.strerror}")

    @contextmanager
    def live(self, look: Callable[[], Board]) -> Iterator[None]:
        """On a terminal: keep a board below the lines for as long as this lasts."""
        if not sys.stdout.isatty():
            yield
            return
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        boards = _Boards(look, self._now)
        try:
            with boards, Live(console=self._console, get_renderable=boards.shown, refresh_per_second=2, transient=True):
                yield
        finally:
            self._console = None

    def _print(self, text: str) -> None:
        try:
            if self._console is not None:
                self._console.print(text, markup=False, highlight=False, soft_wrap=True)
            else:
                print(text, flush=True)
        except OSError:
            # Nobody is listening any more; the log still is.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Boards:
    """Looks again now and then, in the background; what could not be read leaves the board that there was."""

    def __init__(self, look: Callable[[], Board], now: Callable[[], datetime]) -> None:
        self._look = look
        self._now = now
        self._board: Board | None = None
        self._trouble = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="board", daemon=True)

    def shown(self) -> RenderableType:
        """The last board, with the time as it is now."""
        from rich.console import Group
        from rich.text import Text

        from commands.watching.view import shown

        board = Text("") if self._board is None else shown(self._board, self._now())
        return Group(board, Text(self._trouble, style="yellow")) if self._trouble else board

    def _go_on(self) -> None:
        from golive.history.store import HistoryUnusable

        while True:
            try:
                self._board, self._trouble = self._look(), ""
            except HistoryUnusable as error:
                self._trouble = str(error)
            if self._stop.wait(REFRESH_S):
                return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
