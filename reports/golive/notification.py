"""The announcement that a system goes live; there is none unless the verdict is GO. Pure."""

from __future__ import annotations

from golive.model import Decision, Verdict
from reports.golive.views.form import Form, Mark, Result
from reports.text import one_line, plural

NEXT_STEPS = (
    "Tell all users that the system is live",
    "Begin user acceptance testing",
    "Monitor what users report",
    "Prepare the full rollout",
)
_TOLD = ("Critical errors", "System uptime", "Functionality", "Security features")


class NotApproved(Exception):
    """There is nothing to announce; the message is one line that says why."""


def system_name(system: str, says: str) -> str:
    """What people call the system: what the environment says of itself up to the first comma, or else its id."""
    return one_line(says.partition(",")[0].strip() or system, 80)


def notification(form: Form, verdict: Verdict, *, name: str, version: str = "", hours: float = 24.0) -> str:
    """Subject and body as text; NotApproved unless the verdict is GO."""
    if verdict.decision is not Decision.GO:
        raise NotApproved(
            f"no notification: the verdict is {verdict.decision}, "
            f"{plural(len(verdict.reasons), 'reason stands', 'reasons stand')} against it"
        )
    of_version = f" {one_line(version, 80)}" if version else ""
    told = {result.name: result for result in form.results}
    lines = [
        f"Subject: {name.upper()} GO-LIVE APPROVED" + (" (TRIAL)" if verdict.trial else ""),
        "",
        "Dear team,",
        "",
        f"after {hours:g} hours of continuous monitoring {name}{of_version} is approved for production go-live.",
        *(_warnings(verdict)),
        "",
        "Summary:",
        *(f"  - {one_line(_told(told[wanted]))}" for wanted in _TOLD),
        f"  - {one_line(_approval(form))}",
        "",
        "Next steps:",
        *(f"  {number}. {step}" for number, step in enumerate(NEXT_STEPS, 1)),
    ]
    return "\n".join(lines) + "\n"


def _warnings(verdict: Verdict) -> list[str]:
    lines = []
    if verdict.trial:
        lines += ["", "THIS WAS A TRIAL: time was compressed, so it proves nothing about a whole watch."]
    if verdict.override is not None:
        by = verdict.override
        until = "" if by.expires is None else f" until {by.expires:%Y-%m-%d %H:%M} UTC"
        lines += ["", one_line(f"Approved by override of {by.name} ({by.role}){until}: {by.reason}")]
        lines += [f"  accepted: {one_line(reason.text)}" for reason in verdict.reasons]
    return lines


def _told(result: Result) -> str:
    held = "" if result.mark is Mark.HOLDS else f" [{result.mark.value}]"
    return f"{result.name}: {result.says}{held} ({result.detail})"


def _approval(form: Form) -> str:
    signed = [person for person in form.people if person.counts]
    if not form.people:
        return "Approval: nobody has to sign in this environment"
    names = ", ".join(f"{person.role} {person.name}" for person in signed)
    return f"Approval: {len(signed)} of {len(form.people)} have approved ({names or 'nobody'})"
