"""The section `load:` of an environment: what may be pressed, how hard, when, and the profiles that do it."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from golive.environment.loads.stages import Point, Stage, level_at, phases_of, points_of
from golive.environment.loads.values import Hours, Rate, Share, ThinkTime
from golive.environment.params import (
    AccountRef,
    Duration,
    EndpointRef,
    HostRef,
    Milliseconds,
    Moment,
    Percent,
    Request,
    Strict,
)
from golive.model import Phase

_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")
_Field = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
_Positive = Annotated[Duration, Field(gt=0)]
_Status = Annotated[int, Field(ge=100, le=599)]
_Count = Annotated[int, Field(ge=1)]


def _processes(value: Any) -> Any:
    # Checked before the union, which would tell one fault once for each of its parts.
    if value != "auto" and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError(f"a number of processes, or 'auto' for one less than there are cores; got {value!r}")
    return value


_Processes = Annotated[_Count | Literal["auto"], BeforeValidator(_processes)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)]


def fields_in(value: Any) -> set[str]:
    """The names in braces (`{sku}`) that a path, a body or headers hold, however deep."""
    if isinstance(value, str):
        return set(_FIELD.findall(value))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return {name for part in parts for name in fields_in(part)}


class Feed(Strict):
    """A file with one row for each time that a user goes through the scenario; `{column}` stands for its value."""

    file: str = Field(description="CSV with a header, or .jsonl, relative to this file")
    order: Literal["random", "in turn"] = Field("random", description="which row comes next")


class _FromText(Strict):
    """A record that may also be written as the text of its first key."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}


class LoadStep(_FromText):
    """One request of a scenario: `GET /api/orders`, or a mapping. Its `name` groups it in statistics."""

    request: Request
    name: str = Field("", description="what it is called in statistics; the request as it is written by default")
    body: Any = Field(None, description="sent as JSON, a text as it is")
    headers: dict[str, str] = {}
    status: tuple[_Status, ...] = Field((), description="the wanted ones; by default everything below 400")
    save: dict[_Field, str] = Field({}, description="name to the dotted path of a value in the JSON answer")
    clean_up: Request | None = Field(None, description="undoes it afterwards, as in DELETE /api/orders/{order}")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if isinstance(data, str | Request):
            data = {"request": data}
        if isinstance(data, dict) and not data.get("name") and isinstance(data.get("request"), str | Request):
            data = {**data, "name": " ".join(str(data["request"]).split())}
        return data

    @property
    def needs(self) -> set[str]:
        """The names that must be known before it is sent."""
        return fields_in([self.request.path, self.body, self.headers])


class Scenario(Strict):
    """A journey that users go through again and again, and how many of them do (`weight`)."""

    name: Annotated[str, Field(min_length=1)]
    weight: _Count = 1
    account: AccountRef | None = Field(None, alias="as", description="its session is opened before the load")
    think_time: ThinkTime = Field((0.0, 0.0), description="time between two steps; only in the closed model")
    feed: Feed | None = None
    steps: tuple[LoadStep, ...] = Field(min_length=1)


class AbortOn(Strict):
    """When a load is stopped early, because it hurts."""

    errors: Share | None = Field(None, description="share of the requests that failed")
    p50: Milliseconds | None = None
    p95: Milliseconds | None = None
    p99: Milliseconds | None = None
    max: Milliseconds | None = None
    over: _Positive = Field(5.0, description="the time that it is looked at, up to now")
    min_requests: _Count = Field(20, description="fewer in that time say nothing")
    delay: Duration = Field(0.0, description="grace at the beginning of the load")

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if all(getattr(self, key) is None for key in ("errors", "p50", "p95", "p99", "max")):
            raise ValueError("needs at least one of errors, p50, p95, p99, max, as in '{errors: 50 %, over: 5 s}'")
        return self


class Worker(_FromText):
    """A further machine that load comes from: a name under `hosts`, or a mapping."""

    host: HostRef
    python: str = Field("python3", description="its interpreter, which has locust")
    processes: _Processes = 1

    @model_validator(mode="before")
    @classmethod
    def _written_short(cls, data: Any) -> Any:
        return {"host": data} if isinstance(data, str) else data


def _without_endpoint(schema: dict[str, Any]) -> None:
    """An editor must not ask for what the section fills in."""
    schema["required"] = [key for key in schema["required"] if key != "endpoint"]


class Profile(Strict):
    """A named load: scenarios (or a locustfile of one's own) and the stages that they are pressed in."""

    model_config = ConfigDict(json_schema_extra=_without_endpoint)

    says: str = ""
    endpoint: EndpointRef = Field(description="where it is aimed; may be left out where `endpoints` has only one")
    model: Literal["closed", "open"] = Field("closed", description="users that wait for answers, or arrivals at a rate")
    scenarios: tuple[Scenario, ...] = ()
    locustfile: str | None = Field(None, description="in place of scenarios, relative to this file")
    stages: tuple[Stage, ...] = Field(min_length=1)
    users: _Count | None = Field(None, description="open model: how many may be busy at once")
    arrivals: Literal["constant", "poisson"] = Field("constant", description="open model: how evenly requests begin")
    timeout: _Positive = Field(10.0, description="longest that one request may take")
    processes: _Processes = Field(1, description="that press from here; `auto` is one less than there are cores")
    workers: tuple[Worker, ...] = Field((), description="further machines, reached by ssh")
    lost_workers: Literal["unknown", "judge"] = Field("unknown", description="what becomes of the result without them")
    abort_on: tuple[AbortOn, ...] = Field((), description="beside those of all profiles")
    warm_up: Duration = Field(0.0, description="time at the beginning that no criterion counts")

    @property
    def duration_s(self) -> float:
        """Seconds from its beginning to the end of its last stage."""
        points = self.levels()
        return points[-1][0] if points else 0.0

    @property
    def peak(self) -> float:
        """The highest level: users, or requests per second in the open model."""
        return max((level for _, level in self.levels()), default=0.0)

    @property
    def request_names(self) -> tuple[str, ...]:
        """What its requests are called in statistics; () with a locustfile, whose names nobody knows beforehand."""
        return tuple(dict.fromkeys(step.name for scenario in self.scenarios for step in scenario.steps))

    def level_at(self, elapsed_s: float) -> float:
        """Users, or requests per second in the open model, that many seconds after it began; 0 once it is over."""
        return level_at(self.levels(), elapsed_s)

    def levels(self) -> list[Point]:
        """(seconds, level) pairs, the level being straight between them; it jumps where two have the same time."""
        return points_of(self.stages)

    def phases(self) -> list[Phase]:
        """Its parts in order of time: `ramp 1`, `hold 1`, `spike 1` …; each step of `steps` is one of them."""
        return phases_of(self.stages)

    def worker_processes(self, cores: int | None = None) -> int:
        """How many processes press from this machine, which has that many cores (by default as many as it has)."""
        if self.processes != "auto":
            return self.processes
        return max(1, (cores or os.cpu_count() or 1) - 1)


class ProductionLoad(Strict):
    """The permission to press what real users depend on."""

    permitted_by: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    until: Moment
    max_users: _Count
    max_rate: Rate


class Caps(NamedTuple):
    """The most that a load may do: users at the same time, requests per second in all."""

    users: int
    rate: float


_KILL_SWITCH = (AbortOn.model_validate({"errors": "50 %", "over": "10 s", "min_requests": 50}),)


class LoadSection(Strict):
    """What may be pressed, how hard and when, and the profiles that do it."""

    endpoints: tuple[EndpointRef, ...] = Field(min_length=1, description="where load may be aimed, and nowhere else")
    max_users: _Count = Field(description="no profile has more of them at the same time")
    max_rate: Rate = Field(description="requests per second in all, also while it runs")
    hours: tuple[Hours, ...] = Field((), description="when load may begin, in UTC; always, where there are none")
    production: ProductionLoad | None = Field(None, description="without it production is not pressed")
    runner_cpu: Percent = Field(90.0, description="share of a core from which on latencies are not believed")
    abort_on: tuple[AbortOn, ...] = Field(_KILL_SWITCH, description="when any load is stopped early")
    profiles: dict[_Name, Profile] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _aimed(cls, data: Any) -> Any:
        """A profile without an endpoint is aimed at the only one there is."""
        if not isinstance(data, dict) or not isinstance(data.get("profiles"), dict):
            return data
        only = data.get("endpoints")
        if not isinstance(only, list | tuple) or len(only) > 1:
            return data
        aim = only[0] if only else ""  # none at all is told of the section
        profiles = {k: {"endpoint": aim, **v} if isinstance(v, dict) else v for k, v in data["profiles"].items()}
        return {**data, "profiles": profiles}

    def caps(self, *, production: bool) -> Caps:
        """The most that is allowed there; in production the lower of both."""
        if not production or self.production is None:
            return Caps(self.max_users, self.max_rate)
        return Caps(min(self.max_users, self.production.max_users), min(self.max_rate, self.production.max_rate))
