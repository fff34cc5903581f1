"""The requests of a journey as they go over the wire, with the values of its feed and of earlier answers. Pure."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from load.inside.plan import Plan, ScenarioPlan, StepPlan

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_IN_PATH = "/?#[]@!$&'()*+,;=:%-._~"
_MOST_UNPACKED = 8_000_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})

Values = Mapping[str, Any]


class Step:
    """One request. All that does not depend on values is put together once."""

    def __init__(self, plan: StepPlan, scenario: ScenarioPlan, shared: Plan, known: frozenset[str]) -> None:
        self.name = plan.name
        self.save = tuple((name, tuple(where.split("."))) for name, where in plan.save.items())
        self.clean_up = plan.clean_up
        self.is_head = plan.method == "HEAD"
        self.is_repeatable = plan.method in _REPEATABLE
        self._plan = plan
        self._known = known
        parts = urlsplit(shared.host)
        self._base = parts.path.rstrip("/")
        self._headers = _headers(plan, scenario, shared, parts.netloc.rpartition("@")[2])
        self.needs = known & set(_PLACE.findall(json.dumps([plan.path, plan.body, self._headers], ensure_ascii=False)))
        self._fixed = None if self.needs else self._compose({})

    def request(self, values: Values, request_id: bytes) -> bytes:
        """The whole request. KeyError when a value is missing, ValueError when one does not fit into a header."""
        head, rest = self._fixed or self._compose(values)
        return head + request_id + rest

    def is_wanted(self, status: int) -> bool:
        """Whether that answer is what the step asks for."""
        return status in self._plan.status if self._plan.status else status < 400

    def is_diverted(self, status: int) -> bool:
        """Whether that answer sends elsewhere, as to a page to log in, and nobody said that it is to."""
        return status in _REDIRECTS and not self._plan.status

    def undo(self, values: Values) -> str | None:
        """The request that takes away what this one made."""
        return None if self.clean_up is None else fill_path(self.clean_up, values, self._known)

    def _compose(self, values: Values) -> tuple[bytes, bytes]:
        path = quote(self._base + fill_path(self._plan.path, values, self._known), safe=_IN_PATH)
        body = _body(self._plan.body, values, self._known)
        lines = [f"{self._plan.method} {path} HTTP/1.1"]
        for name, value in self._headers.items():
            lines.append(f"{name}: {_one_line(fill(value, values, self._known))}")
        if body or self._plan.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "X-Request-Id: "]).encode("latin-1"), b"\r\n\r\n" + body


def steps_of(scenario: ScenarioPlan, plan: Plan) -> tuple[Step, ...]:
    """The steps of a journey; ValueError when one needs a value that neither its feed nor an earlier answer gives."""
    rows = scenario.rows
    known = frozenset.intersection(*(frozenset(row) for row in rows)) if rows else frozenset()
    saved = frozenset(name for step in scenario.steps for name in step.save)
    steps = tuple(Step(step, scenario, plan, known | saved) for step in scenario.steps)
    there = known
    for step in steps:
        if step.needs - there:
            raise ValueError(f"{step.name} needs a value that is not there yet: {min(step.needs - there)}")
        there |= {name for name, _ in step.save}
    return steps


def fill(value: Any, values: Values, known: frozenset[str]) -> Any:
    """`value` with each `{name}` in its texts replaced; a text that is `{name}` alone becomes the value itself."""
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole and whole[1] in known:
            return values[whole[1]]
        return _PLACE.sub(lambda found: str(values[found[1]]) if found[1] in known else found[0], value)
    if isinstance(value, Mapping):
        return {fill(key, values, known): fill(each, values, known) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, values, known) for each in value]
    return value


def fill_path(path: str, values: Values, known: frozenset[str]) -> str:
    """As `fill`, with each value as one piece of a path: no `/` or `?` in it leads elsewhere."""
    return _PLACE.sub(lambda found: quote(str(values[found[1]]), safe="") if found[1] in known else found[0], path)


def saved_from(body: bytes, save: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    """The values of an answer by their places (`data.items.0.id`). ValueError names the one that is not there."""
    try:
        data = json.loads(_unpacked(body))
    except (ValueError, zlib.error):
        raise ValueError("the answer is no JSON") from None
    found = {}
    for name, where in save:
        at = data
        for key in where:
            at = _inside(at, key, where)
        found[name] = at
    return found


def _inside(data: Any, key: str, where: Sequence[str]) -> Any:
    if isinstance(data, Mapping) and key in data:
        return data[key]
    if isinstance(data, list) and key.isdecimal() and int(key) < len(data):
        return data[int(key)]
    raise ValueError(f"the answer has no {'.'.join(where)}")


def _unpacked(body: bytes) -> bytes:
    return zlib.decompressobj(47).decompress(body, _MOST_UNPACKED) if body[:2] == b"\x1f\x8b" else body


def _headers(plan: StepPlan, scenario: ScenarioPlan, shared: Plan, host: str) -> dict[str, str]:
    own: dict[str, str] = {"Host": host, "User-Agent": shared.user_agent, "Accept": "*/*"}
    # An answer that is read is asked for as it is; one that is dropped may be packed, as browsers have it.
    own["Accept-Encoding"] = "identity" if plan.save else "gzip, deflate"
    if plan.body is not None and not isinstance(plan.body, str):
        own["Content-Type"] = "application/json"
    merged = {name.lower(): (name, value) for name, value in own.items()}
    for name, value in [*scenario.headers.items(), *plan.headers.items()]:
        merged[name.lower()] = (name, value)
    return {name: value for key, (name, value) in merged.items() if key not in ("content-length", "x-request-id")}


def _body(body: Any, values: Values, known: frozenset[str]) -> bytes:
    if body is None:
        return b""
    filled = fill(body, values, known)
    return str(filled).encode() if isinstance(body, str) else json.dumps(filled, ensure_ascii=False).encode()


def _one_line(value: Any) -> str:
    text = str(value)
    if any(character in text for character in "\r\n\0"):
        raise ValueError("a header's value has more than one line")
    return text
