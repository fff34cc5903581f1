"""What is deployed: one digest or count for each part that a manager of services knows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from golive.environment.load import Environment
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.services import kind

_AT_ONCE = 8
NOTHING_DECLARED = {"services": "none declared, so what is deployed is not watched"}


def read_identity(environment: Environment, hosts: Mapping[str, Host]) -> dict[str, str]:
    """What is deployed now, by part: "all/api binary" -> "sha256:…", "all/api replicas" -> "2", "all configuration".

    `all` is the name of the set under `services`; `hosts` holds the host of every set. Each set costs one command,
    all at the same time. CouldNotLook, with every reason, when any set could not be read: what was not read must not
    count as unchanged. Where no set is declared, that is all there is to tell.
    """
    services = environment.section.services
    if not services:
        return dict(NOTHING_DECLARED)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="golive-identity") as pool:
        readings = [pool.submit(_read, name, hosts[config.host]) for name, config in services.items()]
    parts: dict[str, str] = {}
    problems: list[str] = []
    for reading in readings:
        try:
            parts |= reading.result()
        except CouldNotLook as problem:
            problems.append(str(problem))
    if problems:
        raise CouldNotLook("; ".join(dict.fromkeys(problems)))
    return parts


def _read(name: str, host: Host) -> dict[str, str]:
    config = host.services[name]
    manager = kind(config.kind)
    said = host.run(f"LC_ALL=C; export LC_ALL\n{manager.identity_snippet(config)}").stdout
    found = manager.identity(config, said, host.name)
    return {
        f"{name}/{service} {what}" if service else f"{name} {what}": value for (service, what), value in found.items()
    }
