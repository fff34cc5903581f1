"""Everything that is proposed from what was found, subject by subject. Pure."""

from __future__ import annotations

from golive.discovery.found import Found
from golive.discovery.proposal import Collected
from golive.discovery.proposing import (
    accounts,
    certificates,
    containers,
    data,
    health,
    http,
    logs,
    packages,
    ports,
    schedules,
    services,
)

_SUBJECTS = (health, services, containers, ports, http, certificates, logs, data, accounts, schedules, packages)


def proposed(found: Found) -> Collected:
    """Everything that is proposed, in the order in which it is written, before it is sifted."""
    collected = Collected()
    for subject in _SUBJECTS:
        subject.propose(found, collected)
    for noun, why in found.survey.problems.items():
        collected.leave_out(noun.replace("_", " "), why)
    return collected
