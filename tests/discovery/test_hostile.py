"""Whatever a host calls its things, what is written is valid, means what it says, and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.options import CATALOGUE, PROJECT
from golive.discovery.writing.keeping import Place, loaded
from golive.environment.references import referenced
from golive.environment.sections import EnvironmentSection
from golive.environment.written import written_credentials
from tests.discovery import made

HOSTILE = [
    'it\'s "quoted"',
    "two\nlines",
    "two\r\nlines\n- id: shop.evil.one",
    "key: value",
    "a # comment",
    "#all of it",
    "- item",
    "? odd",
    "&anchor *alias !tag |",
    "{flow: [x]}",
    "%YAML",
    "---",
    "...",
    "@at `tick`",
    "~",
    "null",
    "true",
    "1e3",
    "0x10",
    "12:30:45",
    "2026-05-01",
    "",
    " ",
    "\ttab",
    "\x1b[31mred\x1b[0m",
    "\x00nul",
    "bell\x07",
    "next\x85line",
    "separator\u2028here",
    "\u202eright to left",
    "zero\u200bwidth",
    "\ufeffbom",
    "lone\udc80half",
    "\U0001f525",
    "Größe",
    "${cmd:touch /tmp/pwned}",
    "${env:HOME}",
    "$${file:/etc/shadow}",
    "{item}",
    "{username}",
    "a::b",
    "x[1]",
    "../../etc/passwd",
    "-rf",
    "a" * 5000,
    "AKIAIOSFODNN7EXAMPLE",
    "postgres://admin:hunter2secret@db/shop",
    "--password=hunter2secret1",
    "password: hunter2secret1",
]


def inert(name: str, folder: Path) -> None:
    """Everything that is to be known of a proposal in which the host calls its things `name`."""
    texts = made.texts(made.everything(name))
    for text in texts:
        assert all(line.isprintable() for line in text.split("\n"))
        assert written_credentials("proposal", text) == []
        assert "hunter2" not in text
        assert "${cmd:" not in text
        assert "${file:" not in text
    environment, criteria = (yaml.safe_load(text) for text in texts)
    assert environment.keys() <= EnvironmentSection.model_fields.keys()
    assert list(referenced(environment)) + list(referenced(criteria)) == []
    assert all(set(entry) >= {"id", "says", "check", "severity", "when"} for entry in criteria)
    found = made.environment(made.everything(name), folder)
    assert all(criterion.id.startswith("shop.") for criterion in found.criteria)
    assert not any(criterion.area == "evil" for criterion in found.criteria)
    assert len(found.criteria) > 5


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name)[:30])
def test_hostile_names_are_written_inertly_or_left_out(name: str, tmp_path: Path) -> None:
    inert(name, tmp_path)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_name_is_written_inertly_or_left_out(name: str) -> None:
    inert(name, Path("/nonexistent"))


def test_what_stands_behind_a_number_sign_is_valid_once_it_is_put_in_force(tmp_path: Path) -> None:
    """A user takes the `#` away in an editor: everything must then be YAML, with the keys it should have."""
    environment, criteria = made.texts(made.everything())
    environment = environment.partition("# Found, or looked for")[0]
    freed = [_freed(text) for text in (environment, criteria)]
    data = yaml.safe_load(freed[0])
    assert {"deployment", "databases", "caches"} <= data.keys()
    assert data["databases"]["postgres"]["password"] == "${env:SHOP_POSTGRES_PASSWORD}"
    assert yaml.safe_load(freed[1]) != yaml.safe_load(criteria)


def _freed(text: str) -> str:
    """The text with every commented line that is YAML in force; sentences stay comments."""
    lines = []
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        body = bare.removeprefix("# ")
        is_yaml = bare.startswith("# ") and (
            body.lstrip(" -").partition(":")[0].replace("_", "").replace("-", "").isalnum()
            and ":" in body
            and not body[0].isupper()
        )
        lines.append(line[: len(line) - len(bare)] + body if is_yaml else line)
    return "\n".join(lines)


def test_a_reference_to_a_command_is_never_run(tmp_path: Path) -> None:
    planted = tmp_path / "pwned"
    of = made.everything(f"${{cmd:touch {planted}}}")
    place = Place(environment=tmp_path / "shop.yaml")

    def run(command: str) -> str:
        raise AssertionError(f"{command} was about to be run")

    loaded(place, *made.texts(of), catalogue=CATALOGUE, project=PROJECT, providers={"cmd": run})
    assert not planted.exists()
    told = {left.why for left in made.proposal(of).left_out}
    assert "reads as a reference, so it is not written" in told
