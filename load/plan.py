"""What a load process is told: one line of JSON on its standard input. It holds sessions, so it is never written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from golive.environment.loads import Feed, Profile, Scenario, Step, read_feed
from golive.environment.sections import EndpointSection, EnvironmentSection, TlsSection
from golive.model import CouldNotLook

STREAM = "stream.jsonl"


def plan_of(
    name: str,
    profile: Profile,
    section: EnvironmentSection,
    *,
    sessions: Mapping[str, Mapping[str, str]],
    directory: Path,
    user_agent: str,
    request_id_prefix: str,
) -> dict[str, Any]:
    """The plan of a profile, the same for all its processes.

    `sessions` are the headers of each account that a scenario acts as. CouldNotLook when one is missing, or a feed
    cannot be read.
    """
    load = section.load
    if load is None:
        raise CouldNotLook("the environment has no 'load', so nothing says where load may be aimed")
    endpoint, caps = section.endpoints[profile.endpoint], load.caps(production=section.is_production)
    return {
        "profile": name,
        "model": profile.model,
        "host": origin(endpoint.url),
        "allowed_hosts": sorted({origin(section.endpoints[allowed].url) for allowed in load.endpoints}),
        "stream": str(directory.absolute() / STREAM),
        "scenarios": [_scenario(one, endpoint, sessions) for one in profile.scenarios],
        "locustfile": profile.locustfile,
        "phases": [asdict(phase) for phase in profile.phases()],
        "levels": [list(point) for point in profile.levels()],
        "users": profile.users,
        "arrivals": profile.arrivals,
        "timeout": profile.timeout,
        "max_rate": caps.rate,
        "max_users": caps.users,
        "user_agent": user_agent,
        "request_id_prefix": request_id_prefix,
        "verify": _verify(endpoint.tls),
    }


def plan_line(plan: Mapping[str, Any]) -> bytes:
    """The plan as it is told."""
    return json.dumps(plan, ensure_ascii=False).encode() + b"\n"


def origin(url: str) -> str:
    """Scheme, host and port of a URL, as in `http://127.0.0.1:1234`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _scenario(
    scenario: Scenario, endpoint: EndpointSection, sessions: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    if scenario.account and scenario.account not in sessions:
        raise CouldNotLook(f"scenario {scenario.name}: account {scenario.account} has no session")
    session = sessions[scenario.account] if scenario.account else {}
    return {
        "name": scenario.name,
        "weight": scenario.weight,
        "as": scenario.account,
        "headers": {**endpoint.headers, **session},
        "think": list(scenario.think_time),
        "feed": None if scenario.feed is None else _feed(scenario.feed),
        "steps": [_step(step, urlsplit(endpoint.url).path.rstrip("/")) for step in scenario.steps],
    }


def _feed(feed: Feed) -> dict[str, Any]:
    try:
        rows = read_feed(Path(feed.file))
    except ValueError as error:
        raise CouldNotLook(f"feed {feed.file} {error}") from None
    return {"rows": rows, "order": feed.order}


def _step(step: Step, below: str) -> dict[str, Any]:
    return {
        "method": step.request.method,
        "path": below + step.request.path,
        "name": step.name,
        "body": step.body,
        "headers": dict(step.headers),
        "status": list(step.status),
        "save": dict(step.save),
        "clean_up": None if step.clean_up is None else str(step.clean_up),
    }


def _verify(tls: TlsSection) -> bool | str:
    if not tls.verify:
        return False
    return str(Path(tls.ca_file).absolute()) if tls.ca_file else True
