"""A load from its beginning to its end: permission, processes, kill switch, clean-up, one merged result."""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from golive.environment.loads import LoadSection, Profile
from golive.environment.sections import EnvironmentSection, HostSection
from golive.judge.load.permission import permission
from golive.judge.load.result import LoadResult, result_of
from golive.model import CouldNotLook
from load.elsewhere.joining import Joining
from load.killswitch import Caps, KillSwitch
from load.ledger import Ledger, Sender
from load.plan import STREAM, plan_of
from load.progress import Progress
from load.raw import write_raw
from load.stream import Line, Tail, lines_of
from load.watching import Watching
from load.workers import Crew, Start, machines_of

LEDGER = "ledger.jsonl"
LOG = "locust.log"
_GRACE_S = 15.0
"""How much longer than planned a load may take, besides the time-out of its last request."""
_CLEAN_UP_S = 60.0
_INTERRUPTED = "it was interrupted"


class LoadInterrupted(KeyboardInterrupt):
    """Ctrl-C while a load ran. All is ended, cleaned up and written; `result` is what was measured until then."""

    def __init__(self, result: LoadResult) -> None:
        super().__init__(f"load {result.profile} was interrupted")
        self.result = result


def run(
    profile_name: str,
    profile: Profile,
    section: EnvironmentSection,
    *,
    sessions: Mapping[str, Mapping[str, str]],
    directory: Path,
    user_agent: str,
    run: str,
    guards: Callable[[], str | None] = lambda: None,
    progress: Callable[[str], None] = lambda _: None,
    hosts: Callable[[str], HostSection] | None = None,
    redact: Callable[[str], str] = lambda text: text,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> LoadResult:
    """Press as the profile says, and stop where anything says so; nothing is left running however it ends.

    `sessions` are headers by account, `run` begins every request's id. `guards` is asked each second and must answer
    at once: a reason to stop, or None. `progress` is given a line each second. Raw data goes into `directory`, an
    empty folder of the load's own, texts of locust's after `redact`. LoadRefused before anything is started;
    CouldNotLook when it could not begin; LoadInterrupted.
    """
    permission(section, profile_name, now())
    load = _required(section)
    if (directory / STREAM).exists():
        raise CouldNotLook(f"load {profile_name}: {directory} holds the data of another load")
    directory.mkdir(parents=True, exist_ok=True)
    plan = plan_of(
        profile_name,
        profile,
        section,
        sessions=sessions,
        directory=directory,
        user_agent=user_agent,
        request_id_prefix=run,
    )
    sender = _sender(profile, section, sessions, user_agent=user_agent, run=run, max_rate=plan["max_rate"])
    caps = Caps(users=plan["max_users"], rate=plan["max_rate"], cpu_percent=load.runner_cpu)
    with _crew(Start(plan, directory), profile, hosts or section.hosts.__getitem__) as crew:
        one = _Load(profile_name, profile, load, crew, directory, sender, redact)
        return one.run(caps, guards, progress)


def _required(section: EnvironmentSection) -> LoadSection:
    if section.load is None:
        raise CouldNotLook("the environment has no 'load', so nothing says where load may be aimed")
    if importlib.util.find_spec("locust") is None:
        raise CouldNotLook("load needs locust: pip install 'golive[load]'")
    return section.load


def _crew(start: Start, profile: Profile, hosts: Callable[[str], HostSection]) -> Crew:
    joining = Joining.of(os.environ)
    if joining is not None:
        return start.joined(joining)
    return start.crew(profile.worker_processes(), machines_of(profile, hosts))


def _sender(
    profile: Profile,
    section: EnvironmentSection,
    sessions: Mapping[str, Mapping[str, str]],
    *,
    user_agent: str,
    run: str,
    max_rate: float,
) -> Sender:
    ids = itertools.count(1)
    return Sender(
        profile.endpoint,
        section.endpoints[profile.endpoint],
        sessions,
        user_agent=user_agent,
        request_id=lambda: f"{run}-clean-up-{next(ids)}",
        max_rate=max_rate,
    )


class _Load:
    """One load whose processes were started."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        section: LoadSection,
        crew: Crew,
        directory: Path,
        sender: Sender,
        redact: Callable[[str], str],
    ) -> None:
        self._name, self._profile, self._section = name, profile, section
        self._crew, self._directory = crew, directory
        self._sender, self._redact = sender, redact
        self._ledger = Ledger(directory / LEDGER)

    def run(self, caps: Caps, guards: Callable[[], str | None], show: Callable[[str], None]) -> LoadResult:
        """Watch it to its end, whatever that is."""
        watching = Watching(
            self._name,
            self._crew,
            Tail(self._directory / STREAM),
            switch=KillSwitch([*self._section.abort_on, *self._profile.abort_on], caps),
            ledger=self._ledger,
            progress=Progress(self._name, self._profile.duration_s),
            show=show,
            guards=guards,
            time_limit_s=self._profile.duration_s + self._profile.timeout + _GRACE_S,
        )
        stopped, interrupted = "it broke off", False
        left: tuple[str, ...] = ()
        try:
            stopped = watching.until_over()
        except KeyboardInterrupt:
            stopped, interrupted = _INTERRUPTED, True
        finally:
            left = self._let_go(watching, in_order=bool(stopped))
        result = self._result(self._redact(stopped), watching.notes, left)
        write_raw(result, self._directory)
        if interrupted:
            raise LoadInterrupted(result) from None
        return result

    def _let_go(self, watching: Watching, *, in_order: bool) -> tuple[str, ...]:
        """End all processes and take back what they made; what could not be."""
        try:
            self._crew.end(ask=in_order)
        finally:
            self._write_log()
        watching.read()
        try:
            return self._ledger.clean_up(self._sender, time_limit_s=_CLEAN_UP_S)
        finally:
            self._sender.close()

    def _write_log(self) -> None:
        parts = [f"== {name}\n{text.strip()}\n" for name, text in self._crew.said().items() if text.strip()]
        if parts:
            (self._directory / LOG).write_text(self._redact("\n".join(parts)), encoding="utf-8")

    def _result(self, stopped: str, notes: list[Line], problems: tuple[str, ...]) -> LoadResult:
        lines = lines_of(self._directory / STREAM, ahead_s=self._crew.ahead_s)
        return result_of(
            profile=self._name,
            model=self._profile.model,
            planned=self._profile.phases(),
            lines=itertools.chain(lines, notes),
            warm_up_s=self._profile.warm_up,
            runner_cpu=self._section.runner_cpu,
            stopped=stopped,
            problems=problems,
        )
