"""The types that parameters of checks and sections of an environment are written in.

Durations, sizes and requests are text with a unit (`5 s`, `2 GB`, `GET /health`),
because a bare number invites the wrong one. A reference (`HostRef`) names an entry
of a section of the environment and is checked when the environment is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)\s*")
_BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Strict(BaseModel):
    """A frozen record that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CheckParams(Strict):
    """Base of every check's `Params`: the keys that a criterion of this check may carry.

    `watches_rates` says that the check needs how fast something grows on its host (CPU use, errors on interfaces):
    only then is time spent between two readings.
    """

    watches_rates: ClassVar[bool] = False

    def asserts_nothing(self) -> str | None:
        """Why a criterion with these values could never fail, or None; such a criterion is refused at load."""
        return None

    def unfit(self, section: Any) -> str | None:  # noqa: ARG002 - for those that look at the environment
        """Why a criterion with these values cannot be asked of the environment's sections, or None; refused at load."""
        return None

    def asks(self) -> Sequence[Any]:
        """The questions (`golive.targets.hosts.questions`) that its `host` is asked within the one visit."""
        return ()


def seconds(value: Any) -> float:
    """`"1.5 min"` as 90.0; ValueError on a number without unit or any other text."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        return float(found[1]) * _SECONDS[found[2]]
    raise ValueError(f"a duration needs a number and a unit (ms, s, min, h, d), as in '5 s'; got {value!r}")


def size_bytes(value: Any) -> int:
    """`"2 GB"` as 2_000_000_000 bytes; ValueError on a number without unit or any other text."""
    if isinstance(value, str) and (found := _SIZE.fullmatch(value)):
        return round(float(found[1]) * _BYTES[found[2]])
    raise ValueError(
        f"a size needs a number and a unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), as in '2 GB'; got {value!r}"
    )


def _milliseconds(value: Any) -> float:
    return seconds(value) * 1000


_DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|min|m|h|d)\s*$",
    "examples": ["5 s", "200 ms"],
}
_SIZE_SCHEMA = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(B|[kK]B|[MGT]B|[KMGT]iB)\s*$", "examples": ["2 GB"]}

Duration = Annotated[float, BeforeValidator(seconds), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, written as text with a unit."""
Milliseconds = Annotated[float, BeforeValidator(_milliseconds), WithJsonSchema(_DURATION_SCHEMA)]
"""Milliseconds, written as text with a unit."""
Size = Annotated[int, BeforeValidator(size_bytes), WithJsonSchema(_SIZE_SCHEMA)]
"""Bytes, written as text with a unit."""
Percent = Annotated[float, Field(gt=0, le=100)]
"""A share of a hundred, above 0."""
Count = Annotated[int, Field(ge=0)]
"""A number of things; 0 allows none."""


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone: end it with Z for UTC, as in 2026-05-01T09:00:00Z")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_to_utc)]
"""A point in time, written with its zone."""


class Request(NamedTuple):
    """One HTTP request as a criterion writes it: `GET /api/orders`."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @classmethod
    def parse(cls, value: Any) -> Request:
        """ValueError unless `value` is a known method and a path that begins with `/`."""
        if isinstance(value, Request):
            return value
        words = value.split() if isinstance(value, str) else []
        if len(words) != 2 or words[0] not in _METHODS or not words[1].startswith("/"):
            raise ValueError(
                f"a request is a method ({', '.join(_METHODS)}) and a path, as in 'GET /health'; got {value!r}"
            )
        return cls(*words)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": rf"^({'|'.join(_METHODS)})\s+/\S*$", "examples": ["GET /health"]}


@dataclass(frozen=True)
class Ref:
    """Marks a parameter that names an entry of `section` of the environment."""

    section: str


HostRef = Annotated[str, Ref("hosts")]
ServicesRef = Annotated[str, Ref("services")]
EndpointRef = Annotated[str, Ref("endpoints")]
AccountRef = Annotated[str, Ref("accounts")]
DatabaseRef = Annotated[str, Ref("databases")]
CacheRef = Annotated[str, Ref("caches")]
LogRef = Annotated[str, Ref("logs")]
BackupRef = Annotated[str, Ref("backups")]
DocumentRef = Annotated[str, Ref("documents")]
ProfileRef = Annotated[str, Ref("load profiles")]
"""Names an entry of `load.profiles`."""


class Resolved(str):
    """Text that came out of a reference such as `${env:NAME}`; `source` is that reference."""

    __slots__ = ("source",)
    source: str

    def __new__(cls, value: str, source: str) -> Resolved:
        made = super().__new__(cls, value)
        made.source = source
        return made


REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<name>[^}]*)\}")


class Secret:
    """A value that must never be shown. `reveal()` is called only where it is sent."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    @classmethod
    def parse(cls, value: Any) -> Secret:
        """ValueError unless the value was written as one reference."""
        if isinstance(value, Secret):
            return value
        if isinstance(value, Resolved) or (isinstance(value, str) and REFERENCE.fullmatch(value)):
            return cls(str(value))
        raise ValueError("a secret is never written out: refer to it as ${env:NAME}, ${file:PATH} or ${cmd:COMMAND}")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^\$\{(env|file|cmd|demo):[^}]+\}$", "examples": ["${env:NAME}"]}


def _url(value: Any) -> str:
    """An absolute URL without a written-out password; unresolved references pass."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"a URL is text such as 'https://shop.example.com'; got {value!r}")
    if REFERENCE.search(value):
        head = REFERENCE.sub("x", value)
        if "://" in head and REFERENCE.search(value.partition("@")[0]) and "@" in value:
            raise ValueError("no password in a URL: give it as 'password: ${env:NAME}'")
        return value
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"{value!r} is no URL: {error}") from None
    if not parts.scheme or not parts.hostname or not port_is_valid:
        raise ValueError(f"{value!r} is no absolute URL: write scheme://host[:port]")
    if parts.password is not None:
        raise ValueError("no password in a URL: give it as 'password: ${env:NAME}'")
    return value.rstrip("/")


Url = Annotated[str, BeforeValidator(_url)]
"""An absolute URL without a trailing slash and without a password."""


def _store_url(value: Any) -> str:
    """As `_url`, or the absolute path of an SQLite file."""
    if not isinstance(value, str) or not value.startswith("sqlite:"):
        return _url(value)
    if not value.startswith("sqlite:////") and not REFERENCE.match(value, len("sqlite:///")):
        raise ValueError(f"{value!r}: an SQLite file is sqlite:///, followed by its absolute path")
    return value


StoreUrl = Annotated[str, BeforeValidator(_store_url)]
"""Where a history is kept: `postgresql://user@host/database` without a password, or `sqlite:////absolute/path`."""
