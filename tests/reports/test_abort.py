"""Runs that are broken off: what was judged is kept, and everything says that it is not the whole."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from golive.model import Outcome
from reports.plugin import mark_aborted
from tests.reports.conftest import Tell, Told, prepare
from tests.reports.emulation import info
from tests.reports.samples import one_of_each, outcome

pytest_plugins = ["pytester"]


def waiting() -> list[dict[str, Any]]:
    """Seven criteria that are judged at once, one that hangs, and two after it."""
    first = [one.as_data() for one in one_of_each()]
    return [*first, {**outcome("warungin.z.hangs").as_data(), "act": "wait"}, outcome("warungin.z.never").as_data()]


@contextmanager
def session(pytester: pytest.Pytester, *args: str) -> Iterator[subprocess.Popen[str]]:
    """A session in a process of its own that has come to the criterion that hangs."""
    prepare(pytester, waiting())
    command = [sys.executable, "-m", "pytest", "--told=told.json", "-p", "no:hypothesispytest", *args]
    process = subprocess.Popen(command, cwd=pytester.path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while not (pytester.path / "waiting").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def check_whole(told: Told, reason: str) -> None:
    """Every output is there, opens, and says that the run was broken off."""
    assert reason in told.results["aborted"]
    assert reason in told.page
    assert told.page.rstrip().endswith("</html>")
    assert all(case.get("name") for case in told.suite.findall("testcase"))
    latest = told.directory.with_name("latest")
    assert latest.is_symlink()
    assert latest.resolve() == told.directory


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGINT, "interrupted (Ctrl-C)"), (signal.SIGTERM, "SIGTERM was received")]
)
@pytest.mark.parametrize("args", [(), ("-n", "2")])
def test_a_signal_leaves_the_results_so_far(
    pytester: pytest.Pytester, number: signal.Signals, reason: str, args: tuple[str, ...]
) -> None:
    with session(pytester, *args) as process:
        if args:
            time.sleep(0.5)  # the other worker finishes its share
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    told = Told(
        pytest.RunResult(pytest.ExitCode(process.returncode), out.splitlines(), [], 0.0), info(pytester.path).directory
    )
    assert process.returncode == pytest.ExitCode.INTERRUPTED, out
    check_whole(told, reason)
    judged = {o["criterion"] for o in told.results["outcomes"]}
    assert "warungin.z.hangs" not in judged
    assert len(judged) >= 5
    assert told.results["selected"] == 9
    assert f"Aborted: {reason}" in out
    assert "FAIL critical warungin.security.store-authorization" in out


def test_a_second_ctrl_c_does_not_cost_the_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        slow="""
        import pytest, time
        def pytest_sessionfinish():
            open("finishing", "w").close()
            time.sleep(1.5)
        """
    )
    pytester.syspathinsert()
    with session(pytester, "-p", "slow") as process:
        process.send_signal(signal.SIGINT)
        while not (pytester.path / "finishing").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert "the run ends and its reports are being written; once more to give them up" in out
    check_whole(Told(pytest.RunResult(2, out.splitlines(), [], 0.0), info(pytester.path).directory), "interrupted")


def test_a_third_ctrl_c_gives_up_what_is_not_written_in_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        slow="""
        import pytest, time
        def pytest_sessionfinish():
            open("finishing", "w").close()
            time.sleep(60)
        """
    )
    pytester.syspathinsert()
    with session(pytester, "-p", "slow") as process:
        process.send_signal(signal.SIGINT)
        while not (pytester.path / "finishing").exists():
            time.sleep(0.02)
        for _ in range(2):
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "Exit: SIGINT: what was not written yet is given up" in out
    assert "Traceback" not in out
    assert (info(pytester.path).directory / "results.json").exists()


def test_the_results_are_on_disk_before_anything_else_can_go_wrong(pytester: pytest.Pytester, tell: Tell) -> None:
    pytester.makepyfile(hostile="def pytest_sessionfinish(): raise OSError(28, 'No space left on device')")
    pytester.syspathinsert()
    told = tell(one_of_each(), "-p", "hostile")
    assert len(told.results["outcomes"]) == 7
    assert told.result.ret == pytest.ExitCode.INTERNAL_ERROR
    told.result.stdout.fnmatch_lines(["the report could not be written: *No space left on device", "FAIL critical *"])


@pytest.mark.parametrize("distribution", ["load", "loadgroup"])
def test_a_worker_that_dies_leaves_an_unknown_and_an_aborted_run(tell: Tell, distribution: str) -> None:
    dying: dict[str, Any] = {**outcome("warungin.a.dies[x]").as_data(), "act": "die"}
    told = tell([*one_of_each(), dying], "-n", "2", f"--dist={distribution}", subprocess=True)
    assert told.result.ret == pytest.ExitCode.TESTS_FAILED
    check_whole(told, "a worker process died while it judged warungin.a.dies[x]")
    lost = next(o for o in told.results["outcomes"] if o["criterion"] == "warungin.a.dies[x]")
    assert (lost["outcome"], lost["severity"]) == ("unknown", "critical")
    assert len(told.results["outcomes"]) == 8
    assert told.suite.get("errors") == "2"
    told.result.stdout.fnmatch_lines(["Aborted: a worker process died while it judged warungin.a.dies*"])


@pytest.mark.parametrize(("args", "reason"), [(("-x",), "stopping after 1 failures"), ((), "enough was seen")])
def test_a_run_that_stops_early_says_why(tell: Tell, args: tuple[str, ...], reason: str) -> None:
    outcomes: list[Outcome | dict[str, Any]] = [*one_of_each()]
    if not args:
        outcomes.insert(6, {**outcome("warungin.a.exit").as_data(), "act": "exit"})
    told = tell(outcomes, *args)
    check_whole(told, reason)
    assert told.result.ret != 0


def test_stopping_at_the_last_criterion_is_not_early(tell: Tell) -> None:
    assert tell([outcome("warungin.a.a", "fail")], "-x").results["aborted"] is None


def test_collection_errors_abort_the_run(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_broken="import no_such_module")
    told = tell(one_of_each())
    assert told.result.ret == pytest.ExitCode.INTERRUPTED
    assert "1 error during collection" in told.results["aborted"]
    assert "no_such_module" in told.page


def test_the_former_handler_of_sigterm_is_put_back(tell: Tell) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    tell(one_of_each())
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_an_internal_error_still_leaves_everything(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        buggy="""
        def pytest_runtest_logstart(nodeid):
            if "memory" in nodeid:
                raise RuntimeError("a bug elsewhere")
        """
    )
    pytester.syspathinsert()
    told = tell(one_of_each(), "-p", "buggy")
    assert told.result.ret == pytest.ExitCode.INTERNAL_ERROR
    check_whole(told, "internal error: RuntimeError: a bug elsewhere")
    told.result.stdout.fnmatch_lines(["Aborted: internal error: RuntimeError: a bug elsewhere", "Report: *"])


def test_marking_as_aborted_is_harmless_without_a_report(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    mark_aborted(pytestconfig, "nobody listens")
    assert list(tmp_path.iterdir()) == []
