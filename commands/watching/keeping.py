"""Keeping the watch of an environment from the front desk: joins it, keeps it, and goes on with what replaces it."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from commands.environment import load
from commands.main import CommandError
from commands.watching.board import Board, look
from commands.watching.opened import output_folder
from commands.watching.signals import asked_to_stop
from commands.watching.telling import Teller
from commands.watching.view import coming, hour
from fixtures.options import PROJECT
from fixtures.watching import required
from golive.environment.load import Environment
from golive.environment.redaction import Redactor
from golive.history.probes import record_probe
from golive.history.store import History, HistoryUnusable
from golive.model import CouldNotLook, Slot, Watch
from golive.watch.clock import RealClock
from golive.watch.joining import Joined, join
from golive.watch.keeper import Ending, Keeper, NotNow, selection
from golive.watch.lock import AlreadyKept, Lock
from golive.watch.probing import Probing, Sample
from golive.watch.schedule import state_of_slots
from golive.watch.spawn import Spawner

_PATIENCE_S = 5.0


class Keeping:
    """One `golive watch`. `options` are those of the command."""

    def __init__(self, options: argparse.Namespace, environment: Environment, history: History) -> None:
        self._options = options
        self._environment = environment
        self._history = history
        self._clock = RealClock()
        self._stop, self._hurry = threading.Event(), threading.Event()
        folder = output_folder(options) / environment.name
        self._log = folder / "watch.log"
        self._teller = Teller(self._log, redact=Redactor(environment.secrets), now=self._clock.now)

    def once(self) -> Board:
        """Run the checkpoint that is due, if one is."""
        with asked_to_stop(self._stop, self._hurry):
            watch = self._first().watch
            self._keeper(watch).look()
            return look(self._history, self._environment, watch, self._clock.now())

    def until_over(self) -> Board | int:
        """Keep the watch to its end: how it then stands, or the number of the signal that ended it before.

        CommandError when another process keeps it, or when it cannot be begun.
        """
        with ExitStack() as stack:
            try:
                file = lock_file(self._environment, self._history, self._options)
                stack.enter_context(Lock.take(file, now=self._clock.now(), what="the watch is kept"))
            except AlreadyKept as error:
                raise CommandError(f"{self._environment.name}: {error}") from None
            caught = stack.enter_context(asked_to_stop(self._stop, self._hurry))
            joined: Joined | None = self._first()
            while joined is not None:
                self._say_joined(joined)
                ending = self._keep(joined.watch)
                if ending is Ending.OVER:
                    return look(self._history, self._environment, joined.watch, self._clock.now())
                joined = self._next() if ending is Ending.REPLACED else None
            self._teller.say("stopped; the same command goes on with this watch")
            return caught[0]

    def _keep(self, watch: Watch) -> Ending:
        probing = Probing(
            self._environment,
            watch,
            record=_Recorder(self._history, watch.id),
            clock=self._clock,
            tell=self._teller.say,
        )
        environment = self._environment
        with self._teller.live(lambda: look(self._history, environment, watch, self._clock.now())):
            probing.start()
            try:
                return self._keeper(watch).keep()
            finally:
                probing.stop()

    def _keeper(self, watch: Watch) -> Keeper:
        lock = lock_file(self._environment, self._history, self._options, of="run")
        spawner = Spawner(self._command, cwd=PROJECT, log=self._log, lock=lock, now=self._clock.now)
        return Keeper(
            self._history,
            watch,
            begin=None if self._options.probes_only else spawner.begin,
            stands=self._stands,
            required=required(self._environment),
            clock=self._clock,
            tell=self._teller.say,
            stop=self._stop,
            hurry=self._hurry,
        )

    def _first(self) -> Joined:
        """Without `--time-scale` it is to be a watch in real time."""
        try:
            return join(
                self._history, self._environment, now=self._clock.now(), time_scale=self._options.time_scale or 1.0
            )
        except CouldNotLook as error:
            raise CommandError(str(error)) from None

    def _next(self) -> Joined | None:
        """The watch that takes the place of the one before; None when `stop` is set before it is known."""
        while not self._stop.is_set():
            try:
                return self._joined_again()
            except NotNow as error:
                self._teller.say(f"the watch that takes its place cannot be joined, trying again: {error}")
                self._clock.wait(_PATIENCE_S, self._stop)
        return None

    def _stands(self) -> str:
        return self._joined_again().watch.id

    def _joined_again(self) -> Joined:
        """Read the environment again, as a run would, and join what it would take part in. NotNow if it could not."""
        try:
            self._environment = load(self._options)
            return join(self._history, self._environment, now=self._clock.now(), time_scale=self._options.time_scale)
        except (CommandError, CouldNotLook, HistoryUnusable) as error:
            raise NotNow(str(error)) from None

    def _command(self, slot: Slot) -> Sequence[str]:
        options = self._options
        env, history = options.env, options.history
        if "/" in env or env.endswith((".yaml", ".yml")):
            env = str(Path(env).resolve())
        if history and "://" not in history:
            history = str(Path(history).resolve())
        return [
            *(sys.executable, "-m", "pytest", f"--env={env}", f"--output={output_folder(options)}"),
            *([f"--history={history}"] if history else []),
            *("-m", selection(slot), f"--checkpoint={slot.label}"),
        ]

    def _say_joined(self, joined: Joined) -> None:
        from golive.history.runs import run_records

        watch, now = joined.watch, self._clock.now()
        if joined.replaced is not None:
            self._teller.say(f"watch {joined.replaced.id} is closed: {watch.reason}")
        runs = run_records(self._history, watch.environment, watch=watch.id, outcomes=False)
        states = state_of_slots(watch, runs, now, required=required(self._environment))
        word = "beginning" if joined.begun else "continuing"
        trial = f", a trial at {watch.time_scale:g} times the speed" if watch.trial else ""
        self._teller.say(f"{word} watch {watch.id}{trial}, {hour(watch, now)}, {coming(states, now)}")


class _Recorder:
    """Keeps the samples of one watch in the history."""

    def __init__(self, history: History, watch: str) -> None:
        self._history = history
        self._watch = watch

    def __call__(self, sample: Sample, *, longest_gap_s: float) -> None:
        record_probe(
            self._history,
            self._watch,
            sample.endpoint,
            sample.state,
            sample.at,
            sample.message,
            longest_gap_s=longest_gap_s,
        )


def lock_file(environment: Environment, history: History, options: argparse.Namespace, *, of: str = "watch") -> Path:
    """What is locked while the watch is kept, or a checkpoint (`run`) goes on: beside the history if that is a file."""
    is_file = history.is_sqlite
    folder = Path(history.where).resolve().parent if is_file else output_folder(options) / environment.name
    return folder / f".{environment.name}.{of}.lock"
