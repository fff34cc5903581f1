"""Editors are told what the loader accepts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive.environment.catalogue import Catalogue
from golive.environment.json_schema import json_schema
from golive.environment.loads import LoadSection


def definitions(catalogue: Catalogue) -> dict[str, Any]:
    found: dict[str, Any] = json_schema(catalogue)["$defs"]
    return found


def refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value["$ref"],) if isinstance(value.get("$ref"), str) else ()
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from refs(part)


def test_section_is_part_of_the_environment(catalogue: Catalogue) -> None:
    found = definitions(catalogue)
    assert {"load", "production"} <= found["environment"]["properties"].keys()
    assert found["LoadSection"]["required"] == ["endpoints", "max_users", "max_rate", "profiles"]
    assert {ref.removeprefix("#/$defs/") for ref in refs(found)} <= found.keys()


def test_what_may_be_left_out_is_not_asked_for(catalogue: Catalogue) -> None:
    found = definitions(catalogue)
    assert found["Profile"]["required"] == ["stages"]
    assert [variant["type"] for variant in found["LoadStep"]["anyOf"]] == ["string", "object"]
    assert [variant["type"] for variant in found["Worker"]["anyOf"]] == ["string", "object"]


def test_two_records_of_one_name_are_refused(catalogue: Catalogue) -> None:
    file: Path = catalogue.root / "hosts" / "clash.py"
    file.write_text(
        '"""It clashes.\n\nWhy: a test.\nWhen it fails: rename.\n"""\n'
        "from golive.environment.params import CheckParams, Strict\n\n"
        "class Scenario(Strict):\n    other: int\n\n"
        "class Params(CheckParams):\n    scenario: Scenario\n\ndef test_it(criterion): ...\n"
    )
    with pytest.raises(ValueError, match="two records are called Scenario; rename one"):
        json_schema(Catalogue(catalogue.root))


def test_defaults_are_those_that_are_read() -> None:
    assert LoadSection.model_json_schema()["properties"]["runner_cpu"]["default"] == 90
