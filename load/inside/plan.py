"""The plan of a load as a process of locust is told it: one line of JSON on standard input, secrets and all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class StepPlan:
    """One request of a journey. `status`: those that are wanted; none: every one below 400."""

    method: str
    path: str
    name: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: frozenset[int] = frozenset()
    save: Mapping[str, str] = field(default_factory=dict)
    clean_up: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScenarioPlan:
    """A weighted journey, with the headers of its account's session. `think_s`: from and to."""

    name: str
    weight: float
    steps: tuple[StepPlan, ...]
    account: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    think_s: tuple[float, float] = (0.0, 0.0)
    rows: tuple[Mapping[str, Any], ...] = ()
    in_turn: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole of it. `levels`: points `(second, users or requests per second)`, joined by straight lines."""

    profile: str
    model: str
    host: str
    allowed_hosts: tuple[str, ...]
    stream: str
    scenarios: tuple[ScenarioPlan, ...]
    locustfile: str | None
    levels: tuple[tuple[float, float], ...]
    users: int
    poisson: bool
    timeout_s: float
    max_rate: float | None
    max_users: int | None
    user_agent: str
    request_id_prefix: str
    role: str
    worker: str
    workers: int
    verify: bool | str
    lifeline: bool

    @property
    def is_open(self) -> bool:
        """Whether requests arrive at a rate, whoever is still waiting for an answer."""
        return self.model == OPEN

    @property
    def duration_s(self) -> float:
        """When the last stage ends."""
        return self.levels[-1][0] if self.levels else 0.0

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be in no message: the values of the sessions' headers, and the words in them."""
        values = {value for scenario in self.scenarios for value in scenario.headers.values()}
        words = {word for value in values for word in value.replace(";", " ").split()}
        return tuple(sorted((text for text in values | words if len(text) >= 8), key=len, reverse=True))


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a web address; ValueError when it has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{parts.scheme}://{parts.hostname} is no web address")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def read_plan(line: bytes) -> Plan:
    """The plan out of its line. ValueError says which part of it is missing or wrong, and never what was in it."""
    try:
        data = json.loads(line)
    except ValueError:
        raise ValueError("the plan on standard input is no line of JSON") from None
    if not isinstance(data, dict):
        raise ValueError("the plan on standard input is no JSON object")
    try:
        plan = _plan(data)
    except KeyError as error:
        raise ValueError(f"the plan on standard input has no {error}") from None
    except (TypeError, AttributeError, IndexError):
        raise ValueError("the plan on standard input has a part of the wrong type") from None
    _refuse_what_cannot_run(plan)
    return plan


def _plan(data: Mapping[str, Any]) -> Plan:
    return Plan(
        profile=str(data["profile"]),
        model=str(data["model"]),
        host=str(data["host"]),
        allowed_hosts=tuple(str(each) for each in data["allowed_hosts"]),
        stream=str(data["stream"]),
        scenarios=tuple(_scenario(each) for each in data.get("scenarios") or ()),
        locustfile=data.get("locustfile"),
        levels=tuple((float(at), float(level)) for at, level in data["levels"]),
        users=int(data.get("users") or 1),
        poisson=data.get("arrivals") == "poisson",
        timeout_s=float(data["timeout"]),
        max_rate=None if data.get("max_rate") is None else float(data["max_rate"]),
        max_users=None if data.get("max_users") is None else int(data["max_users"]),
        user_agent=str(data["user_agent"]),
        request_id_prefix=str(data["request_id_prefix"]),
        role=str(data["role"]),
        worker=str(data["worker"]),
        workers=max(1, int(data.get("workers") or 1)),
        verify=data.get("verify", True),
        lifeline=bool(data.get("lifeline", True)),
    )


def _scenario(data: Mapping[str, Any]) -> ScenarioPlan:
    feed = data.get("feed") or {}
    low, high = data.get("think") or (0.0, 0.0)
    return ScenarioPlan(
        name=str(data["name"]),
        weight=float(data.get("weight", 1)),
        steps=tuple(_step(each) for each in data["steps"]),
        account=data.get("as"),
        headers={str(name): str(value) for name, value in (data.get("headers") or {}).items()},
        think_s=(float(low), float(high)),
        rows=tuple(dict(row) for row in feed.get("rows") or ()),
        in_turn=str(feed.get("order", "random")) != "random",
    )


def _step(data: Mapping[str, Any]) -> StepPlan:
    method, path = str(data["method"]).upper(), str(data["path"])
    return StepPlan(
        method=method,
        path=path,
        name=str(data.get("name") or f"{method} {path}"),
        body=data.get("body"),
        headers={str(name): str(value) for name, value in (data.get("headers") or {}).items()},
        status=frozenset(int(each) for each in data.get("status") or ()),
        save={str(name): str(where) for name, where in (data.get("save") or {}).items()},
        clean_up=data.get("clean_up"),
    )


def _refuse_what_cannot_run(plan: Plan) -> None:
    problems = _problems(plan)
    if problems:
        raise ValueError(f"the plan on standard input cannot be run: {problems[0]}")


def _problems(plan: Plan) -> Sequence[str]:
    found = []
    if origin_of(plan.host) not in {origin_of(allowed) for allowed in plan.allowed_hosts}:
        found.append(f"{plan.host} is not among the allowed hosts")
    if bool(plan.scenarios) == bool(plan.locustfile):
        found.append("it takes either scenarios or a locustfile")
    if plan.locustfile and plan.is_open:
        found.append("a locustfile of one's own runs in the closed model")
    if not plan.duration_s > 0:
        found.append("it has no duration")
    if plan.timeout_s <= 0 or (plan.max_rate is not None and plan.max_rate <= 0):
        found.append("a limit is not above 0")
    if any(scenario.weight <= 0 or not scenario.steps for scenario in plan.scenarios):
        found.append("a scenario has no weight or no steps")
    return found
