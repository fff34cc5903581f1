"""Holding data against a model, with errors that say file, line, key and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from golive.environment.params import Ref
from golive.environment.problems import Problem, short, unknown_name
from golive.environment.yaml_source import Path_, Source

M = TypeVar("M", bound=BaseModel)


def validated(
    model: type[M], data: Any, source: Source, path: Path_, label: str, *, extra_allowed: tuple[str, ...] = ()
) -> tuple[M | None, list[Problem]]:
    """The record and no problems, or None and every problem; `extra_allowed` are keys named beside the model's own."""
    if not isinstance(data, dict):
        wish = ", ".join(sorted(keys_of(model)))
        return None, [
            Problem(place=source.place(path), text=f"{label}: a mapping is expected ({wish}); got {short(data)}")
        ]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        errors = _telling(error.errors(include_url=False))
        return None, [_problem(e, model, data, source, path, label, extra_allowed) for e in errors]


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that YAML may use for the fields of `model`."""
    return [info.alias or name for name, info in model.model_fields.items()]


def refs_of(record: BaseModel) -> Iterator[tuple[Path_, str, str]]:
    """(path of the key, section, name) for every reference that a record holds, lists and mappings included."""
    for field, key, section in _sections(type(record)):
        value = getattr(record, field)
        if isinstance(value, BaseModel):
            yield from (((key, *path), sec, name) for path, sec, name in refs_of(value))
        elif section and isinstance(value, str):
            yield (key,), section, value
        elif section and isinstance(value, tuple | list):
            yield from (((key, i), section, name) for i, name in enumerate(value) if isinstance(name, str))
        elif isinstance(value, tuple | list | dict):
            for i, part in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(part, BaseModel):
                    yield from (((key, i, *path), sec, name) for path, sec, name in refs_of(part))


@cache
def _sections(model: type[BaseModel]) -> tuple[tuple[str, str, str | None], ...]:
    """Name, key and section of each field; looked up once a class, since there may be hundreds of records."""
    return tuple((field, info.alias or field, section_of(info)) for field, info in model.model_fields.items())


def section_of(info: FieldInfo) -> str | None:
    """The section that a field's value, or its items, name an entry of."""
    return next((m.section for m in info.metadata if isinstance(m, Ref)), None) or _inner_section(info.annotation)


def _inner_section(annotation: Any) -> str | None:
    for part in get_args(annotation):
        for mark in getattr(part, "__metadata__", ()):
            if isinstance(mark, Ref):
                return mark.section
        if found := _inner_section(part):
            return found
    return None


def _telling(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without "too short" of a list whose items are wrong themselves: one fault, one line."""
    return [e for e in errors if e["type"] != "too_short" or not any(_is_inside(o["loc"], e["loc"]) for o in errors)]


def _is_inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _problem(
    error: ErrorDetails,
    model: type[BaseModel],
    data: Any,
    source: Source,
    path: Path_,
    label: str,
    extra: tuple[str, ...],
) -> Problem:
    keys = _real_path(error["loc"], data, error["type"] == "missing")
    place = source.place((*path, *keys))
    where = ".".join(map(str, keys))
    if error["type"] == "extra_forbidden":
        inner = _model_at(model, keys[:-1])
        allowed = [*keys_of(inner), *(extra if len(keys) == 1 else ())] if inner else []
        within = f" {'.'.join(map(str, keys[:-1]))}:" if len(keys) > 1 else ""
        return Problem(place=place, text=f"{label}:{within} {unknown_name('key', keys[-1], allowed)}")
    if error["type"] == "missing":
        return Problem(place=place, text=f"{label}: the key {where!r} is missing")
    told = error["msg"].removeprefix("Value error, ")
    if error["type"] == "model_type" and (inner := _model_at(model, keys)):
        told = f"a mapping is expected ({', '.join(sorted(keys_of(inner)))})"
    got = "" if "got " in told else f"; got {short(error['input'])}"
    # A value that came out of a reference may be a secret, and so is not repeated.
    if _is_sensitive(keys, source, path):
        told, got = told.partition("; got")[0], ""
    return Problem(place=place, text=f"{label}: {where!r}: {told[:1].lower() + told[1:]}{got}")


def _is_sensitive(keys: Path_, source: Source, path: Path_) -> bool:
    value: Any = source.data
    for key in (*path, *keys):
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            break
    secret_names = ("password", "secret", "token", "key")
    hides = "${" in str(value) or ("://" in str(value) and "@" in str(value))
    return hides or any(word in str(key).lower() for key in keys for word in secret_names)


def _real_path(loc: tuple[int | str, ...], data: Any, missing: bool) -> Path_:
    """pydantic's location without the parts that are names of validators and not keys of the data."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            if not (missing and last):
                continue
        path.append(part)
    return tuple(path)


def _model_at(model: type[BaseModel], path: Path_) -> type[BaseModel] | None:
    """The model that describes the mapping at `path` below `model`."""
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            found = next((i for n, i in current.model_fields.items() if part in (n, i.alias)), None)
            current = _without_none(found.annotation) if found else None
        else:
            # `dict[str, M]` and `tuple[M, ...]`: the key or index leads to an M.
            inner = [a for a in get_args(current) if a is not Ellipsis]
            current = _without_none(inner[-1]) if inner else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    """`M` out of `M | None`."""
    choices = [a for a in get_args(annotation) if a is not type(None)]
    is_optional = len(choices) < len(get_args(annotation))
    return choices[0] if is_optional and len(choices) == 1 else annotation
