"""The `golive` command as a user types it: what it says, and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commands import docs, schema
from commands import main as front_desk
from fixtures.options import CATALOGUE
from tests.sessions import BIN, ROOT, Shop, run, surroundings

ITEMS = """
    - {id: shop.files.there, says: Files are there, check: hosts/file, severity: high, path: "/etc/{item}",
       for_each: [passwd, hosts]}
    - {id: shop.people.owner, says: The owner agrees, severity: low, attest: {role: Owner}}
    - {id: shop.people.till, says: "No till\\nis open", severity: low, not_applicable: there is no till}
    - {id: shop.people.later, says: Somebody will look, severity: low}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path, {"GOLIVE_DEMO_DIR": str(tmp_path / "demo")})
    made.write(ITEMS)
    return made


def golive(*args: str, **variables: str) -> tuple[int, str]:
    done = run([str(BIN / "golive"), *args], variables)
    return done.returncode, done.stdout


# validate


def test_a_valid_environment_is_told_with_its_answers(shop: Shop) -> None:
    code, out = golive("validate", f"--env={shop.file}")
    assert code == 0
    assert out == f"{shop.file}: valid, 4 criteria (1 attest, 1 check, 1 not_applicable, 1 unanswered)\n"


def test_every_problem_is_one_line(shop: Shop) -> None:
    shop.write(ITEMS + "    - {id: shop.a.b, says: It holds, severity: high, check: hosts/fil}\n", contcts=[], probe=5)
    code, out = golive("validate", f"--env={shop.file}")
    assert code == 4
    lines = out.splitlines()
    assert len(lines) == 3
    assert any("criterion shop.a.b: unknown check 'hosts/fil'. Did you mean 'hosts/file'?" in line for line in lines)
    assert any("unknown key 'contcts'. Did you mean 'contacts'?" in line for line in lines)
    assert any(
        "'probe': a mapping is expected (latency_samples, max_requests_per_second); got 5" in line for line in lines
    )
    assert all(line.startswith(str(shop.folder)) for line in lines)


def test_offline_leaves_references_alone(shop: Shop) -> None:
    account = {"endpoint": "api", "username": "ann", "password": "${env:NO_SUCH_PASSWORD}"}
    shop.write(ITEMS, endpoints={"api": {"url": "http://127.0.0.1:1"}}, accounts={"ann": account})
    code, out = golive("validate", f"--env={shop.file}")
    assert (code, out.count("\n")) == (4, 1)
    assert out.endswith("${env:NO_SUCH_PASSWORD} is undefined: set that environment variable\n")
    code, out = golive("validate", f"--env={shop.file}", "--offline")
    assert (code, out.count(": valid, ")) == (0, 1)


@pytest.mark.parametrize("command", ["validate", "criteria"])
def test_an_environment_has_to_be_named(command: str) -> None:
    code, out = golive(command)
    assert code == 4
    assert out.startswith("checks need an environment: give --env=NAME (there are: ")
    code, out = golive(command, "--env=dmo")
    assert code == 4
    assert "unknown environment 'dmo'. Did you mean 'demo'?" in out


def test_the_environments_that_come_along_are_valid_offline() -> None:
    for file in sorted((ROOT / "environments").glob("*.yaml")):
        code, out = golive("validate", f"--env={file.stem}", "--offline")
        assert code == 0, out


# criteria


def test_criteria_are_one_line_each_when_piped(shop: Shop) -> None:
    code, out = golive("criteria", f"--env={shop.file}")
    assert code == 0
    assert out.splitlines() == [
        "shop.files.there[passwd]\thigh\tcheck\thosts/file\tFiles are there",
        "shop.files.there[hosts]\thigh\tcheck\thosts/file\tFiles are there",
        "shop.people.owner\tlow\tattest\tthe Owner\tThe owner agrees",
        "shop.people.till\tlow\tnot_applicable\tthere is no till\tNo till is open",
        "shop.people.later\tlow\tunanswered\t\tSomebody will look",
        "4 criteria: 1 check, 1 attest, 1 not_applicable, 1 unanswered",
    ]


def test_criteria_are_chosen_by_their_answer(shop: Shop) -> None:
    _, out = golive("criteria", f"--env={shop.file}", "--answer=unanswered")
    assert out.splitlines() == [
        "shop.people.later\tlow\tunanswered\t\tSomebody will look",
        "1 criteria: 1 unanswered",
    ]


def test_criteria_as_json_are_by_base_id(shop: Shop) -> None:
    code, out = golive("criteria", f"--env={shop.file}", "--json")
    data: list[dict[str, Any]] = json.loads(out)
    assert code == 0
    assert [(c["id"], c["answer"]) for c in data] == [
        ("shop.files.there", "check"),
        ("shop.people.owner", "attest"),
        ("shop.people.till", "not_applicable"),
        ("shop.people.later", "unanswered"),
    ]
    assert [item["id"] for item in data[0]["items"]] == ["shop.files.there[passwd]", "shop.files.there[hosts]"]
    assert data[1]["items"] == []
    assert data[0]["place"].endswith("criteria.yaml:2")


def test_a_terminal_gets_a_table_with_whole_ids(shop: Shop) -> None:
    out = on_terminal("criteria", f"--env={shop.file}")
    assert "shop.files.there[passwd]" in out
    assert "check: hosts/file" in out
    assert "not_applicable: there" in out


def on_terminal(*args: str) -> str:
    leader, follower = pty.openpty()
    env = {**surroundings({}), "COLUMNS": "160", "TERM": "dumb"}
    process = subprocess.Popen([str(BIN / "golive"), *args], stdout=follower, stderr=follower, env=env, cwd=ROOT)
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    process.wait(30)
    os.close(leader)
    return seen.decode()


# checks


def test_every_check_is_listed_with_its_claim() -> None:
    code, out = golive("checks")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(CATALOGUE.ids)
    assert "hosts/memory" in out
    assert "Memory use stays below its limit." in out


def test_one_check_is_told_with_its_parameters() -> None:
    code, out = golive("checks", "hosts/memory")
    assert code == 0
    assert out.startswith("hosts/memory: Memory use stays below its limit.\n\nWhy: without memory to give")
    assert "\nWhen it fails: see the largest processes" in out
    assert [line.split()[0] for line in out.partition("Parameters:\n")[2].splitlines()] == [
        "host", "warning", "critical", "swap",
    ]  # fmt: skip


def test_an_unknown_check_is_told_with_the_nearest() -> None:
    code, out = golive("checks", "hosts/memry")
    assert code == 4
    assert out.startswith("unknown check 'hosts/memry'. Did you mean 'hosts/memory'? Allowed: cache/answers, ")
    assert out.count("\n") == 1


# schema and docs


@pytest.mark.parametrize("command", ["schema", "docs"])
def test_the_committed_files_are_fresh(command: str) -> None:
    assert golive(command, "--check") == (0, "")


def test_a_stale_schema_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "schema.json"
    monkeypatch.setattr(schema, "FILE", file)
    for text in (None, "{}"):
        if text is not None:
            file.write_text(text)
        assert front_desk.main(["schema", "--check"]) == 1
        assert capsys.readouterr().err.endswith("schema.json is stale: run 'golive schema'\n")
    assert file.read_text() == "{}"
    assert front_desk.main(["schema"]) == 0
    assert capsys.readouterr().out.endswith("schema.json: written\n")
    assert front_desk.main(["schema", "--check"]) == 0
    assert front_desk.main(["schema"]) == 0
    assert capsys.readouterr().out.endswith("schema.json: unchanged\n")


def test_a_stale_page_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "CHECKS", tmp_path / "checks.md")
    monkeypatch.setattr(docs, "CRITERIA", tmp_path / "criteria.md")
    assert front_desk.main(["docs", "--check"]) == 1
    assert [line.rpartition("/")[2] for line in capsys.readouterr().err.splitlines()] == [
        "checks.md is stale: run 'golive docs'",
        "criteria.md is stale: run 'golive docs'",
    ]
    assert front_desk.main(["docs"]) == 0
    assert front_desk.main(["docs", "--check"]) == 0
    assert "### hosts/memory\n" in (tmp_path / "checks.md").read_text()


# demo


def test_without_a_demo_its_status_says_so(shop: Shop) -> None:
    code, out = golive("demo", "status", **shop.variables)
    assert (code, out) == (1, "the demo is not up; start it with: golive demo up\n")
    code, out = golive("demo", "down", **shop.variables)
    assert (code, out) == (0, "the demo was not up; nothing is left of it\n")


def test_the_faults_are_listed_without_a_demo(shop: Shop) -> None:
    code, out = golive("demo", "faults", **shop.variables)
    assert code == 0
    assert sum("turns red: warungin." in line for line in out.splitlines()) >= 45
    assert sum("turns nothing red in a run, and voids a watch" in line for line in out.splitlines()) == 2
    assert sum("turns nothing red in a run, and shows as a trend" in line for line in out.splitlines()) == 1
    assert not (shop.folder / "demo").exists()


@pytest.mark.parametrize("action", ["break", "heal"])
def test_a_fault_that_is_unknown_or_has_no_demo_is_one_line(shop: Shop, action: str) -> None:
    code, out = golive("demo", action, "no-such-fault", **shop.variables)
    assert code == 4
    assert out.count("\n") == 1
    assert "Traceback" not in out


# the command itself


def test_an_unknown_command_is_told_with_those_there_are() -> None:
    code, out = golive("valdate")
    assert code == 2
    assert "'valdate'" in out
    assert "validate" in out.splitlines()[-1]


@pytest.mark.parametrize("args", [[], ["demo"], ["criteria", "--answer=nothing"], ["checks", "--no-such"]])
def test_wrong_words_are_answered_with_the_right_ones(args: list[str]) -> None:
    code, out = golive(*args)
    assert code == 2
    assert out.startswith("usage: golive")


def test_help_and_version() -> None:
    code, out = golive("--help")
    assert code == 0
    assert all(f"\n    {name} " in out for name in (n.rpartition(".")[2] for n in front_desk.COMMANDS))
    assert golive("--version")[0] == 0


@pytest.mark.parametrize("args", [("criteria", "--env=demo"), ("criteria", "--env=demo", "--json"), ("checks",)])
def test_a_reader_that_has_seen_enough_is_no_error(args: tuple[str, ...]) -> None:
    line = f"set -o pipefail; {BIN / 'golive'} {' '.join(args)} | head -1"
    done = run(["bash", "-c", line])
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1


def test_output_that_cannot_hold_a_character_does_not_break_the_command(shop: Shop) -> None:
    shop.write('    - {id: shop.a.b, says: "Müsli … \\u202E \\e[2J", severity: high, not_applicable: "none ✓"}\n')
    for args in ((), ("--json",)):
        code, out = golive("criteria", f"--env={shop.file}", *args, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert code == 0, out
        assert "shop.a.b" in out
        assert "\x1b" not in out
