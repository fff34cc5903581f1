"""A job is scheduled, and ran when it should have; or it is not scheduled.

Why: a backup, a renewal or a clean-up that silently stopped running is found out when it is needed.
When it fails: look at the timer (`systemctl list-timers`, `systemctl status`) or the crontab, and at the job's log.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.cron import CronEntries, CronEntry
from golive.targets.hosts.questions.file import FileState
from golive.targets.hosts.questions.timer import Timer, TimerFacts
from golive.targets.hosts.questions.written import AbsolutePath, Name
from golive.targets.shell import plain

_SHOWN = 5


class Params(CheckParams):
    host: HostRef
    timer: Name | None = Field(None, description="a timer of systemd, by its name with or without .timer")
    cron: str | None = Field(None, min_length=3, description="text of the command in a crontab or below /etc/cron.*")
    scheduled: bool = Field(True, description="false: there may be no such job")
    schedule: str | None = Field(None, description="when cron runs it, as written there: '0 3 * * *', '@daily', daily")
    user: str | None = Field(None, description="the user as whom cron runs it")
    max_age: Duration | None = Field(None, description="longest time since it ran last")
    stamp: AbsolutePath | None = Field(None, description="file that the job changes whenever it ran (its log will do)")

    def asks(self) -> tuple[Question[object], ...]:
        """The timer or the entries, and the stamp."""
        timer = (Timer(name=self.timer),) if self.timer else ()
        cron = (CronEntries(text=self.cron),) if self.cron else ()
        return (*timer, *cron, *((FileState(path=self.stamp),) if self.stamp else ()))

    def asserts_nothing(self) -> str | None:
        if (self.timer is None) is (self.cron is None):
            return "write either 'timer' or 'cron'"
        if not self.scheduled and self.model_fields_set - {"host", "timer", "cron", "scheduled"}:
            return "what is not scheduled has no time, user or last run to judge"
        if self.timer is not None and (self.schedule, self.user) != (None, None):
            return "'schedule' and 'user' are those of cron"
        if self.cron is not None and (self.max_age is None) is not (self.stamp is None):
            return "cron does not tell when it ran a job: 'max_age' needs a 'stamp', and the other way round"
        if self.stamp is not None and self.max_age is None:
            return "'stamp' needs a 'max_age'"
        return None


def test_job_is_scheduled_and_ran_or_is_not_scheduled(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    if criterion.timer is not None:
        _judge_timer(criterion, criterion.timer, host, measure)
    else:
        _judge_cron(criterion, criterion.cron or "", host, measure, evidence)
    if criterion.stamp is not None:
        found = host.answer(FileState(path=criterion.stamp))
        if found is None:
            measure.fail(f"host {host.name}: {criterion.stamp} is not there, so it never ran")
        else:
            _judge_age(found.age_s, criterion, f"last run by {criterion.stamp} on host {host.name}", measure)


def _judge_timer(criterion: Params, name: str, host: Host, measure: Measure) -> None:
    found: TimerFacts | None = host.answer(Timer(name=name))
    subject = f"timer {name} of host {host.name}"
    if not criterion.scheduled:
        assert found is None or not found.is_active, f"{subject} is {plain(found.state)}"
        measure.note(f"{subject} is not active")
        return
    assert found is not None, f"there is no {subject}"
    if not found.is_active or not found.has_next:
        measure.fail(f"{subject} is {plain(found.state)}: it waits for no next time")
    elif not found.is_enabled:
        measure.fail(f"{subject} is {plain(found.state)}: it will be gone after the next boot")
    else:
        measure.note(f"{subject} is {plain(found.state)}")
    if found.result not in (None, "success"):
        measure.fail(f"{subject}: its last run ended with {plain(found.result)}")
    if criterion.max_age is not None and criterion.stamp is None:
        if found.last_run_age_s is None:
            measure.fail(f"{subject} never ran")
        else:
            _judge_age(found.last_run_age_s, criterion, f"last run of {subject}", measure)


def _judge_cron(criterion: Params, text: str, host: Host, measure: Measure, evidence: EvidenceSink) -> None:
    found: tuple[CronEntry, ...] = host.answer(CronEntries(text=text))
    evidence("entries of cron", "\n".join(map(str, found[:_SHOWN])))
    subject = f"cron on host {host.name}"
    if not criterion.scheduled:
        assert not found, f"{subject} runs {plain(str(found[0]))}"
        measure.note(f"{subject} runs nothing with {text!r}")
        return
    assert found, f"{subject} runs nothing with {text!r}"
    measure.note(f"{subject}: {plain(str(found[0]))}")
    for entry in found:
        if criterion.schedule is not None and entry.schedule != " ".join(criterion.schedule.split()):
            measure.fail(f"{subject} runs it at {plain(entry.schedule)!r}, {criterion.schedule!r} needed")
        if criterion.user not in (None, entry.user):
            measure.fail(f"{subject} runs it as {plain(entry.user)}, {criterion.user} needed")


def _judge_age(age_s: float, criterion: Params, subject: str, measure: Measure) -> None:
    if age_s < 0:
        measure.unknown(f"{subject} is dated {-age_s:.0f} s in the future, so its age is not known")
        return
    measure(age_s, unit="s", subject=subject, name="last run", critical=criterion.max_age, inclusive=True)
