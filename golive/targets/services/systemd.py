"""Services that are systemd units, read with `systemctl show`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook
from golive.targets.hosts.digests import HASHED, digest_of, digests
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Crash, Part, Service, ServicesReading, usage
from golive.targets.shell import one_line, plain

_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStartTimestampMonotonic,ExecMainStatus,MainPID,MemoryCurrent,"
    "CPUUsageNSec,IPIngressBytes,IPEgressBytes"
)
_DEPLOYED = "Id,LoadState,FragmentPath,DropInPaths,ExecStart"
_FILES = "-- files"
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
    starts = [service.started_at for service in services.values() if service.started_at is not None]
    return ServicesReading(
        expected=config.expected,
        services=services,
        crashes=tuple(_crashes(services, units)),
        # A start by hand sets what systemd counts back.
        crashes_since=max(starts, default=facts.booted_at),
        pids=frozenset().union(*(usage(facts, s.pid).pids for s in services.values())),
    )


def _crashes(services: Mapping[str, Service], units: Mapping[str, dict[str, str]]) -> Iterator[Crash]:
    """Units that failed, and those that systemd started again: once they run, their result is `success` again."""
    for name, service in services.items():
        result = units[_unit(name)].get("Result", "")
        if result not in _CLEAN:
            yield Crash(at=None, says=f"{name}: result {plain(result)}")
        elif service.restarts:
            yield Crash(at=service.started_at, says=f"{name}: started again {service.restarts} times after it ended")


def identity_snippet(config: Config) -> str:
    """The units' files and commands as systemd knows them, then the digest of every file that is named there."""
    units = " ".join(shlex.quote(_unit(name)) for name in config.expected)
    return rf"""
told=$(systemctl show --no-pager -p {_DEPLOYED} -- {units} 2>&1)
printf '%s\n{_FILES}\n' "$told"
printf '%s\n' "$told" | sed -n -e 's/^FragmentPath=//p' -e 's/^DropInPaths=//p' \
  -e 's/^ExecStart={{ path=\(.*\) ; argv\[\]=\(.*\) ; ignore_errors=.*/\1 \2/p' | tr ' ' '\n' |
  sed 's/^-[^=]*=//' | grep '^/' |
  while IFS= read -r file; do [ -e "$file" ] && [ ! -f "$file" ] || printf '%s\n' "$file"; done | {HASHED}
"""


def identity(config: Config, said: str, host: str) -> dict[Part, str]:
    """For each unit the digests of its unit file with drop-ins, of its program, and of files named in its command.

    Files that a service reads by itself (its own configuration, an `EnvironmentFile`) are not seen.
    """
    told, _, files = said.partition(f"{_FILES}\n")
    units = {unit["Id"][0]: unit for unit in map(_values, told.split("\n\n")) if "Id" in unit}
    if not units:
        raise CouldNotLook(f"host {host}: systemd does not answer: {one_line(told) or 'it printed nothing'}")
    found = digests(files, host)
    parts: dict[Part, str] = {}
    for name in config.expected:
        unit = units.get(_unit(name), {})
        if unit and unit.get("LoadState") != ["not-found"]:
            parts |= {(name, what): digest for what, digest in _deployed(unit, found, f"host {host}: {name}")}
    if not parts:
        raise CouldNotLook(f"host {host}: none of the units {', '.join(config.expected)} is there")
    return parts


def _deployed(unit: dict[str, list[str]], found: dict[str, str], where: str) -> Iterator[tuple[str, str]]:
    """What is deployed of one unit. CouldNotLook when a file of it is not among those that were `found`."""

    def digest(path: str) -> str:
        if path not in found:
            raise CouldNotLook(f"{where}: {path or 'its unit file'} is not there")
        return found[path]

    written = [*unit.get("FragmentPath", [""]), *" ".join(unit.get("DropInPaths", [])).split()]
    yield "configuration", digest_of("\n".join(f"{path} {digest(path)}" for path in written))
    commands = [_command(text) for text in unit.get("ExecStart", [])]
    for program, words in commands:
        yield "binary" if len(commands) == 1 else f"binary {program}", digest(program)
        files = {word: word.partition("=")[2] if word.startswith("-") else word for word in words}
        yield from ((f"file {word}", found[path]) for word, path in files.items() if path in found and path != program)


def _values(text: str) -> dict[str, list[str]]:
    """Every value of each key, since a unit may have several commands."""
    values: dict[str, list[str]] = {}
    for key, equals, value in (line.partition("=") for line in text.splitlines()):
        if equals:
            values.setdefault(key, []).append(value.strip())
    return values


def _command(text: str) -> tuple[str, list[str]]:
    """Path and words of `{ path=/bin/x ; argv[]=/bin/x --flag ; ignore_errors=no ; … }`."""
    found = re.match(r"\{ path=(?P<path>.*?) ; argv\[\]=(?P<words>.*) ; ignore_errors=", text)
    return (found["path"], found["words"].split()) if found else (text, [])


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
