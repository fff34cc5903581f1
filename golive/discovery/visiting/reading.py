"""The first visit: everything that can be found out about a host in one go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from golive.discovery.found import Survey
from golive.discovery.questions.certificates import CertificateFiles
from golive.discovery.questions.containers import ComposeFile, Containers
from golive.discovery.questions.log_files import LogFiles
from golive.discovery.questions.logins import Groups, Logins
from golive.discovery.questions.packages import Packages
from golive.discovery.questions.schedules import CronTables
from golive.discovery.questions.supervisors import Supervisors
from golive.discovery.questions.units import Units
from golive.discovery.target import Target
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question

_OF_CONTAINERS: dict[str, Question[Any]] = {"containers": Containers()}
_OF_HOSTS: dict[str, Question[Any]] = {
    **_OF_CONTAINERS,
    "units": Units(),
    "supervisors": Supervisors(),
    "log_files": LogFiles(),
    "certificates": CertificateFiles(),
    "logins": Logins(),
    "groups": Groups(),
    "cron": CronTables(),
}


def survey(host: Host, target: Target, *, now: datetime, with_packages: bool = False) -> Survey:
    """What is there. CouldNotLook when the host is not reached; a kind of thing that it does not tell is a problem."""
    questions = _questions(target, with_packages=with_packages)
    host.ask(*questions.values())
    host.begin()
    facts = host.facts
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for noun, question in questions.items():
        try:
            found[noun] = host.answer(question)
        except CouldNotLook as problem:
            problems[noun] = str(problem).removeprefix(f"host {host.name}: ")
    return Survey(target=target, looked_at=now, facts=facts, problems=problems, **found)


def _questions(target: Target, *, with_packages: bool) -> dict[str, Question[Any]]:
    questions = dict(_OF_HOSTS if target.scope == "host" else _OF_CONTAINERS)
    if target.scope == "compose" and target.path is not None:
        questions["declared"] = ComposeFile(target.path)
    if with_packages:
        questions["packages"] = Packages()
    return questions
