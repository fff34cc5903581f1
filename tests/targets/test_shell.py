"""Running local programs: time-outs, limits, hostile output."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from golive.targets.shell import (
    CommandResult,
    TookTooLong,
    WroteTooMuch,
    give_up_programs,
    one_line,
    plain,
    run_program,
)


def run(script: str, **more: object) -> CommandResult:
    return run_program(["/bin/sh", "-c", script], **{"timeout_s": 5.0, "max_bytes": 10_000, **more})  # type: ignore[arg-type]


def test_output_error_and_exit_code_come_back() -> None:
    result = run("echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_bytes_that_are_no_utf8_do_not_raise() -> None:
    assert run(r"printf '\377\376'").stdout == "��"


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        run(f"(sleep 2; touch {tmp_path}/alive) & sleep 60", timeout_s=0.2)
    assert time.monotonic() - began < 2
    time.sleep(2.2)
    assert not (tmp_path / "alive").exists()


def test_a_program_that_closes_its_output_and_hangs_is_killed() -> None:
    with pytest.raises(TookTooLong):
        run("exec >&- 2>&-; sleep 60", timeout_s=0.2)


def test_endless_output_is_cut_off() -> None:
    with pytest.raises(WroteTooMuch):
        run("yes", max_bytes=100_000)


def test_large_input_and_output_do_not_wait_for_each_other() -> None:
    data = b"x" * 3_000_000
    assert run("cat", stdin=data, max_bytes=10_000_000).stdout_bytes == data


def test_input_that_nobody_reads_is_no_error() -> None:
    assert run("exec <&-; echo done", stdin=b"x" * 3_000_000).stdout == "done\n"


def test_one_line_is_the_last_that_says_something() -> None:
    assert one_line("Warning: added\n\x1b[31mPermission denied\x1b[0m\n\n") == "Permission denied"
    assert one_line("") == ""
    assert len(one_line("x" * 500)) == 200


def test_plain_text_holds_no_controls() -> None:
    assert plain("a\x1b[2Jb\nc\x07") == "a b c"


def test_programs_that_are_given_up_end_in_every_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_program, ["sleep", "60"], timeout_s=60, max_bytes=10)
        time.sleep(0.3)
        began = time.monotonic()
        try:
            give_up_programs()
            assert running.result(10).exit_code == -signal.SIGKILL
            assert run_program(["sleep", "60"], timeout_s=60, max_bytes=10).exit_code == -signal.SIGKILL
        finally:
            give_up_programs(False)
    assert time.monotonic() - began < 10
    assert run_program(["true"], timeout_s=10, max_bytes=10).exit_code == 0
