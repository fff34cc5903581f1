"""Services that are systemd units, read with `systemctl show`."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta

from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook
from golive.targets.facts import HostFacts
from golive.targets.services import Crash, Service, ServicesReading, usage
from golive.targets.shell import one_line

_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStartTimestampMonotonic,ExecMainStatus,MainPID,MemoryCurrent,"
    "CPUUsageNSec,IPIngressBytes,IPEgressBytes"
)
_NOT_SET = "18446744073709551615"
_CLEAN = ("success", "")


class Config(ServicesSection):
    """Units of the system's systemd; `expected` are their names, `.service` may be left out."""


def snippet(config: Config) -> str:
    """One block of `key=value` lines for each unit."""
    units = " ".join(shlex.quote(_unit(name)) for name in config.expected)
    return f"systemctl show --no-pager -p {_PROPERTIES} -- {units} 2>&1"


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when nothing is told about any unit: systemd does not run there or refuses."""
    blocks = [block for block in map(_block, said.split("\n\n")) if "Id" in block]
    if not blocks:
        raise CouldNotLook(f"host {facts.host}: systemd does not answer: {one_line(said) or 'it printed nothing'}")
    units = {block["Id"]: block for block in blocks if block.get("LoadState") != "not-found"}
    services = {name: _service(name, units[_unit(name)], facts) for name in config.expected if _unit(name) in units}
    failed = [
        (name, units[_unit(name)]) for name in services if units[_unit(name)].get("Result") not in (*_CLEAN, None)
    ]
    return ServicesReading(
        expected=config.expected,
        services=services,
        crashes=tuple(Crash(at=None, says=f"{name}: result {block['Result']}") for name, block in failed),
        crashes_since=facts.booted_at,
        pids=frozenset().union(*(usage(facts, s.pid).pids for s in services.values())),
    )


def _unit(name: str) -> str:
    return name if "." in name else f"{name}.service"


def _block(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value.strip() for key, equals, value in pairs if equals}


def _service(name: str, block: dict[str, str], facts: HostFacts) -> Service:
    pid = _number(block, "MainPID") or None
    used = usage(facts, pid)
    memory = _number(block, "MemoryCurrent")
    return Service(
        name=name,
        state=f"{block.get('ActiveState', '?')} ({block.get('SubState', '?')})",
        running=block.get("ActiveState") == "active",
        pid=pid,
        started_at=_started(block, facts) or used.started_at,
        restarts=_number(block, "NRestarts"),
        exit_code=_number(block, "ExecMainStatus"),
        cpu_percent=used.cpu_percent,
        memory_bytes=used.memory_bytes if memory is None else memory,
        net_rx_bytes=_number(block, "IPIngressBytes"),
        net_tx_bytes=_number(block, "IPEgressBytes"),
    )


def _started(block: dict[str, str], facts: HostFacts) -> datetime | None:
    """The monotonic time stamp counts from boot and is spared the language and zone of the wall clock one."""
    since_boot = _number(block, "ExecMainStartTimestampMonotonic")
    if not since_boot or facts.booted_at is None:
        return None
    return facts.booted_at + timedelta(microseconds=since_boot)


def _number(block: dict[str, str], key: str) -> int | None:
    value = block.get(key, "")
    return int(value) if value.isdigit() and value != _NOT_SET else None
