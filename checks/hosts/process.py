"""A process runs as often as it should and as the right user, or does not run.

Why: a worker that died is missed only when its queue is long, and one that was started twice does everything twice.
When it fails: look at the manager that should keep it (`systemctl status`), and at its log for why it ended.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.process import Processes, RunningProcess
from golive.targets.hosts.questions.written import Pattern

_SHOWN = 10


class Params(CheckParams):
    host: HostRef
    name: str | None = Field(None, min_length=1, description="name as `ps -C` and `pgrep` know it (15 characters)")
    command: Pattern | None = Field(None, description="regular expression found in its command line")
    user: str | None = Field(None, description="the user that every one of them must run as")
    running: bool = Field(True, description="false: none may run")
    at_least: Count = Field(1, description="fewest that must run")
    at_most: Count | None = Field(None, description="most that may run")

    @property
    def question(self) -> Processes:
        """The processes that are meant."""
        return Processes(name=self.name, command=self.command, with_users=self.user is not None)

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (self.question,)

    def asserts_nothing(self) -> str | None:
        if self.name is None and self.command is None:
            return "neither 'name' nor 'command' says which process is meant"
        if not self.running and {"user", "at_least", "at_most"} & self.model_fields_set:
            return "what does not run has no user and no number to judge"
        if self.running and self.at_least == 0 and self.at_most is None and self.user is None:
            return "there are always at least 0"
        return None


def test_process_runs_as_it_should_or_does_not_run(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    own = host.facts.own_pids
    found = [process for process in host.answer(criterion.question) if process.pid not in own]
    running = [process for process in found if process.is_running]
    able = [process for process in running if not process.is_stopped]
    evidence("processes", "\n".join(f"{p} {p.state} {p.command}" for p in found[:_SHOWN]))
    subject = f"{criterion.name or criterion.command} on host {host.name}"
    limits: list[tuple[str, int, bool]] = []
    if not criterion.running:
        limits.append(("processes", 0, True))
    else:
        limits.append(("processes", criterion.at_least, False))
        if criterion.at_most is not None:
            limits.append(("most processes", criterion.at_most, True))
    for name, limit, is_most in limits:
        measure(
            len(running if is_most else able),
            unit="processes",
            subject=subject,
            name=name,
            critical=limit,
            better="lower" if is_most else "higher",
            inclusive=is_most,
            detail=_detail(found, running),
        )
    others = [process for process in running if criterion.user is not None and process.user != criterion.user]
    if others:
        named = ", ".join(map(str, others[:_SHOWN]))
        measure.fail(f"{subject} does not run as {criterion.user}: {named}")


def _detail(found: list[RunningProcess], running: list[RunningProcess]) -> str:
    zombies, stopped = len(found) - len(running), sum(process.is_stopped for process in running)
    shown = ", ".join(map(str, running[:_SHOWN]))
    more = (f"{zombies} ended but not yet buried" if zombies else "", f"{stopped} stopped" if stopped else "")
    return ", ".join(filter(None, [shown, *more]))
