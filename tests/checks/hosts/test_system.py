"""Checks of mounts, kernel parameters, scheduled jobs, interfaces, names and time services on this machine."""

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from checks.hosts import dns, interface, kernel_parameter, mount, scheduled, time_sync
from golive.model import Status
from tests.checks.hosts.conftest import Machine, params
from tests.judged import Judged
from tests.shims import says


def only(argument: str, script: str) -> str:
    """A stand-in that lies about one argument and is honest about all others."""
    return f'case "$*" in *{argument}*)\n{script}\n;; *) exec {{real}} "$@" ;; esac'


def look_mount(machine: Machine, path: str, **more: Any) -> Judged:
    check = mount.test_file_system_is_mounted_as_it_should_be_or_not_at_all
    return machine.look(check, params(mount.Params, path=path, **more))


MOUNTS = "/dev/sdb1 /srv ext4 rw,nosuid,nodev 0 0\nserver:/x /mnt/a\\040b nfs4 ro 0 0"


def test_mounts_as_they_should_be_pass(machine: Machine) -> None:
    assert look_mount(machine, "/proc", type="proc").status is Status.PASS
    machine.fake("grep", only("/proc/self/mounts", says(MOUNTS)))
    fine = look_mount(
        machine, "/srv/", type="ext4", source="/dev/sdb1", options=["nosuid", "nodev"], options_not=["ro"]
    )
    assert (fine.status, fine.message) == (Status.PASS, "/srv/ on host app: /dev/sdb1 (ext4) is mounted there")
    assert look_mount(machine, "/mnt/a b", options="ro").status is Status.PASS
    assert look_mount(machine, "/backup", mounted=False).status is Status.PASS


@pytest.mark.parametrize(
    ("path", "wish", "told"),
    [
        ("/data", {}, "/data on host app: nothing is mounted there"),
        ("/srv", {"mounted": False}, "/srv on host app: /dev/sdb1 is mounted there"),
        ("/srv", {"type": "xfs"}, "is of type ext4, xfs needed"),
        ("/srv", {"source": "/dev/sdc1"}, "is /dev/sdb1, /dev/sdc1 needed"),
        ("/srv", {"options": ["nosuid", "noexec"]}, "is mounted without noexec (rw,nosuid,nodev)"),
        ("/srv", {"options_not": ["rw"]}, "is mounted with rw"),
    ],
)
def test_mounts_that_are_not_fail(machine: Machine, path: str, wish: dict[str, Any], told: str) -> None:
    machine.fake("grep", only("/proc/self/mounts", says(MOUNTS)))
    found = look_mount(machine, path, **wish)
    assert found.status is Status.FAIL
    assert told in found.message


def test_mounts_that_cannot_be_read_are_unknown(machine: Machine) -> None:
    machine.fake("grep", only("/proc/self/mounts", "exit 2"))
    assert look_mount(machine, "/").status is Status.UNKNOWN
    assert look_mount(machine, "/backup", mounted=False).status is Status.UNKNOWN
    assert params(mount.Params, path="/x", mounted=False, type="a").asserts_nothing() is not None


def look_parameter(machine: Machine, parameter: str, **more: Any) -> Judged:
    check = kernel_parameter.test_kernel_parameter_has_the_value_that_it_should
    return machine.look(check, params(kernel_parameter.Params, parameter=parameter, **more))


def test_kernel_parameters(machine: Machine) -> None:
    memory = " ".join(Path("/proc/sys/net/ipv4/tcp_rmem").read_text().split())
    most = int(Path("/proc/sys/kernel/pid_max").read_text())
    assert look_parameter(machine, "kernel.ostype", equals="Linux").message == "kernel.ostype of host app is Linux"
    assert look_parameter(machine, "net.ipv4.tcp_rmem", equals=memory.replace(" ", "\t")).status is Status.PASS
    fine = look_parameter(machine, "kernel.pid_max", equals=most, at_least=most, at_most=most)
    assert (fine.status, fine.value("value"), fine.value("most")) == (Status.PASS, most, most)
    for wish, told in (
        ({"equals": 5}, f"kernel.pid_max of host app is {most}, 5 needed"),
        ({"at_least": most + 1}, f"{most}, at least {most + 1} needed"),
        ({"at_most": most - 1}, f"{most}, at most {most - 1} needed"),
    ):
        found = look_parameter(machine, "kernel.pid_max", **wish)
        assert (found.status, told in found.message) == (Status.FAIL, True)
    gone = look_parameter(machine, "kernel.no_such", equals=1)
    assert (gone.status, "has no such parameter" in gone.message) == (Status.FAIL, True)


def test_kernel_parameters_that_cannot_be_judged_are_unknown(machine: Machine) -> None:
    assert look_parameter(machine, "net.ipv4.tcp_rmem", at_least=1).status is Status.UNKNOWN
    machine.fake("grep", 'echo "grep: /proc/sys/kernel/secret: Permission denied" >&2; exit 2')
    found = look_parameter(machine, "kernel.secret", equals=1)
    assert found.status is Status.UNKNOWN
    assert found.message == "host app: kernel.secret: permission denied: the host needs `sudo: true`"
    assert params(kernel_parameter.Params, parameter="a.b").asserts_nothing() == (
        "write 'equals', 'at_least' or 'at_most'"
    )
    for name in ("../../etc/shadow", "net/../../../etc/shadow", "kernel", "/etc/shadow", "a b.c"):
        with pytest.raises(ValueError, match="pattern"):
            params(kernel_parameter.Params, parameter=name, equals=1)


def look_job(machine: Machine, **more: Any) -> Judged:
    return machine.look(scheduled.test_job_is_scheduled_and_ran_or_is_not_scheduled, params(scheduled.Params, **more))


def timer(machine: Machine, last_s: float | None = 60, state: str = "active", **more: str) -> None:
    """`backup.timer` as `systemctl show` tells of it."""
    last = "n/a" if last_s is None else time.strftime("%a %F %T UTC", time.gmtime(time.time() - last_s))
    told = {"Unit": "backup.service", "LoadState": "loaded", "UnitFileState": "enabled", "Result": "success", **more}
    lines = [f"Id=backup.timer\nActiveState={state}\nLastTriggerUSec={last}"]
    lines += [f"{key}={value}" for key, value in told.items() if key != "Result"]
    machine.fake("systemctl", says("\n".join(lines) + f"\n\nId=backup.service\nResult={told['Result']}"))


def test_a_timer_that_ran_passes(machine: Machine) -> None:
    timer(machine)
    found = look_job(machine, timer="backup", max_age="1 h")
    assert (found.status, 59 <= found.value("last run") <= 90) == (Status.PASS, True)
    assert "timer backup of host app is active, enabled" in found.message
    timer(machine, None, "inactive")
    assert look_job(machine, timer="backup.timer", scheduled=False).status is Status.PASS
    timer(machine, None, "inactive", LoadState="not-found")
    assert look_job(machine, timer="backup", scheduled=False).status is Status.PASS


@pytest.mark.parametrize(
    ("last_s", "state", "more", "told"),
    [
        (7200, "active", {}, "s, at most 3600 s needed"),
        (None, "active", {}, "timer backup of host app never ran"),
        (60, "inactive", {}, "is inactive, enabled: it waits for no next time"),
        (60, "active", {"SubState": "elapsed"}, "is active (elapsed), enabled: it waits for no next time"),
        (60, "active", {"UnitFileState": "enabled-runtime"}, "enabled-runtime: it will be gone after the next boot"),
        (60, "active", {"UnitFileState": "disabled"}, "is active, disabled: it will be gone after the next boot"),
        (60, "active", {"Result": "exit-code"}, "its last run ended with exit-code"),
        (60, "active", {"LoadState": "not-found"}, "there is no timer backup of host app"),
    ],
)
def test_a_timer_that_did_not_run_fails(
    machine: Machine, last_s: float | None, state: str, more: dict[str, str], told: str
) -> None:
    timer(machine, last_s, state, **more)
    found = look_job(machine, timer="backup", max_age="1 h")
    assert found.status is Status.FAIL
    assert told in found.message


def test_a_timer_that_must_not_be_and_one_that_is_not_told(machine: Machine) -> None:
    timer(machine)
    assert look_job(machine, timer="backup", scheduled=False).message == "timer backup of host app is active, enabled"
    machine.fake("systemctl", "echo 'System has not been booted with systemd' >&2; exit 1")
    for is_wanted in (True, False):
        found = look_job(machine, timer="backup", scheduled=is_wanted)
        assert found.status is Status.UNKNOWN
        assert found.message == "host app: systemd does not run there, or does not answer"


@pytest.fixture
def cron(machine: Machine) -> Machine:
    """A host whose only entry of cron is this."""
    line = "/etc/cron.d/backup:0  3 * * *  postgres  backup --all shop"
    machine.fake("grep", f'case "$*" in *crontab*)\n{says(line)}\n;; *) exec {{real}} "$@" ;; esac')
    return machine


def test_an_entry_of_cron_that_ran_passes(cron: Machine) -> None:
    stamp = cron.folder / "stamp"
    stamp.touch()
    wish = {"schedule": "0 3 * * *", "user": "postgres", "max_age": "1 d", "stamp": str(stamp)}
    found = look_job(cron, cron="backup --all", **wish)
    assert found.status is Status.PASS
    assert "cron on host app: 0 3 * * * postgres backup --all shop (/etc/cron.d/backup)" in found.message
    os.utime(stamp, (0, time.time() - 3 * 86400))
    late = look_job(cron, cron="backup --all", **wish)
    assert late.status is Status.FAIL
    assert f"last run by {stamp} on host app: 259" in late.message
    os.utime(stamp, (0, time.time() + 86400))
    odd = look_job(cron, cron="backup --all", **wish)
    assert (odd.status, f"last run by {stamp} on host app is dated 86" in odd.message) == (Status.UNKNOWN, True)
    stamp.unlink()
    gone = look_job(cron, cron="backup --all", **wish)
    assert (gone.status, "so it never ran" in gone.message) == (Status.FAIL, True)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"cron": "renew --all"}, "cron on host app runs nothing with 'renew --all'"),
        ({"cron": "backup", "scheduled": False}, "cron on host app runs 0 3 * * * postgres backup"),
        ({"cron": "backup", "schedule": "0 4 * * *"}, "runs it at '0 3 * * *', '0 4 * * *' needed"),
        ({"cron": "backup", "user": "root"}, "runs it as postgres, root needed"),
    ],
)
def test_an_entry_of_cron_that_is_not_as_it_should_be_fails(cron: Machine, wish: dict[str, Any], told: str) -> None:
    found = look_job(cron, **wish)
    assert found.status is Status.FAIL
    assert told in found.message


def test_what_is_not_in_cron_passes_where_it_must_not_be(cron: Machine) -> None:
    assert look_job(cron, cron="renew --all", scheduled=False).status is Status.PASS


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, "write either 'timer' or 'cron'"),
        ({"timer": "a", "cron": "abc"}, "write either 'timer' or 'cron'"),
        ({"timer": "a", "user": "root"}, "'schedule' and 'user' are those of cron"),
        ({"cron": "abc", "max_age": "1 h"}, "cron does not tell when it ran a job"),
        ({"timer": "a", "stamp": "/x"}, "'stamp' needs a 'max_age'"),
        ({"timer": "a", "scheduled": False, "max_age": "1 h"}, "what is not scheduled has no"),
    ],
)
def test_wishes_of_a_job_that_mean_nothing_are_refused(wish: dict[str, Any], told: str) -> None:
    assert told in (params(scheduled.Params, **wish).asserts_nothing() or "")


def look_interface(machine: Machine, name: str, **more: Any) -> Judged:
    check = interface.test_interface_is_up_and_what_it_should_be
    return machine.look(check, params(interface.Params, interface=name, **more))


def card(machine: Machine, **more: str) -> None:
    """The interface `bond0` as the kernel tells of it."""
    told = {"operstate": "up", "flags": "0x1003", "mtu": "1500", "speed": "1000", **more}
    lines = "\n".join(f"/sys/class/net/bond0/{name}:{value}" for name, value in told.items())
    machine.fake("grep", only("/sys/class/net/bond0", says(lines)))
    machine.fake("ip", says("2: bond0    inet 10.0.0.7/24 brd 10.0.0.255 scope global bond0\\       valid_lft forever"))


def test_interfaces(machine: Machine) -> None:
    mtu = int(Path("/sys/class/net/lo/mtu").read_text())
    assert look_interface(machine, "lo", addresses="127.0.0.1", mtu=mtu).message == "interface lo of host app is up"
    assert look_interface(machine, "none0").message == "interface none0 of host app is not there"
    assert look_interface(machine, "none0", up=False).status is Status.PASS
    assert look_interface(machine, "lo", up=False).status is Status.FAIL
    card(machine)
    fine = look_interface(machine, "bond0", addresses=["10.0.0.7"], mtu=1500, min_speed=1000)
    assert (fine.status, fine.value("speed")) == (Status.PASS, 1000)
    wrong = look_interface(machine, "bond0", addresses=["10.0.0.8"], mtu=9000, min_speed=10000)
    assert wrong.status is Status.FAIL
    for told in (
        "has an MTU of 1500, 9000 needed",
        "speed of interface bond0 of host app: 1000 Mbit/s, at least 10000 Mbit/s needed",
        "has no address 10.0.0.8 (10.0.0.7)",
    ):
        assert told in wrong.message
    card(machine, operstate="down", speed="-1")
    down = look_interface(machine, "bond0", min_speed=1000)
    assert down.status is Status.FAIL
    assert "bond0 of host app is not up (its state is down)" in down.message


def test_what_is_not_told_of_an_interface_is_unknown(machine: Machine) -> None:
    card(machine, speed="-1")
    assert look_interface(machine, "bond0", min_speed=1).status is Status.UNKNOWN
    machine.fake("ip", "exit 1")
    found = look_interface(machine, "bond0", addresses=["10.0.0.7"])
    assert (found.status, "that needs `ip` there" in found.message) == (Status.UNKNOWN, True)
    assert params(interface.Params, interface="a", up=False, mtu=1).asserts_nothing() is not None
    assert params(interface.Params, interface="a", addresses="x").asserts_nothing() == "'x' is no address"


def look_name(machine: Machine, name: str, **more: Any) -> Judged:
    return machine.look(dns.test_name_resolves_to_the_addresses_that_it_should, params(dns.Params, name=name, **more))


def test_names(machine: Machine) -> None:
    own = sorted({str(entry[4][0]) for entry in socket.getaddrinfo("localhost", None)})
    fine = look_name(machine, "localhost", addresses=["127.0.0.1"], asked_on=["host", "runner"])
    assert fine.status is Status.PASS
    assert "localhost on host app resolves to" in fine.message
    assert f"localhost here resolves to {', '.join(own)}" in fine.message
    machine.fake("getent", says("10.0.0.7        STREAM db\n10.0.0.7        DGRAM\n10.0.0.8        STREAM"))
    assert look_name(machine, "db", addresses=["10.0.0.8", "10.0.0.7"], only=True).status is Status.PASS
    moved = look_name(machine, "db", addresses=["10.0.0.9", "10.0.0.7"], only=True)
    assert moved.status is Status.FAIL
    assert moved.message == (
        "db on host app resolves to 10.0.0.7, 10.0.0.8, 10.0.0.9 needed; db on host app resolves to 10.0.0.8 too"
    )
    there = look_name(machine, "db", resolves=False)
    assert (there.status, there.message) == (Status.FAIL, "db on host app resolves to 10.0.0.7, 10.0.0.8")


def test_names_that_do_not_resolve(machine: Machine) -> None:
    gone = look_name(machine, "no.such.invalid")
    assert gone.message == "no.such.invalid on host app does not resolve: no such name"
    assert look_name(machine, "no.such.invalid", resolves=False).status is Status.PASS
    machine.fake("getent", "sleep 20")
    dead = look_name(machine, "db.example")
    assert (dead.status, "does not resolve: no answer within 3 s" in dead.message) == (Status.FAIL, True)
    assert look_name(machine, "db.example", resolves=False).status is Status.UNKNOWN
    machine.fake("getent", "exit 127")
    assert look_name(machine, "db.example").status is Status.UNKNOWN


def test_a_name_that_cannot_be_looked_up_here_is_unknown(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("golive.targets.network.socket.getaddrinfo", failing)
    found = look_name(machine, "localhost", asked_on=["host", "runner"])
    assert (found.status, "temporary failure" in found.message) == (Status.UNKNOWN, True)


def test_wishes_of_a_name_that_mean_nothing_are_refused() -> None:
    assert params(dns.Params, name="a", only=True).asserts_nothing() == "'only' needs 'addresses'"
    assert params(dns.Params, name="a", addresses="b").asserts_nothing() == "'b' is no address"
    assert params(dns.Params, name="a", resolves=False, addresses="::1").asserts_nothing() is not None
    for name in ("-a", "a b", "a;b", ""):
        with pytest.raises(ValueError, match="pattern"):
            params(dns.Params, name=name)


def look_time(machine: Machine, **more: Any) -> Judged:
    return machine.look(time_sync.test_clock_is_kept_by_a_time_service, params(time_sync.Params, **more))


def chrony(machine: Machine, *, offset: str = "-0.004", leap: str = "Normal", reach: str = "377") -> None:
    tracking = f"0A000001,10.0.0.1,3,1777608000.1,{offset},0.1,0.1,-1.2,0.1,0.1,0.1,0.1,64.2,{leap}"
    machine.fake(
        "chronyc", f"case $3 in tracking) echo {tracking};; *) echo '^,*,10.0.0.1,2,6,{reach},12,0,0,0';; esac"
    )


def test_a_clock_that_is_kept_passes(machine: Machine) -> None:
    chrony(machine)
    found = look_time(machine, warning="50 ms", critical="100 ms", min_sources=1)
    assert (found.status, found.value("offset"), found.value("sources")) == (Status.PASS, 0.004, 1)
    assert "clock of host app is kept by chrony from 10.0.0.1" in found.message


def test_a_clock_that_is_not_kept_fails(machine: Machine) -> None:
    chrony(machine, leap="Not synchronised", reach="0")
    found = look_time(machine, critical="100 ms", min_sources=1)
    assert found.status is Status.FAIL
    assert "clock of host app is not synchronised (chrony tells)" in found.message
    assert "reached by the time service of host app: 0 servers, at least 1 servers needed" in found.message
    chrony(machine, reach="0")
    alone = look_time(machine)
    assert (alone.status, "by chrony, which reaches none of its servers" in alone.message) == (Status.FAIL, True)
    chrony(machine, offset="0.5")
    off = look_time(machine, critical="100 ms")
    assert off.status is Status.FAIL
    assert "offset of the clock of host app: 0.5 s, below 0.1 s needed" in off.message
    assert look_time(machine, warning="100 ms").status is Status.WARN


def test_a_clock_of_which_nobody_tells_is_unknown(machine: Machine) -> None:
    for program in ("chronyc", "ntpq", "timedatectl"):
        machine.fake(program, "exit 1")
    assert look_time(machine).message == (
        "host app: no time service answers: it needs `chronyc`, `ntpq` or `timedatectl` there"
    )
    machine.fake("timedatectl", "[ $1 = show ] && echo NTPSynchronized=yes")
    assert look_time(machine).status is Status.PASS
    assert look_time(machine, critical="1 s").status is Status.UNKNOWN
    assert look_time(machine, min_sources=1).status is Status.UNKNOWN
