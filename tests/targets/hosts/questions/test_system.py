"""Mounts, kernel parameters, interfaces and names, on this machine and on made ones."""

import os
import socket
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions.file_system import FileSystemOf
from golive.targets.hosts.questions.interface import InterfaceFacts, NetworkInterface
from golive.targets.hosts.questions.kernel_parameter import KernelParameter
from golive.targets.hosts.questions.mount import Mount, MountFacts
from golive.targets.hosts.questions.resolved_name import Resolution, ResolvedName
from tests.targets.hosts.questions.conftest import Shell

MOUNTS = r"""/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /mnt/a\040b\134c tmpfs ro,noexec 0 0
/dev/sdb1 /srv ext4 rw 0 0
server:/export /srv nfs4 rw,vers=4.2,addr=10.0.0.1 0 0
cut
"""


def test_mounts(shell: Shell, open_folder: Path) -> None:
    assert shell.answer(Mount(path="/proc/")).type == "proc"
    assert shell.answer(Mount(path="/")).path == "/"
    (open_folder / "mounts").write_text(MOUNTS)
    shell.replaced["/proc/self/mounts"] = str(open_folder / "mounts")
    asked = [Mount(path=path) for path in ("/mnt/a b\\c", "/srv", "/srv/", "/mnt", "cut")]
    spaced, srv, same, *gone = shell.ask(*asked).values()
    assert spaced == MountFacts(source="tmpfs", path="/mnt/a b\\c", type="tmpfs", options=("ro", "noexec"))
    assert (srv.source, srv.type, same) == ("server:/export", "nfs4", srv)
    assert gone == [None, None]
    (open_folder / "mounts").unlink()
    assert shell.why(Mount(path="/")) == "/proc/self/mounts cannot be read"


def test_the_file_system_of_a_path(shell: Shell, tmp_path: Path) -> None:
    inside, gone = FileSystemOf(path=str(tmp_path)), FileSystemOf(path="/no such")
    found = shell.ask(gone, inside, FileSystemOf(path="/proc"))
    room = os.statvfs(tmp_path)
    assert found[inside].size_bytes == room.f_blocks * room.f_frsize
    assert found[inside].inodes == room.f_files and found[inside].used_percent > 0
    assert str(found[gone]).startswith("/no such: df: ") and "/no such" in str(found[gone])[12:]
    assert found[FileSystemOf(path="/proc")].mount == "/proc"


def test_kernel_parameters(shell: Shell) -> None:
    names = ("kernel.ostype", "net.ipv4.tcp_rmem", "net/ipv4/conf/lo/mtu", "kernel.no_such", "kernel")
    kind, memory, sliced, gone, folder = shell.ask(*(KernelParameter(name=name) for name in names)).values()
    assert kind == "Linux"
    assert len(memory.split(" ")) == 3 and all(part.isdigit() for part in memory.split(" "))
    assert sliced is None and gone is None
    assert isinstance(folder, CouldNotLook)


def test_a_kernel_parameter_that_may_not_be_read_needs_sudo(shell: Shell, open_folder: Path) -> None:
    (open_folder / "sys" / "vm").mkdir(parents=True)
    (open_folder / "sys" / "vm" / "secret").write_text("1\n")
    (open_folder / "sys" / "vm" / "secret").chmod(0)
    (open_folder / "sys" / "vm" / "empty").write_text("\n")
    shell.is_nobody = True
    shell.replaced["/proc/sys/"] = f"{open_folder}/sys/"
    assert shell.why(KernelParameter(name="vm.secret")) == "vm.secret: permission denied: the host needs `sudo: true`"
    assert shell.answer(KernelParameter(name="vm.empty")) == ""


def test_interfaces(shell: Shell) -> None:
    found = shell.ask(NetworkInterface(name="lo"), NetworkInterface(name="nothere0"))
    lo, gone = found.values()
    assert isinstance(lo, InterfaceFacts) and gone is None
    assert (lo.is_up, lo.speed_mbit, lo.mtu) == (True, None, int(Path("/sys/class/net/lo/mtu").read_text()))
    assert lo.addresses is not None and "127.0.0.1" in lo.addresses


@pytest.mark.parametrize(
    ("state", "flags", "is_up"),
    [("up", "0x1003", True), ("unknown", "0x9", True), ("down", "0x1003", False), ("up", "0x1002", False)],
)
def test_an_interface_is_up_when_it_is_told_to_and_has_a_link(
    shell: Shell, open_folder: Path, state: str, flags: str, is_up: bool
) -> None:
    folder = open_folder / "net" / "none7"
    folder.mkdir(parents=True)
    for name, value in {"operstate": state, "flags": flags, "mtu": "9000", "speed": "-1"}.items():
        (folder / name).write_text(f"{value}\n")
    shell.replaced["/sys/class/net"] = str(open_folder / "net")
    found = shell.answer(NetworkInterface(name="none7"))
    assert isinstance(found, InterfaceFacts)
    assert (found.is_up, found.state, found.mtu, found.speed_mbit, found.addresses) == (is_up, state, 9000, None, ())


def test_a_host_without_ip_tells_no_addresses(shell: Shell) -> None:
    shell.replaced["has ip "] = "false "
    found = shell.answer(NetworkInterface(name="lo"))
    assert isinstance(found, InterfaceFacts) and found.addresses is None
    shell.replaced["/sys/class/net"] = "/no such"
    assert shell.why(NetworkInterface(name="lo")) == "/sys/class/net cannot be read"


def test_names_by_the_name_service(debian: Shell) -> None:
    here = socket.gethostname()
    found = debian.ask(ResolvedName(name="localhost"), ResolvedName(name="no.such.invalid"), ResolvedName(name=here))
    local, gone, _ = found.values()
    assert "127.0.0.1" in local.addresses and local.trouble == ""
    assert gone == Resolution(addresses=(), trouble="no such name")


NSLOOKUP = """Server:\t\t10.0.0.53
Address:\t10.0.0.53:53

Name:\tdb.example
Address: 10.0.0.7
Name:\tdb.example
Address 2: fd00::7 db.example
"""


def test_names_by_nslookup(debian: Shell) -> None:
    debian.replaced["has getent"] = "false"
    debian.fake("nslookup", f"cat <<'END'\n{NSLOOKUP}END")
    assert debian.answer(ResolvedName(name="db.example")) == Resolution(addresses=("10.0.0.7", "fd00::7"))
    debian.fake(
        "nslookup", "printf 'Server: 10.0.0.53\\nAddress: 10.0.0.53:53\\n\\n** server can not find it\\n'; exit 1"
    )
    assert debian.answer(ResolvedName(name="gone.example")) == Resolution(addresses=(), trouble="no such name")
    for why in (";; connection timed out; no servers could be reached", "** server can't find a: SERVFAIL"):
        debian.fake("nslookup", f'echo "{why}" >&2; exit 1')
        assert debian.answer(ResolvedName(name="a.example")).trouble == "no name server answers"
    debian.replaced["has nslookup"] = "false"
    assert debian.why(ResolvedName(name="a.example")) == "a.example: the host has neither `getent` nor `nslookup`"


def test_a_server_that_fails_is_told_from_a_name_that_is_not_there(debian: Shell) -> None:
    debian.fake("getent", "exit 2")
    debian.fake("nslookup", "echo '** server can not find a.example: NXDOMAIN'; exit 1")
    assert debian.answer(ResolvedName(name="a.example")).trouble == "no such name"
    debian.fake("nslookup", "echo '** server can not find a.example: REFUSED'; exit 1")
    assert debian.answer(ResolvedName(name="a.example")).trouble == "no name server answers"


def test_a_dead_name_server_is_waited_for_twice_and_not_for_every_name(debian: Shell) -> None:
    debian.fake("getent", "sleep 20")
    debian.replaced["within 3 getent"] = "within 0.2 getent"
    names = [ResolvedName(name=f"{number}.example") for number in range(5)]
    found = list(debian.ask(*names).values())
    assert found[:2] == [Resolution(addresses=(), trouble="no answer within 3 s")] * 2
    assert [str(answer) for answer in found[2:]] == [
        f"{number}.example: not asked for, since names before it got no answer" for number in (2, 3, 4)
    ]
