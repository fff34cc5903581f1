"""The documentation names everything there is, and what it shows is true: links, YAML, examples."""

from __future__ import annotations

import argparse
import ast
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import pytest
import yaml
from pydantic import BaseModel

from commands.main import COMMANDS
from commands.main import main as golive
from fixtures import options
from fixtures.options import CATALOGUE, PROJECT
from golive.environment.catalogue import parse_runbook
from golive.environment.criteria import ANSWERS, COMMON_KEYS
from golive.environment.kinds import PACKAGES, config_of, kinds_of
from golive.environment.loads import LoadSection
from golive.environment.params import CheckParams, seconds
from golive.environment.references import standard_providers
from golive.environment.sections import (
    AttestAnswer,
    AvailabilitySection,
    EnvironmentSection,
    SignOffSection,
    WatchSection,
)
from golive.judge.load.result import result_of
from golive.model import Outcome, RunRecord, Severity, Status, When
from reports.load.summary import load_data
from reports.results import results

PAGES = (
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    PROJECT / "CHANGELOG.md",
    *sorted((PROJECT / "docs").glob("*.md")),
)
GENERATED = ("checks.md", "criteria.md")
"""Pages that `golive docs` writes; naming something there does not explain it."""
WRITTEN = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.name not in GENERATED)
GUIDE = (PROJECT / "docs" / "guide.md").read_text(encoding="utf-8")
LOAD = (PROJECT / "docs" / "load.md").read_text(encoding="utf-8")
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
_FENCED = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(\s*(?P<target>[^)\s]+)\s*\)")
_REMOTE = re.compile(r"[a-z]+://|mailto:")


def parsers(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """A command line and all its subcommands, by what is typed."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from parsers(inner, f"{name} {word}")


def golive_parsers(monkeypatch: pytest.MonkeyPatch) -> dict[str, argparse.ArgumentParser]:
    """Every subcommand of `golive`, as the command itself sets them up."""
    seen: list[argparse.ArgumentParser] = []

    def stop(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        seen.append(parser)
        raise SystemExit(0)

    with monkeypatch.context() as patched:
        patched.setattr(argparse.ArgumentParser, "parse_args", stop)
        with pytest.raises(SystemExit):
            golive([])
    return dict(parsers(seen[0], "golive"))


def pytest_options() -> list[str]:
    """The options that this project adds to pytest."""
    parser = pytest.Parser(_ispytest=True)
    options.add_options(parser)
    return [name for option in parser.getgroup("golive").options for name in option.names()]


def models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A section and every section inside it."""
    found = {model}
    for info in model.model_fields.values():
        found |= {inner for one in _models_in(info.annotation) for inner in models(one)}
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def environment_keys() -> list[tuple[str, str]]:
    """(section, key) of everything that an environment's YAML may hold."""
    tops: list[type[BaseModel]] = [EnvironmentSection, AttestAnswer]
    tops += [config_of(section, kind) for section in PACKAGES for kind in kinds_of(section)]
    wanted = {inner for top in tops for inner in models(top)}
    return sorted({(m.__name__, info.alias or name) for m in wanted for name, info in m.model_fields.items()})


def blocks(kind: str) -> list[Any]:
    """The fenced blocks of one kind on all pages, each named by page and line."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in _FENCED.finditer(text):
            if block["kind"] == kind:
                line = text.count("\n", 0, block.start()) + 1
                found.append(pytest.param(page, block["text"], id=f"{page.name}:{line}"))
    return found


def texts(page: str, kind: str) -> list[str]:
    """The fenced blocks of one kind on one page."""
    text = next(p for p in PAGES if p.name == page).read_text(encoding="utf-8")
    return [block["text"] for block in _FENCED.finditer(text) if block["kind"] == kind]


def headings(page: Path) -> set[str]:
    """What `page#…` may lead to, as GitHub names it."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def shown_commands(program: str) -> Iterator[list[str]]:
    """The words behind `program` wherever a page has it in backticks or at the head of a line in a block."""
    fenced = [block["text"].replace("\\\n", " ") for block in _FENCED.finditer(WRITTEN) if not block["kind"]]
    lines = [line for text in fenced for line in text.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", _FENCED.sub("", WRITTEN))
    for line in lines:
        command = re.match(rf"(?:\w+=\S+ )?{program} (?P<rest>.*)", line)
        if command:
            bare = re.sub(r'"[^"]*"|\[|\]', "", command["rest"].partition(" #")[0].partition(">")[0].replace("\\|", ""))
            yield bare.split()


def quoted(word: str) -> bool:
    """Whether a page has `word` in backticks or in a block, as a word of its own."""
    code = "\n".join([*re.findall(r"`([^`\n]+)`", WRITTEN), *(block["text"] for block in _FENCED.finditer(WRITTEN))])
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", code) is not None


def test_every_command_and_option_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    found = golive_parsers(monkeypatch)
    assert {f"golive {name.rpartition('.')[2]}" for name in COMMANDS} <= found.keys()
    missing = [name for name in found if name != "golive" and not quoted(name)]
    for name, parser in found.items():
        for action in parser._actions:
            wanted = [option for option in action.option_strings if option.startswith("--")]
            missing += [f"{name} {option}" for option in wanted if not quoted(option)]
            choices = action.choices if action.option_strings and action.choices else ()
            missing += [f"{name}: {choice}" for choice in choices if not quoted(str(choice))]
    assert missing == []


def test_commands_that_are_shown_exist_with_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `golive …` of the pages is read by the parser of that command, up to what only stands for something."""
    found = golive_parsers(monkeypatch)
    wrong = []
    for words in shown_commands("golive"):
        name = "golive"
        while words and f"{name} {words[0]}" in found:
            name = f"{name} {words.pop(0)}"
        known = {option for action in found[name]._actions for option in action.option_strings}
        wrong += [f"{name} {word}" for word in words if word.startswith("-") and word.partition("=")[0] not in known]
        groups = [a for a in found[name]._actions if isinstance(a, argparse._SubParsersAction)]
        if words and re.fullmatch(r"[a-z]+", words[0]) and groups:
            wrong.append(f"{name} {words[0]}")
    assert wrong == []


def test_options_of_pytest_that_are_shown_exist() -> None:
    known = {*pytest_options(), "--collect-only", "--junitxml", "--html", "--markers", "-m", "-k", "-n", "-x"}
    used = {word.partition("=")[0] for words in shown_commands("pytest") for word in words if word.startswith("-")}
    assert used - known == set()


def test_every_pytest_option_is_documented() -> None:
    names = pytest_options()
    assert "--env" in names
    assert [name for name in names if f"`{name}=" not in GUIDE] == []


def test_options_with_values_are_written_with_an_equals_sign() -> None:
    names = "env|output|history|answer|checkpoint|watch|role|key|name|by|since|older-than|reason|expires|time-scale"
    assert re.findall(rf"--(?:{names}) +[\w\"/~]+", WRITTEN) == []


def test_every_key_of_an_environment_is_documented() -> None:
    missing = [f"{section}: {key}" for section, key in environment_keys() if f"`{key}`" not in GUIDE + LOAD]
    assert missing == []


def test_every_key_of_a_criterion_is_documented() -> None:
    assert [key for key in COMMON_KEYS if f"| `{key}` |" not in GUIDE] == []
    assert [key for key in ANSWERS if not quoted(f"{key}:")] == []


def test_every_kind_of_section_is_documented() -> None:
    assert [kind for section in PACKAGES for kind in kinds_of(section) if f"`{kind}`" not in GUIDE] == []


def test_every_kind_of_reference_is_documented() -> None:
    kinds = [*standard_providers(PROJECT, {}), "demo"]
    assert [kind for kind in kinds if f"`${{{kind}:" not in GUIDE] == []


def test_every_outcome_and_marker_is_documented() -> None:
    words = [*Status, *When, *Severity, "criterion"]
    assert [str(word) for word in words if f"`{word}`" not in GUIDE] == []


def test_every_field_of_the_results_is_documented() -> None:
    assert [name for name in Outcome.__slots__ if name != "status" and f"`{name}`" not in GUIDE] == []


def test_every_field_of_a_run_in_the_results_is_documented() -> None:
    run = RunRecord(run="r", environment="e", system="s", started_at=datetime.now(UTC))
    assert [name for name in results(run) if f"`{name}`" not in GUIDE] == []


def test_defaults_of_the_watch_are_the_real_ones() -> None:
    watch, availability = WatchSection.model_validate({}), AvailabilitySection.model_fields
    shown = yaml.safe_load(next(text for text in texts("guide.md", "yaml") if text.startswith("watch:")))["watch"]
    assert tuple(shown["schedule"]) == watch.schedule
    told = {
        "tolerance": "15 min",
        "every": "5 s",
        "timeout": "3 s",
        "begin_within": "5 min",
        "unknown_at_most": "8640 ms",
    }
    defaults = {"tolerance": watch.tolerance, **{name: field.default for name, field in availability.items()}}
    for name, text in told.items():
        assert f"| `{name}` | {text} |" in GUIDE
        assert seconds(text) == defaults[name]
    assert f"| `at_least` | {availability['at_least'].default:g} |" in GUIDE
    assert f"| `flapping` | `{watch.flapping}` |" in GUIDE
    assert SignOffSection.model_fields["quorum"].default is None


def test_checks_that_look_back_are_told_of() -> None:
    """Those over a whole watch are explained where the watch is."""
    about = {"answered", "documented", "measured", "passed", "recent"}
    names = {check for check in CATALOGUE.ids if check.startswith("history/")} - {f"history/{name}" for name in about}
    assert [name for name in sorted(names) if f"| `{name}` |" not in OPERATIONS] == []


def test_loads_that_are_shown_are_valid() -> None:
    shown = [yaml.safe_load(text) for text in texts("load.md", "yaml")]
    loads = [LoadSection.model_validate(data["load"]) for data in shown if isinstance(data, dict) and "load" in data]
    assert {profile.model for load in loads for profile in load.profiles.values()} == {"closed", "open"}


def test_criteria_of_loads_that_are_shown_have_parameters_that_there_are() -> None:
    for text in texts("load.md", "yaml"):
        data = yaml.safe_load(text)
        for entry in data if isinstance(data, list) else ():
            own = {key: value for key, value in entry.items() if key not in {*COMMON_KEYS, "check", "within"}}
            assert CATALOGUE.params(entry["check"]).model_validate(own), entry["id"]


def test_checks_of_loads_are_told_of() -> None:
    names = [check for check in CATALOGUE.ids if check.startswith("load/")]
    assert names
    assert [name for name in names if f"| `{name}` |" not in LOAD] == []


def test_the_numbers_of_a_load_in_the_results_are_documented() -> None:
    lines = [{"kind": "began", "at": 0}, {"kind": "ended", "at": 9, "reason": "done"}]
    told = load_data({"x": result_of(profile="x", model="closed", planned=(), lines=lines)})["x"]
    assert [name for name in (*told, *told["total"]) if f"`{name}`" not in LOAD] == []


def test_the_criteria_that_are_answered_are_counted_right() -> None:
    page = (PROJECT / "docs" / "criteria.md").read_text(encoding="utf-8")
    counted = re.search(r"^## warungin: (?P<answered>\d+) of (?P<all>\d+) answered$", page, re.MULTILINE)
    assert counted
    told = f"Of Warungin's {counted['all']} criteria {counted['answered']} are answered"
    assert told in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_every_target_of_make_is_documented() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert declared
    assert [target for target in declared[1].split() if f"`make {target}`" not in WRITTEN] == []


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_yaml_is_valid_and_its_keys_are_known(page: Path, text: str) -> None:
    data = yaml.safe_load(text)
    assert data, f"an empty block in {page.name}"
    if page.name == "ci.md":
        return  # pipelines, not environments
    if isinstance(data, list):
        assert [entry for entry in data if not {"id", "says", "severity"} <= entry.keys()] == []
    else:
        assert data.keys() <= EnvironmentSection.model_fields.keys()


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_is_valid(page: Path, text: str) -> None:
    tree = ast.parse(textwrap.dedent(text), page.name)
    docstring = ast.get_docstring(tree)
    if "class Params(" in text and docstring:
        assert parse_runbook(docstring, page.name).claim
        names: dict[str, Any] = {"__name__": "example"}
        exec(compile(tree, page.name, "exec"), names)  # noqa: S102 - our own page
        assert issubclass(names["Params"], CheckParams)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for target in (unquote(found["target"]) for found in _LINK.finditer(text)):
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        if _REMOTE.match(target):
            continue
        if not file.exists() or (heading and heading not in headings(file)):
            broken.append(target)
    assert broken == []


def test_checks_that_are_named_exist() -> None:
    areas = {check.partition("/")[0] for check in CATALOGUE.ids}
    named = set(re.findall(rf"(?:golive checks |check: |`)((?:{'|'.join(areas)})/\w+)(?![\w./])", WRITTEN))
    assert named - {*CATALOGUE.ids, "cache/clients"} == set(), "cache/clients is the example that readers write"


def test_the_example_is_valid_also_with_what_it_only_suggests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (PROJECT / "environments" / "prod.example.yaml").read_text(encoding="utf-8")
    suggested = "".join(re.findall(r"^# (?:- id:|  ).*\n", text, re.MULTILINE)).replace("# ", "", 1)
    (tmp_path / "suggested.yaml").write_text(suggested.replace("\n# ", "\n"), encoding="utf-8")
    criteria = f"criteria: [{PROJECT}/environments/criteria/warungin/*.yaml, suggested.yaml]"
    (tmp_path / "prod.yaml").write_text(re.sub(r"^criteria: .*$", criteria, text, flags=re.MULTILINE), encoding="utf-8")
    assert golive(["validate", f"--env={tmp_path / 'prod.yaml'}", "--offline"]) == 0, capsys.readouterr()
    number = suggested.count("- id:")
    assert number >= 6
    assert f"valid, {133 + number} criteria" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["report.png", "golive-report.png", "load-report.png"])
def test_pictures_of_the_reports_are_small(name: str) -> None:
    assert (PROJECT / "docs" / name).stat().st_size < 300_000
