"""The parameters of a check as a person reads them: name, kind, default, meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from golive.environment.params import CheckParams, Request
from golive.environment.validation import section_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One key that a criterion of a check may carry."""

    name: str
    kind: str
    default: str
    description: str


def parameters_of(params: type[CheckParams]) -> Iterator[Parameter]:
    """The parameters in the order in which the check declares them."""
    schema = params.model_json_schema()
    defs = schema.get("$defs", {})
    for field, info in params.model_fields.items():
        name = info.alias or field
        section = section_of(info)
        required = info.is_required()
        yield Parameter(
            name=name,
            kind=f"a name of {section}" if section else _kind(schema["properties"][name], defs),
            default="required" if required else f"default {_shown(info.get_default(call_default_factory=True))}",
            description=info.description or "",
        )


def _kind(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _kind(defs.get(schema["$ref"].rpartition("/")[2], {}), defs)
    if "anyOf" in schema:
        kinds = [_kind(s, defs) for s in schema["anyOf"] if s.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), defs)}"
    if "examples" in schema:
        return f"as in {schema['examples'][0]!r}"
    return str(schema.get("type", "any"))


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple) and not isinstance(default, Request):
        return "[" + ", ".join(map(_shown, default)) + "]"
    return str(default)
