"""Checks of a host, on this machine: each is seen green, red by what breaks it, and unknown."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from checks.hosts import clock, cpu, disk, file, inodes, memory, network, oom, ports
from golive.environment.sections import HostSection
from golive.model import Status
from golive.targets.hosts.host import Host
from tests.checks.hosts.conftest import Machine, params
from tests.judged import Judged, judged
from tests.shims import says

FULL_MEMORY = says("MemTotal: 1000 kB\nMemAvailable: 30 kB\nSwapTotal: 100 kB\nSwapFree: 5 kB")
# mawk writes large numbers as 2.6e+11 unless it is told otherwise.
ALTERED_DF = """{real} "$@" | awk -v CONVFMT=%.0f -v OFMT=%.0f '
NR > 1 && NF == 6 { $3 = int($2 * 0.97); $4 = $2 - $3; $5 = "97%" } { print }'"""


def only(argument: str, script: str) -> str:
    """A stand-in that lies about one argument and is honest about all others."""
    return f'case "$*" in *{argument}*)\n{script}\n;; *) exec {{real}} "$@" ;; esac'


@contextmanager
def busy() -> Iterator[None]:
    """All CPUs are busy, at the lowest priority."""
    burn = [sys.executable, "-c", "import os; os.nice(19)\nwhile True: pass"]
    burning = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    try:
        time.sleep(0.2)
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def unreachable() -> Host:
    return Host("app", HostSection.model_validate({"connect": "ssh://x@127.0.0.1:1", "timeout": "1 s"}))


@pytest.mark.parametrize(
    ("check", "model"),
    [
        (cpu.test_cpu_use_stays_below_its_limit, cpu.Params),
        (memory.test_memory_use_stays_below_its_limit, memory.Params),
        (disk.test_disk_space_in_use_stays_below_its_limit, disk.Params),
        (inodes.test_inodes_in_use_stay_below_their_limit, inodes.Params),
        (clock.test_clock_of_the_host_agrees_with_the_runner, clock.Params),
        (oom.test_kernel_killed_no_process_for_lack_of_memory, oom.Params),
        (ports.test_nothing_new_listens_on_the_host, ports.Params),
        (network.test_network_is_stable, network.Params),
    ],
)
def test_a_host_that_is_not_reached_is_unknown(machine: Machine, check: Any, model: Any) -> None:
    host = unreachable()
    found = judged(check, criterion=params(model), host=host, context=machine.context())
    host.close()
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("host app: cannot be reached by ssh://x@127.0.0.1:1: ")


def look_cpu(machine: Machine, **more: Any) -> Judged:
    host = machine.host()
    host.section = host.section.model_copy(update={"cpu_window": 0.5})
    # The processes that make the machine busy are children of this one, and must not pass for the suite's own.
    host._own_root_pid = None
    return judged(cpu.test_cpu_use_stays_below_its_limit, criterion=params(cpu.Params, **more), host=host)


def test_a_busy_cpu_fails_and_the_busiest_process_is_shown(machine: Machine) -> None:
    with busy():
        found = look_cpu(machine, critical=80)
    assert found.status is Status.FAIL
    assert found.message.startswith("CPU of host app: ") and "%, below 80 % needed" in found.message
    assert any("python" in line for line in found.seen.splitlines())


def test_an_idle_cpu_passes(machine: Machine) -> None:
    machine.fake("cat", only("/proc/stat", 'n=$(date +%s%N); echo "cpu  1 1 1 $n 1 1 1 1"'))
    found = look_cpu(machine, critical=80)
    assert (found.status, found.message) == (Status.PASS, "CPU of host app: 0 %, below 80 % needed")


def test_a_cpu_that_is_not_told_is_unknown(machine: Machine) -> None:
    machine.fake("cat", only("/proc/stat", "echo rubbish"))
    found = look_cpu(machine)
    assert (found.status, found.message) == (
        Status.UNKNOWN,
        "host app: cpu percent could not be read (no line 'cpu' in /proc/stat)",
    )


def test_limits_that_nothing_breaks_are_refused() -> None:
    for model in (cpu.Params, memory.Params, disk.Params, inodes.Params):
        assert params(model, critical=100).asserts_nothing()
        assert params(model, critical=100, warning=90).asserts_nothing() is None


def look_memory(machine: Machine, **more: Any) -> Judged:
    return machine.look(memory.test_memory_use_stays_below_its_limit, params(memory.Params, **more))


def test_full_memory_fails(machine: Machine) -> None:
    machine.fake("cat", only("/proc/meminfo", FULL_MEMORY))
    found = look_memory(machine, critical=80, swap=90)
    assert found.status is Status.FAIL
    assert found.message == (
        "memory of host app: 97 %, below 80 % needed (0 of 1 MB available); swap of host app: 95 %, below 90 % needed"
    )


def test_free_memory_passes(machine: Machine) -> None:
    found = look_memory(machine, critical=99.9)
    assert found.status is Status.PASS
    assert "MB" in found.seen


def look_disk(machine: Machine, **more: Any) -> Judged:
    return machine.look(disk.test_disk_space_in_use_stays_below_its_limit, params(disk.Params, **more))


def look_inodes(machine: Machine, **more: Any) -> Judged:
    return machine.look(inodes.test_inodes_in_use_stay_below_their_limit, params(inodes.Params, **more))


def test_a_full_disk_fails_for_every_path(machine: Machine) -> None:
    machine.fake("df", ALTERED_DF)
    found = look_disk(machine, paths=["/", str(machine.folder)], critical=90)
    assert found.status is Status.FAIL
    assert "disk of / on host app: 97 %, below 90 % needed (" in found.message
    assert f"disk of {machine.folder} on host app: 97 %" in found.message


def test_inodes_used_up_fail_and_the_disk_passes(machine: Machine) -> None:
    machine.fake("df", only("-i", ALTERED_DF))
    found = look_inodes(machine, critical=90)
    assert found.status is Status.FAIL
    assert found.message.startswith("inodes of / on host app: 97 %, below 90 % needed (")
    assert look_disk(machine, critical=99.9).status is Status.PASS


def test_free_disks_and_inodes_pass(machine: Machine) -> None:
    paths = ["/", str(machine.folder)]
    assert look_disk(machine, paths=paths, critical=99.9).status is Status.PASS
    assert look_inodes(machine, paths=paths, critical=99.9).status is Status.PASS


def test_a_path_that_is_not_there_is_unknown(machine: Machine) -> None:
    found = look_disk(machine, paths=["/", "/no such"])
    assert found.status is Status.UNKNOWN
    assert "host app: /no such: df: " in found.message and "No such file" in found.message


def test_a_file_system_without_a_number_of_inodes_passes(machine: Machine) -> None:
    machine.fake("df", only("-i", says("F I U F P M\n/dev/x 0 0 0 - /")))
    found = look_inodes(machine)
    assert (found.status, "has no fixed number of them" in found.message) == (Status.PASS, True)


def look_clock(machine: Machine, **more: Any) -> Judged:
    return machine.look(clock.test_clock_of_the_host_agrees_with_the_runner, params(clock.Params, **more))


FAST = 'n=$({real} "$@"); echo "$((${n%%.*} + 300)).${n#*.}"'


def test_a_clock_that_is_fast_fails(machine: Machine) -> None:
    machine.fake("date", f'case "$1" in +%s.%N) {FAST};; *) exec {{real}} "$@";; esac')
    found = look_clock(machine)
    assert found.status is Status.FAIL
    assert found.message.startswith("clock of host app: 300 s, below 2 s needed (")
    assert 299.8 < found.value("skew") < 300.2


def test_a_clock_that_agrees_passes(machine: Machine) -> None:
    assert look_clock(machine).status is Status.PASS


def test_a_clock_that_is_not_told_exactly_enough_is_unknown(machine: Machine) -> None:
    machine.fake("sleep", '{real} 0.5; exec {real} "$@"')
    found = look_clock(machine, critical="1 ms")
    assert (found.status, "is known only to ±" in found.message) == (Status.UNKNOWN, True)


def test_a_wrong_clock_does_not_make_processes_young(machine: Machine) -> None:
    machine.fake("date", f'case "$1" in +%s.%N) {FAST};; *) exec {{real}} "$@";; esac')
    started = machine.host().facts.processes[os.getpid()].started_at
    assert started is not None and started < datetime.now(UTC)


def look_oom(machine: Machine, **more: Any) -> Judged:
    return machine.look(oom.test_kernel_killed_no_process_for_lack_of_memory, params(oom.Params, **more))


def killed(machine: Machine, count: int) -> None:
    machine.fake("cat", only("/proc/vmstat", f"echo oom_kill {count}"))


def test_a_kill_since_the_last_look_fails_and_an_older_one_does_not(machine: Machine) -> None:
    killed(machine, 2)
    found = look_oom(machine)
    assert (found.status, found.value("oom kills")) == (Status.FAIL, 2)
    assert look_oom(machine).status is Status.PASS
    killed(machine, 3)
    found = look_oom(machine)
    assert found.status is Status.FAIL
    assert found.message == (
        "killed by the kernel on host app: 1 processes, at most 0 processes needed (since the last look)"
    )


def test_what_was_killed_before_the_first_look_may_be_left_out_and_counts_after_it(machine: Machine) -> None:
    killed(machine, 2)
    found = look_oom(machine, since_boot=False)
    assert (found.status, found.value("oom kills")) == (Status.PASS, 0)
    killed(machine, 4)
    found = look_oom(machine, since_boot=False)
    assert (found.status, found.value("oom kills")) == (Status.FAIL, 2)


def test_a_kernel_that_does_not_count_is_unknown(machine: Machine) -> None:
    machine.fake("cat", only("/proc/vmstat", "echo nothing"))
    assert look_oom(machine).status is Status.UNKNOWN


def look_ports(machine: Machine, **more: Any) -> Judged:
    return machine.look(ports.test_nothing_new_listens_on_the_host, params(ports.Params, **more))


@contextmanager
def listening() -> Iterator[int]:
    """Another process listens on a port."""
    serve = "s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"
    script = f"import socket, time; {serve}; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_new_port_fails_and_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golive.targets.hosts.facts.own_tree", lambda *_: frozenset())
    # What else happens to listen on this machine, now or then, is not this test's.
    with listening() as port, socket.create_server(("127.0.0.1", 0)) as second:
        other = second.getsockname()[1]
        machine.fake("cat", only("/proc/net/tcp", f'{{real}} "$@" | grep -iE "local_address|:{port:04X} 0"'))
        assert look_ports(machine).status is Status.PASS
        machine.fake(
            "cat", only("/proc/net/tcp", f'{{real}} "$@" | grep -iE "local_address|:({port:04X}|{other:04X}) 0"')
        )
        found = look_ports(machine)
        assert found.status is Status.FAIL
        assert found.message.startswith("new listening ports on host app: 1 ports, at most 0 ports needed (127.0.0.1:")
        assert f":{other}" in found.message and f":{port}" not in found.message
        assert look_ports(machine).status is Status.FAIL  # still, at the next look
        assert look_ports(machine, allowed=[other]).status is Status.PASS
        assert look_ports(machine, only_allowed=True, allowed=[other]).status is Status.FAIL
        assert look_ports(machine, loopback=False).status is Status.PASS
        machine.deployed = datetime.now(UTC)
        assert look_ports(machine).status is Status.PASS  # a new deployment may bring new ports


def test_ports_of_the_suite_itself_do_not_count(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        machine.fake("cat", only("/proc/net/tcp", f'{{real}} "$@" | grep -iE "local_address|:{port:04X} 0"'))
        found = look_ports(machine, only_allowed=True)
    assert (found.status, str(port) in found.seen) == (Status.PASS, False)


def look_file(machine: Machine, name: str = "guide.md", **more: Any) -> Judged:
    more["path"] = str(machine.folder / name)
    return machine.look(file.test_file_is_there_and_what_it_should_be, params(file.Params, **more))


def test_a_file_that_is_not_there_fails(machine: Machine) -> None:
    found = look_file(machine)
    assert (found.status, found.message) == (Status.FAIL, f"host app: {machine.folder}/guide.md is not there")
    assert look_file(machine, "a/b").status is Status.FAIL


def test_a_file_that_is_empty_old_not_executable_or_of_other_content_fails(machine: Machine) -> None:
    path = machine.folder / "guide.md"
    path.touch()
    assert "size" not in (found := look_file(machine)).message and found.status is Status.FAIL
    path.write_text("call somebody\n")
    os.utime(path, (0, 0))
    found = look_file(machine, executable=True, max_age="1 d", contains="roll back")
    assert found.status is Status.FAIL
    for words in ("may not be executed (-rw", "age of", "at most 86400 s needed", "does not contain 'roll back'"):
        assert words in found.message


def test_a_file_as_it_should_be_passes(machine: Machine) -> None:
    path = machine.folder / "it's $HOME"
    path.write_text("how to roll back [it]\n")
    path.chmod(0o755)
    assert look_file(machine, path.name, executable=True, max_age="1 h", contains="back [it]").status is Status.PASS


def test_a_file_that_cannot_be_looked_at_is_unknown(machine: Machine) -> None:
    machine.fake("stat", "echo 'stat: Permission denied' >&2; exit 1")
    assert look_file(machine).status is Status.UNKNOWN


def look_network(machine: Machine, url: str | None = None, **more: Any) -> Judged:
    if url is not None:
        more = {"endpoints": ["api"], "jitter": "500 ms", **more}
    return machine.look(
        network.test_network_is_stable, params(network.Params, **more), **({"api": url} if url is not None else {})
    )


def faulty(machine: Machine, errors: str) -> None:
    lines = f"  eth0: 1 1 {errors} 0 0 0 0 0 1 1 0 0 0 0 0 0\n  lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0"
    machine.fake("cat", only("/proc/net/dev", f'echo "h\n{lines}"'))


def test_a_stable_network_passes(machine: Machine) -> None:
    faulty(machine, "7")
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        found = look_network(machine, f"http://127.0.0.1:{server.getsockname()[1]}", skew="1 s")
    assert found.status is Status.PASS
    assert found.value("failed to api") == 0 and found.value("jitter to api") < 500
    assert found.value("skew") < 1


def test_refused_connections_fail(machine: Machine) -> None:
    faulty(machine, "0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = look_network(machine, f"http://127.0.0.1:{port}", connects=5)
    assert found.status is Status.FAIL
    assert "failed to api: 5 of 5 connections, at most 0 of 5 connections needed (5x refused)" in found.message


def test_a_network_that_swallows_packets_fails_within_its_time(machine: Machine) -> None:
    faulty(machine, "0")
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        held = []
        for _ in range(3):  # until the queue is full, and further ones are not answered
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            held.append(one)
        began = time.monotonic()
        found = look_network(machine, f"http://127.0.0.1:{address[1]}", connects=100, timeout="200 ms", within="600 ms")
        assert time.monotonic() - began < 3
        for one in held:
            one.close()
    assert found.status is Status.FAIL
    assert "no answer within 0.2 s" in found.message and "not tried within 0.6 s" in found.message


def test_interface_errors_since_the_last_look_fail(machine: Machine) -> None:
    faulty(machine, "7")
    assert look_network(machine).status is Status.PASS
    faulty(machine, "9")
    found = look_network(machine)
    assert found.status is Status.FAIL
    assert found.message == ("interfaces of host app: 2 errors and drops, at most 0 errors and drops needed (eth0 2)")
    assert look_network(machine).status is Status.PASS
    faulty(machine, "12")
    assert look_network(machine, ignore=["eth[0-3]"]).status is Status.PASS
    faulty(machine, "14")
    assert look_network(machine, allowed=5).status is Status.PASS
    nothing = look_network(machine, ignore=["*"])
    assert (nothing.status, nothing.message) == (Status.UNKNOWN, "host app has no interface that is not ignored")


def test_errors_that_grow_within_the_first_look_fail(machine: Machine) -> None:
    faulty(machine, "$(( $(date +%s%N) / 1000000 % 100000000 ))")
    found = look_network(machine)
    assert found.status is Status.FAIL and "eth0" in found.message


def test_counters_that_began_anew_are_no_errors(machine: Machine) -> None:
    faulty(machine, "900")
    look_network(machine)
    faulty(machine, "3")
    assert look_network(machine).status is Status.PASS


def test_a_short_peak_of_the_cpu_is_read_anew(machine: Machine) -> None:
    count = machine.folder / "count"
    busy_first = (
        f'n=$(date +%s%N); echo x >> {count}; b=0; [ "$(wc -l < {count})" -le 2 ] && b=$n; echo "cpu  $b 1 1 $n"'
    )
    machine.fake("cat", only("/proc/stat", busy_first))
    found = look_cpu(machine, critical=40)
    assert (found.status, found.message) == (
        Status.PASS,
        "CPU of host app: 0 %, below 40 % needed (after 50.0 % before)",
    )
    count.unlink()
    assert look_cpu(machine, critical=40, again=0).status is Status.FAIL
