"""What ends a process that took too long never ends another one that was given its number since."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from golive.targets.hosts import command
from golive.targets.hosts.probe import SHELL
from tests.shims import local_host


def test_a_process_is_known_by_its_start_and_not_by_its_number_alone() -> None:
    script = "sleep 30 & p=$!; born $p; b=$birth; reap $p 1; kill -0 $p && echo lives; reap $p $b; wait $p; echo $?"
    assert local_host().run(script).stdout == "lives\n137\n"
    assert local_host().run("born 4194999; echo =$birth").stdout == "=\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a namespace of processes and choose a number there")
def test_a_number_that_was_given_to_another_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(command.text("sleep 1", marker="m", limit_s=3))
    script = f"""
        mkfifo {tmp_path}/input; exec 9<>{tmp_path}/input
        setsid sh -c 'eval "$(cat {text})"' <&9 >/dev/null 2>&1 & main=$!
        sleep 0.5; job=$(cat /proc/$main/task/$main/children); job=${{job%% *}}
        kill -9 $main; sleep 1.5
        [ -e /proc/$job ] && echo "it is still there"
        echo $((job - 1)) >/proc/sys/kernel/ns_last_pid
        sleep 60 & other=$!
        [ $other = $job ] || echo "$other is not $job"
        sleep 3; kill -0 $other && echo lives
    """
    arguments = ["unshare", "-fp", "--mount-proc", "--kill-child", "sh", "-c", script]
    ran = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        said, errors = ran.communicate(timeout=20)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(ran.pid, signal.SIGKILL)
    if b"not permitted" in errors or b"Permission denied" in errors or b"Read-only" in errors:
        pytest.skip("this machine lets nobody make a namespace of processes")
    assert said == b"lives\n", (said, errors)


def test_what_takes_too_long_is_still_ended() -> None:
    began = time.monotonic()
    script = f"{SHELL}\nlimit 0.5 sh -c 'sleep 30 & sleep 30'; echo $?"
    assert local_host().run(script).stdout == "124\n"
    assert time.monotonic() - began < 5


def test_whoever_waits_is_never_ended_even_if_the_list_of_processes_is_wrong() -> None:
    lies = "grep() { echo /proc/$$/status:PPid:$p; echo /proc/$other/status:PPid:$$; }"
    begun = "sleep 30 & other=$!; sleep 30 & p=$!; born $p; b=$birth"
    script = f"{begun}; {lies}; reap $p $b; wait $p; echo $?; kill $other; wait $other; echo $?"
    assert local_host().run(script).stdout == "137\n143\n"
