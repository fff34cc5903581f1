"""What a host prints, in good form and in bad."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.model import CouldNotLook
from golive.targets.hosts import facts, reading
from golive.targets.hosts.processes import own_tree, table, tree
from golive.targets.hosts.reading import Garbled

STAT_1 = "cpu  100 0 100 1000 50 0 0 0 20 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nbtime 1\n"
STAT_2 = "cpu  150 0 120 1100 60 0 0 20 60 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nbtime 1\n"
DF = """Filesystem     1-blocks     Used Available Capacity Mounted on
/dev/sda 1      1000  850  100  90% /
tmpfs           500    0   500   0% /dev/shm
//nas/share     100   50    50  50% /mnt/my disk
"""
INODES = """Filesystem Inodes IUsed IFree IUse% Mounted on
/dev/sda 1 1000 970 30 97% /
//nas/share 0 0 0 - /mnt/my disk
"""
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
   2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 3
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 0:0
   1: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 0:0
"""
SS = """LISTEN 0 128 127.0.0.1:8080 0.0.0.0:* users:(("ng inx",pid=12,fd=3),("nginx",pid=13,fd=3))
LISTEN 0 128 0.0.0.0:22 0.0.0.0:*
LISTEN 0 128 [::1]:53 [::]:* users:(("named",pid=7,fd=3))
rubbish
"""
NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier
    lo: 1 2 {0} 0 0 0 0 0 1 2 0 0 0 0 0 0
  eth0: 1 2 3 4 0 0 0 0 1 2 5 {1} 0 0 0 0
"""


def test_cpu_counts_neither_steal_nor_guest_time_twice() -> None:
    cpu = reading.cpu(STAT_1, STAT_2)
    assert cpu.total_ticks == 200
    assert cpu.busy_percent == 35
    assert cpu.steal_percent == 10
    assert cpu.count == 2


@pytest.mark.parametrize("text", ["", "cpu\n", "cpu x y\n", "intr 1 2\n", "cpu 1 2\n"])
def test_cpu_that_is_garbled(text: str) -> None:
    with pytest.raises(Garbled):
        reading.cpu(text, STAT_2)


def test_cpu_of_two_equal_readings_is_unknown() -> None:
    with pytest.raises(Garbled, match="the same"):
        reading.cpu(STAT_1, STAT_1)


def test_memory_is_what_is_not_available() -> None:
    memory = reading.memory(
        "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\nSwapTotal: 100 kB\nSwapFree: 75 kB\n"
    )
    assert (memory.used_percent, memory.swap_percent) == (75, 25)


def test_memory_of_an_old_kernel_is_estimated() -> None:
    assert reading.memory("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 35 kB\n").used_percent == 50


@pytest.mark.parametrize("text", ["", "MemTotal: 0 kB\n", "MemAvailable: 5 kB\n", "MemTotal: 5 kB\n", "<html>"])
def test_memory_that_is_garbled(text: str) -> None:
    with pytest.raises(Garbled):
        reading.memory(text)


def test_file_systems_with_spaces_in_their_names() -> None:
    root, shm, share = reading.file_systems(DF, INODES)
    assert (root.source, root.mount, round(root.used_percent, 1), root.inodes_percent) == ("/dev/sda 1", "/", 89.5, 97)
    assert (root.is_disk, shm.is_disk) == (True, False)
    assert (share.mount, share.inodes, share.inodes_percent) == ("/mnt/my disk", 0, None)


@pytest.mark.parametrize("text", ["", "df: not found", "Filesystem\nx y z\n"])
def test_file_systems_that_are_garbled(text: str) -> None:
    with pytest.raises(Garbled):
        reading.file_systems(text, "")


def test_ports_with_the_processes_that_are_told() -> None:
    ports = reading.ports(TCP + TCP6, SS)
    assert [str(port) for port in ports] == [
        "0.0.0.0:22",
        "[::1]:53 (named)",
        "127.0.0.1:80",
        "127.0.0.1:8080 (ng inx)",
    ]
    assert [port.is_loopback for port in ports] == [False, True, True, True]
    assert reading.ports(TCP, "")[0].process is None


@pytest.mark.parametrize("text", ["", "local_address\n 0: XYZ:1F90 0:0 0A\n", "local_address\n 0: 01:1F90 0:0 0A\n"])
def test_ports_that_are_garbled(text: str) -> None:
    with pytest.raises((Garbled, ValueError)):
        reading.ports(text, "")


def test_interfaces_and_how_they_grew() -> None:
    lo, eth = reading.interfaces(NET.format(0, 6), NET.format(0, 9))
    assert (lo.total, eth.total, eth.grew) == (0, 21, 3)
    with pytest.raises(Garbled):
        reading.interfaces("", "Inter-| x\n lo: a b\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1700000000.25\n", 1700000000.25), ("1700000000.%N", 1700000000.5), ("5", 5.5)]
)
def test_the_time_with_and_without_a_fraction(text: str, seconds: float) -> None:
    assert reading.seconds(text) == seconds


def test_zone_load_uptime_and_oom_kills() -> None:
    assert reading.zone("-0330") == -timedelta(hours=3, minutes=30)
    assert reading.load("0.5 1 2 1/2 3").fifteen == 2
    assert reading.uptime("12.5 3\n") == 12.5
    assert reading.oom_kills("a 1\noom_kill 3\n") == 3
    for garbled in (reading.zone, reading.load, reading.uptime, reading.oom_kills, reading.seconds):
        with pytest.raises((Garbled, ValueError)):
            garbled("<html>")


def stat(pid: int, parent: int, used: int, *, children: int = 0, started: int = 500, name: str = "x") -> str:
    return f"{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 {used} 0 {children} 0 20 0 1 0 {started} 9 10 0"


def test_processes_with_hostile_names_and_numbers_given_twice() -> None:
    before = "\n".join([stat(1, 0, 0), stat(5, 1, 100, started=400), "rubbish", "9 (cut"])
    after = "\n".join([stat(1, 0, 0), stat(5, 1, 30, started=600), stat(7, 5, 50, name="a) S (b c")])
    found = table(before, after, booted_at=None, ticks=100, page=4096, window_s=0.5)
    assert found[7].name == "a) S (b c"
    assert found[5].used_s == 0.3
    assert found[7].cpu_percent == 100
    assert found[7].rss_bytes == 10 * 4096


def test_trees_and_what_of_them_is_the_suites_own() -> None:
    lines = "\n".join(stat(pid, parent, 0) for pid, parent in ((1, 0), (10, 1), (11, 10), (20, 10), (21, 20), (22, 21)))
    processes = table(lines, lines, booted_at=None, ticks=100, page=1, window_s=1)
    assert tree(processes, [20]) == {20, 21, 22}
    # 21 is a service, and 20 the manager that this suite started: neither is the suite's own.
    assert own_tree(processes, 10, [21]) == {10, 11}
    assert own_tree(processes, None, []) == frozenset()


MARK = "golive-0123"


def answer(**parts: str) -> bytes:
    framed = "".join(f"\n{MARK} {name}\n{text}\n{MARK} = 0\n" for name, text in {**parts, "still": ""}.items())
    return f"{framed}\n{MARK} end\n".encode("utf-8", "surrogatepass")


def parsed(said: bytes, **more: Any) -> facts.HostFacts:
    return facts.parse(said, marker=MARK, host="app", sent_at=99.0, received_at=101.0, **more)


def test_a_host_that_tells_nothing_gives_reasons() -> None:
    found = parsed(answer())
    assert found.cpu_percent is None
    with pytest.raises(CouldNotLook, match="host app: cpu percent could not be read"):
        found.need(found.cpu_percent, "cpu_percent")


def test_an_answer_that_breaks_off_is_could_not_look() -> None:
    with pytest.raises(CouldNotLook, match="host app: its answer broke off after"):
        parsed(answer(load="1 2 3").partition(f"\n{MARK} still".encode())[0])


def test_a_connection_that_breaks_off_is_told_for_what_it_cost_alone() -> None:
    told = answer(load="1 2 3", **{"stat.1": "cpu  1 2 3 4 5"}).partition(f"\n{MARK} end".encode())[0]
    found = parsed(told, broke_off=True)
    assert found.load is not None
    for lost in ("cpu_percent", "file_systems", "failed_units"):
        with pytest.raises(CouldNotLook, match=r"^host app: the connection broke off during the visit$"):
            found.need(getattr(found, lost), lost)
    with pytest.raises(CouldNotLook, match=r"^host app: memory could not be read"):
        parsed(answer(memory="-"), broke_off=True).need(None, "memory")
    with pytest.raises(CouldNotLook, match=r"^host app: the connection broke off during the visit$"):
        found.said("services shop")
    with pytest.raises(CouldNotLook, match="services shop did not answer within the time"):
        parsed(told).said("services shop")
    with pytest.raises(CouldNotLook, match=r"^host app: the connection broke off during the visit$"):
        parsed(told.partition(f"\n{MARK} still".encode())[0], broke_off=True)


def test_the_clock_is_bounded_by_both_readings() -> None:
    clock = parsed(answer(**{"date": "399.5", "date.2": "400.5"})).clock
    assert clock is not None
    assert (clock.offset_s, clock.uncertainty_s) == (300.0, 0.5)


def test_a_clock_that_is_set_back_while_it_is_read() -> None:
    clock = parsed(answer(**{"date": "100", "date.2": "500"})).clock
    assert clock is not None and clock.offset_s > 300


@given(st.text())
def test_any_text_in_any_part_is_survived(text: str) -> None:
    names = ("date", "zone", "stat.1", "stat.2", "processes.1", "processes.2", "memory", "df", "inodes", "tcp", "net.2")
    parsed(answer(**dict.fromkeys(names, text.replace(MARK, ""))))


@given(st.binary())
def test_any_bytes_instead_of_an_answer_are_could_not_look(data: bytes) -> None:
    with pytest.raises(CouldNotLook):
        parsed(data)
