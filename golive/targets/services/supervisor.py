"""Services under supervisord, asked through `supervisorctl status`; crashes come from its own log."""

from __future__ import annotations

import posixpath
import re
import shlex
from datetime import UTC, datetime, timedelta

from pydantic import Field

from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook
from golive.targets.facts import HostFacts
from golive.targets.services import Crash, Service, ServicesReading, usage
from golive.targets.shell import one_line, plain

_STATES = "STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN"
_STATUS = re.compile(rf"^(?P<name>\S+)\s+(?P<state>{_STATES})\b[ ]*(?P<rest>.*)$", re.MULTILINE)
_PID = re.compile(r"\bpid (\d+)\b")
_LINE = re.compile(r"^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(?P<ms>\d{3}) \w+ (?P<says>.*)$")
_LOG = "-- log"
_CRASH = "exited: .*not expected|terminated by SIGKILL|gave up: .* FATAL"


class Config(ServicesSection):
    """A supervisord: its configuration file, and its log where that is not told there."""

    config: str = Field(description="path of supervisord's configuration file")
    log: str | None = Field(None, description="path of supervisord's log; by default `logfile` of the configuration")


def snippet(config: Config) -> str:
    """Status first, then the first line of the oldest log that is left and the last crashes."""
    here = posixpath.dirname(config.config)
    found = f"$(sed -n 's/^ *logfile *= *//p' {shlex.quote(config.config)} | head -n 1 | sed \"s|%(here)s|$here|\")"
    log = shlex.quote(config.log) if config.log else found
    return f"""
supervisorctl -c {shlex.quote(config.config)} status 2>&1
echo '{_LOG}'
here={shlex.quote(here)}
log={log}
old=
for n in 10 9 8 7 6 5 4 3 2 1; do [ -z "$old" ] && [ -r "$log.$n" ] && old="$log.$n"; done
head -n 1 "${{old:-$log}}" 2>&1 | cut -c 1-300
for n in 10 9 8 7 6 5 4 3 2 1; do [ -r "$log.$n" ] && cat "$log.$n"; done 2>/dev/null | cat - "$log" 2>/dev/null |
  grep -aE {shlex.quote(_CRASH)} | tail -n 200 | cut -c 1-300
"""


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when no line of a status is there: supervisord does not answer."""
    status, _, log = said.partition(f"{_LOG}\n")
    services = {m["name"]: _service(m, facts) for m in _STATUS.finditer(status)}
    if not services:
        why = one_line(status) or "it printed nothing"
        raise CouldNotLook(f"host {facts.host}: supervisord ({config.config}) does not answer: {why}")
    lines = log.splitlines()
    first = _at(lines[0], facts.zone) if lines else None
    crashes = (_crash(line, facts.zone) for line in lines[1:])
    unread = plain(lines[0]) if lines else "it is empty"
    return ServicesReading(
        expected=config.expected,
        services=services,
        undeclared=tuple(sorted(services.keys() - set(config.expected))),
        crashes=tuple(crash for crash in crashes if crash is not None),
        crashes_since=first,
        crashes_gap=None if first else f"supervisord's log could not be read ({unread})",
        pids=frozenset().union(*(usage(facts, s.pid).pids for s in services.values())),
    )


def _service(found: re.Match[str], facts: HostFacts) -> Service:
    pid = _PID.search(found["rest"])
    number = int(pid[1]) if pid else None
    used = usage(facts, number)
    return Service(
        name=found["name"],
        state=found["state"],
        running=found["state"] == "RUNNING",
        pid=number,
        started_at=used.started_at,
        cpu_percent=used.cpu_percent,
        memory_bytes=used.memory_bytes,
    )


def _crash(line: str, zone: timedelta) -> Crash | None:
    found = _LINE.match(line)
    return Crash(at=_at(line, zone), says=plain(found["says"])) if found else None


def _at(line: str, zone: timedelta) -> datetime | None:
    """supervisord writes its host's local time without a zone."""
    found = _LINE.match(line)
    if not found:
        return None
    try:
        local = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return local + timedelta(milliseconds=int(found["ms"])) - zone
