"""The JSON Schema of environment and criteria files, for editors; generated, never written by hand."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from golive.environment.catalogue import Catalogue
from golive.environment.criteria import CriterionHead
from golive.environment.kinds import PACKAGES, config_of, kinds_of
from golive.environment.relative import WITHIN, schema_with
from golive.environment.sections import AttestAnswer, EnvironmentSection

_TEMPLATE = "#/$defs/{model}"
_FOR_EACH = {
    "description": "names to expand the criterion over; {item} stands for each, a mapping overrides keys",
    "anyOf": [
        {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1, "uniqueItems": True},
        {"type": "object", "additionalProperties": {"type": "object"}, "minProperties": 1},
    ],
}


def json_schema(catalogue: Catalogue) -> dict[str, Any]:
    """One schema for both kinds of file: an environment is an object, a criteria file is an array."""
    defs: dict[str, Any] = {}
    environment = _definition("environment", EnvironmentSection, defs)
    for section in PACKAGES:
        variants = [
            _definition(f"{section}.{kind}", config_of(section, kind), defs, kind) for kind in kinds_of(section)
        ]
        defs["environment"]["properties"][section] = {"type": "object", "additionalProperties": {"anyOf": variants}}
    criterion = _criterion(catalogue, defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "golive environment or criteria file",
        "anyOf": [environment, {"type": "array", "items": criterion}],
        "$defs": dict(sorted(defs.items())),
    }


def schema_text(catalogue: Catalogue) -> str:
    """The schema as it is committed."""
    return json.dumps(json_schema(catalogue), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _criterion(catalogue: Catalogue, defs: dict[str, Any]) -> dict[str, Any]:
    head = CriterionHead.model_json_schema(ref_template=_TEMPLATE)
    _adopt(head, defs)
    common = {**head["properties"], "for_each": _FOR_EACH}
    attest = _definition("attest", AttestAnswer, defs)
    feature = {"type": "string", "pattern": r"^tests/.+\.py::test_\w+$"}
    variants: list[dict[str, Any]] = [
        _variant(common, head["required"], {"attest": attest}),
        _variant(common, head["required"], {"feature": feature}),
        _variant(common, head["required"], {"not_applicable": {"type": "string", "minLength": 3}}),
        _variant(common, head["required"], {}),
    ]
    for check, params in catalogue.all_params():
        schema = params.model_json_schema(ref_template=_TEMPLATE)
        _adopt(schema, defs)
        keys = {
            "check": {"const": check, "description": catalogue.runbook(check).claim},
            **schema.get("properties", {}),
            WITHIN: schema_with(schema.get("properties", {}).get(WITHIN)),
        }
        variants.append(_variant(common, head["required"], keys))
    return {"anyOf": variants}


def _adopt(schema: dict[str, Any], defs: dict[str, Any]) -> None:
    """Move the definitions of a schema to those of the whole; ValueError if one there has the same name."""
    for name, definition in schema.pop("$defs", {}).items():
        if defs.setdefault(name, definition) != definition:
            raise ValueError(f"two records are called {name}; rename one, so that editors are told the right keys")


def _variant(common: dict[str, Any], required: list[str], keys: dict[str, Any]) -> dict[str, Any]:
    # A reference may be left out where there is only one entry, and `for_each` may supply any key:
    # an editor must not mark those, so only the answer itself is required.
    return {
        "type": "object",
        "properties": {**common, **keys},
        "required": [*required, *list(keys)[:1]],
        "additionalProperties": False,
    }


def _definition(name: str, model: type[BaseModel], defs: dict[str, Any], kind: str | None = None) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_TEMPLATE)
    _adopt(schema, defs)
    if kind is not None:
        schema["properties"]["kind"] = {"const": kind}
    defs[name] = schema
    return {"$ref": f"#/$defs/{name}"}
