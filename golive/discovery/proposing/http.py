"""Endpoints that answered HTTP: their health route, how fast they answer, the page they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from golive.discovery.found import Answered, Found, Heard
from golive.discovery.naming import distinct, remark, slug, why_unfit
from golive.discovery.proposal import Collected, Entry, Rule
from golive.discovery.proposing import limits
from golive.discovery.visiting.sets import in_scope
from golive.targets.hosts.processes import tree

_HEALTH = ("/health", "/healthz", "/ready")
_WELL = ("ok", "healthy", "up", "pass")
_UNWELL = ("degraded", "down", "unhealthy", "error", "fail", "failed", "critical", "unreachable")
_SAMPLES, _LEAST_MS = 20, 500


def propose(found: Found, collected: Collected) -> None:
    """An entry and rules for each endpoint that answered, and why other ports are none."""
    for heard in found.heard:
        name = distinct(_name(heard, found), collected.names("endpoints"))
        collected.count(endpoints=1)
        collected.entries.append(_entry(name, heard))
        collected.extend(_rules(name, heard))
    for port, why in found.silent.items():
        collected.leave_out(f"port {port} as an endpoint", why)


def _name(heard: Heard, found: Found) -> str:
    for container in in_scope(found.survey):
        if any(published.port == heard.port for published in container.published):
            return slug(container.service or container.name, "endpoint")
    for port in found.facts.ports or ():
        if port.port == heard.port and (name := _service(port.pid, found) or port.process):
            return slug(name, "endpoint")
    return f"port-{heard.port}"


def _service(pid: int | None, found: Found) -> str | None:
    """The service that a process belongs to, by the tree of processes below the service's own."""
    readings = [reading for reading in found.services.values() if not isinstance(reading, str)]
    for service in (one for reading in readings for one in reading.services.values()):
        if pid is not None and service.pid is not None and pid in tree(found.facts.processes, [service.pid]):
            return service.name
    return None


def _entry(name: str, heard: Heard) -> Entry:
    data: dict[str, Any] = {"url": heard.url}
    told = ", ".join(f"GET {path} {answer.status}" for path, answer in heard.answers.items())
    if not heard.trusted:
        data["tls"] = {"verify": False}
        told += "; its certificate is not trusted by this machine: give 'ca_file' instead of 'verify: false'"
    return Entry(section="endpoints", name=name, data=data, told=told)


def _rules(name: str, heard: Heard) -> Iterator[Rule]:
    for path in _HEALTH:
        answer = heard.answers.get(path)
        if answer is not None and answer.status == 200 and answer.json is not None:
            yield _health(name, path, answer)
            break
    steady = _steady(heard.answers)
    if steady is not None:
        yield _latency(name, steady, heard.answers[steady])
    front = heard.answers.get("/")
    if front is not None and front.status == 200 and front.title:
        yield _page(name, front)


def _health(name: str, path: str, answer: Answered) -> Rule:
    state = str((answer.json or {}).get("status", "")).lower()
    ill = "" if state in _WELL else f"its 'status' is {state!r}: say in 'expect' what a healthy one holds"
    ill = ill or next((f"'{where}' is '{word}'" for where, word in _states(answer.json) if word.lower() in _UNWELL), "")
    if not ill and answer.content_type != "application/json" and not answer.content_type.endswith("+json"):
        ill = f"it is JSON that is sent as {answer.content_type or 'nothing named'}"
    return Rule(
        area="http",
        name=f"{name}-health",
        says=f"The health route of {name} reports a healthy system",
        check="http/health",
        severity="critical",
        keys={"endpoint": name, "request": f"GET {path}"},
        told=f"{answer.status} with status '{remark(state, 40)}' in {answer.took_ms:.0f} ms",
        off=ill or None,
        smoke=True,
    )


def _states(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text under a key that names a state."""
    for key, value in data.items() if isinstance(data, Mapping) else ():
        at = f"{path}.{key}" if path else str(key)
        if isinstance(value, str) and str(key).lower() in ("status", "state", "health"):
            yield at, value
        else:
            yield from _states(value, at)


def _steady(answers: Mapping[str, Answered]) -> str | None:
    """The path whose answer tells the most: a health route before the front page."""
    return next((path for path in (*_HEALTH, "/") if path in answers and answers[path].status < 400), None)


def _latency(name: str, path: str, answer: Answered) -> Rule:
    limit = limits.milliseconds(answer.took_ms, times=10, least_ms=_LEAST_MS)
    return Rule(
        area="http",
        name=f"{name}-latency",
        says=f"GET {path} of {name} is answered, and within its limit, for all but the slowest 5 %",
        check="http/latency",
        severity="high",
        keys={"endpoint": name, "request": f"GET {path}", "samples": _SAMPLES, "critical": limit},
        told=f"{answer.status} in {answer.took_ms:.0f} ms, once",
        smoke=True,
    )


def _page(name: str, answer: Answered) -> Rule:
    reason = why_unfit(answer.title)
    return Rule(
        area="http",
        name=f"{name}-page",
        says=f"The front page of {name} is there",
        check="http/page",
        severity="high",
        keys={"endpoint": name, "request": "GET /", "contains": ["" if reason else answer.title], "assets": False},
        told="200 with this title; 'assets: true' asks for its scripts, styles and images as well",
        off=f"its title {reason}: say what the page must hold" if reason else None,
    )
