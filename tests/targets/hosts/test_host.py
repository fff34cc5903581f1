"""Commands on a host, its one visit, and the questions that travel with it; here on this machine."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from tests.shims import local_host, shim

LONG_S = 100_000 + os.getpid()
"""How long commands sleep that must be ended; nobody else sleeps for just so long."""


@dataclass(frozen=True)
class Echo(Question[bytes]):
    """Asks for the bytes that `printf` makes of a text."""

    text: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        return "\n".join(f"printf '{one.text}{frame}'" for one in asked)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, bytes | CouldNotLook]:
        return dict(zip(asked, said.split(frame.encode()), strict=False))


class Hangs(Echo):
    limit_s = 0.3

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        return f"(sleep {LONG_S} | cat) | sleep {LONG_S}; {super().snippet(asked, frame)}"


class Fails(Echo):
    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        return f"{super().snippet(asked, frame)}; exit 3"


class Garbled(Echo):
    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        return "if then )"


class Raises(Echo):
    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, bytes | CouldNotLook]:
        raise KeyError("x\x1b[2J")


class Forgets(Echo):
    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, bytes | CouldNotLook]:
        return {asked[0]: CouldNotLook("x is not there")}


class Pours(Echo):
    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        return f"head -c 3000000 /dev/zero; {super().snippet(asked, frame)}"


def test_a_command_runs_and_its_exit_code_is_a_result() -> None:
    result = local_host().run("echo out; echo err >&2; exit 7")
    assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_bytes_come_back_as_they_are() -> None:
    assert local_host().run(r"printf 'a\000\377\n'").stdout_bytes == b"a\x00\xff\n"


def test_folders_of_path_come_first(tmp_path: Path) -> None:
    shim(tmp_path / "b in", "df", "echo shim")
    assert local_host(tmp_path / "b in").run("df").stdout == "shim\n"


def test_a_command_that_takes_too_long_is_ended_and_told() -> None:
    began = time.monotonic()
    with pytest.raises(CouldNotLook, match=r"^host app: a command did not finish within 0\.3 s$"):
        local_host().run("sleep 60", timeout_s=0.3)
    assert time.monotonic() - began < 2


def test_endless_output_is_told() -> None:
    with pytest.raises(CouldNotLook, match="more than 1 MB of output"):
        local_host().run("yes", max_bytes=1_000_000)


def test_an_exit_code_of_timeout_alone_is_a_result() -> None:
    assert local_host().run("exit 124").exit_code == 124


def test_environment_is_in_no_argument_list() -> None:
    secret = "p w'\"$`x"
    result = local_host().run('printf %s "$PGPASSWORD"; ps -ww -eo args >&2', env={"PGPASSWORD": secret})
    assert result.stdout == secret
    assert "ps -ww" in result.stderr
    assert secret not in result.stderr and "p w'" not in result.stderr


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no name of an environment variable"):
        local_host().run("true", env={"A; rm -rf /": "x"})


def test_the_probe_runs_once_and_within_its_time() -> None:
    host = local_host(window="300 ms")
    host.begin()
    began = time.monotonic()
    facts = host.facts
    assert time.monotonic() - began < 3
    assert host.facts is facts
    assert facts.problems.keys() <= {"failed_units", "own_cpu"}
    assert facts.memory is not None and facts.memory.total_bytes > 0
    assert facts.clock is not None and abs(facts.clock.offset_s) <= facts.clock.uncertainty_s + 0.05
    assert os.getpid() in facts.processes and os.getpid() in facts.own_pids
    started = facts.processes[os.getpid()].started_at
    assert started is not None and 0 <= time.time() - started.timestamp() < 36_000
    assert {"/"} <= {f.mount for f in facts.file_systems or ()}


def test_own_processes_are_not_counted_against_the_host() -> None:
    host = local_host(window="500 ms")
    began = time.process_time()
    host.begin()
    while time.process_time() - began < 0.4:
        sum(range(1000))
    facts = host.facts
    own = facts.own_cpu_percent
    assert own is not None and facts.cpu_percent is not None
    # This process alone used 0.4 s; how much of the machine that is, depends on who else uses it.
    assert facts.processes[os.getpid()].used_s > 0
    assert own > 1


def test_a_part_that_hangs_is_given_up_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golive.targets.hosts.probe._MAY_HANG", "part df limit 0.3 df -P -B1\n")
    shim(tmp_path / "bin", "df", "sleep 60")
    facts = local_host(tmp_path / "bin").facts
    assert facts.file_systems is None and facts.load is not None
    with pytest.raises(CouldNotLook, match="host app: file systems could not be read"):
        facts.need(facts.file_systems, "file_systems")


def test_questions_travel_with_the_probe_and_their_answers_are_bytes() -> None:
    host = local_host(window="50 ms")
    host.ask(Echo(r"a\000\377\n"), Echo("b"), Pours("c"))
    host.ask(Echo("b"))
    host.begin()
    assert host.answer(Echo("b")) == b"b"
    assert host.answer(Echo(r"a\000\377\n")) == b"a\0\xff\n"
    assert host.answer(Pours("c")) == b"\0" * 3_000_000 + b"c"
    assert host.facts.memory is not None
    assert host.cost.commands == 1


def test_a_question_that_nobody_announced_costs_one_command() -> None:
    host = local_host(window="50 ms")
    assert [host.answer(Echo("a")), host.answer(Echo("a"))] == [b"a", b"a"]
    assert host.cost.commands == 1
    host.begin()
    assert host.facts.memory is not None
    host.ask(Echo("b"))
    assert (host.answer(Echo("b")), host.cost.commands) == (b"b", 3)


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Hangs("x"), "hangs: no answer within the time that it is given"),
        (Fails("x"), "fails: looking ended with exit code 3"),
        (Garbled("x"), "garbled: looking ended with exit code 2"),
        (Raises("x"), "raises: the answer could not be understood (KeyError: 'x\\x1b[2J')"),
        (Forgets("y"), "x is not there"),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_question_without_an_answer_says_why(question: Echo, why: str, *, announced: bool) -> None:
    host = local_host(window="50 ms")
    host.ask(*([question] if announced else []), Echo("ok"))
    with pytest.raises(CouldNotLook) as told:
        host.answer(question)
    assert str(told.value) == f"host app: {why}"
    assert host.answer(Echo("ok")) == b"ok"


def test_a_question_that_is_forgotten_is_could_not_look() -> None:
    host = local_host(window="50 ms")
    host.ask(Forgets("a"), Forgets("b"))
    with pytest.raises(CouldNotLook, match="host app: forgets: the answer does not hold this one"):
        host.answer(Forgets("b"))


def test_what_hangs_leaves_nothing_behind_and_delays_nobody() -> None:
    host = local_host(window="50 ms")
    host.ask(Hangs("a"), Pours("c"))
    began = time.monotonic()
    assert host.answer(Pours("c"))
    assert time.monotonic() - began < 12
    assert sleeping() == []


def slow(_kind: type[Echo], asked: Sequence[Echo], frame: str) -> str:
    return f"sleep 0.8; {Echo.snippet(asked, frame)}"


def sleeping() -> list[str]:
    """Processes that sleep for so long; those that are just being ended are given a moment."""
    found = [""]
    for _ in range(50):
        said = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
        found = [line for line in said.splitlines() if line == f"sleep {LONG_S}"]
        if not found:
            break
        time.sleep(0.1)
    return found


def test_slow_parts_run_beside_each_other() -> None:
    kinds = [type(f"Slow{n}", (Echo,), {"snippet": classmethod(slow)}) for n in range(4)]
    host = local_host(window="800 ms")
    host.ask(*(kind("x") for kind in kinds))
    began = time.monotonic()
    assert [host.answer(kind("x")) for kind in kinds] == [b"x"] * 4
    assert time.monotonic() - began < 2.4  # one after the other they take 3.2 s and the window beside it


def test_without_rates_there_is_one_reading_and_a_reason() -> None:
    host = local_host(window="30 s")
    host.begin(with_rates=False)
    facts = host.facts
    assert facts.memory is not None and facts.interfaces is not None and os.getpid() in facts.processes
    assert {interface.grew for interface in facts.interfaces} == {None}
    assert facts.processes[os.getpid()].cpu_percent is None
    with pytest.raises(CouldNotLook, match=r"^host app: cpu percent was not read, since no criterion"):
        facts.need(facts.cpu_percent, "cpu_percent")
