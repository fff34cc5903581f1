"""When the deployment was complete, where the environment does not say: the start of its youngest service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from golive.environment.load import Environment
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.services import Service

_HOW = "write 'deployed_at' under 'deployment'"


def deployed_at(environment: Environment) -> datetime:
    """The recorded time of the deployment, or else the start of the youngest service that runs on any host.

    CouldNotLook when neither is to be had: an unknown hour 0 would make every checkpoint a guess.
    """
    if environment.deployment.deployed_at is not None:
        return environment.deployment.deployed_at
    section = environment.section
    if not section.services:
        raise CouldNotLook(f"when {environment.name} was deployed is unknown, and it has no 'services' to ask: {_HOW}")
    names = sorted({config.host for config in section.services.values()})
    with ThreadPoolExecutor(len(names), thread_name_prefix="golive-start") as pool:
        found = [
            service for services in pool.map(lambda name: _services(environment, name), names) for service in services
        ]
    untold = [service.name for service in found if service.running and service.started_at is None]
    starts = [service.started_at for service in found if service.started_at is not None]
    if untold or not starts:
        which = ", ".join(untold) or "none of them runs"
        raise CouldNotLook(f"when the services of {environment.name} were started is not told ({which}): {_HOW}")
    return max(starts)


def _services(environment: Environment, name: str) -> list[Service]:
    section = environment.section
    sets = {key: config for key, config in section.services.items() if config.host == name}
    host = Host(name, section.hosts[name], sets)
    try:
        return [service for key in sets for service in host.read_services(key).found]
    finally:
        host.close()
