"""Packages as dpkg, apk and rpm keep them, and which of two versions is newer."""

import itertools
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.model import CouldNotLook
from golive.targets.hosts.questions.package import Installed, Package
from golive.targets.hosts.questions.versions import compared
from tests.targets.hosts.questions.conftest import Shell

DPKG = """\
Package: nginx
Status: install ok installed
Architecture: amd64
Multi-Arch: foreign
Version: 1.22.1-9+deb12u1
Description: small server
 Package: forged
 .
 Version: 9

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9

Package: telnetd
Status: deinstall ok config-files
Architecture: amd64
Version: 0.17

Package: half
Status: install ok half-configured
Architecture: amd64
Version: 1
"""
APK = "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\n\nP:nginx\nV:1.24.0-r15\nA:x86_64\n\n"


def without_databases(shell: Shell, folder: Path) -> Shell:
    for path in ("/var/lib/dpkg/status", "/usr/lib/apk/db/installed", "/lib/apk/db/installed"):
        shell.replaced[path] = str(folder / path.replace("/", "-"))
    return shell


@pytest.fixture
def bare(shell: Shell, open_folder: Path) -> Shell:
    """A host without any package database."""
    return without_databases(shell, open_folder)


def database(shell: Shell, path: str, text: str) -> None:
    Path(shell.replaced[path]).write_text(text)


def test_a_host_without_packages_is_unknown(bare: Shell) -> None:
    bare.replaced["has rpm"] = "false"
    assert bare.why(Package(name="bash")) == "neither dpkg's nor apk's database is there, nor `rpm`"


def test_debian(bare: Shell) -> None:
    database(bare, "/var/lib/dpkg/status", DPKG)
    names = ("nginx", "libc6", "libc6:i386", "telnetd", "half", "forged", "gone", "libc6:arm64")
    found = bare.ask(*(Package(name=name) for name in names))
    assert {answer.manager for answer in found.values()} == {"dpkg"}
    assert [answer.versions for answer in found.values()] == [
        ("1.22.1-9+deb12u1",),
        ("2.36-9", "2.36-9"),
        ("2.36-9",),
        (),
        (),
        (),
        (),
        (),
    ]


def test_this_machine(shell: Shell) -> None:
    told = subprocess.run(["dpkg-query", "-Wf", "${Version}", "bash"], capture_output=True, text=True, check=True)
    assert shell.answer(Package(name="bash")) == Installed(manager="dpkg", versions=(told.stdout,))


def test_alpine(bare: Shell) -> None:
    database(bare, "/usr/lib/apk/db/installed", APK)
    found = bare.ask(Package(name="nginx"), Package(name="musl"), Package(name="bash"))
    assert [(a.manager, a.versions) for a in found.values()] == [
        ("apk", ("1.24.0-r15",)),
        ("apk", ("1.2.4-r2",)),
        ("apk", ()),
    ]


RPM = """
for name do case $name in
  openssl) echo "openssl x86_64 installed 1:3.0.7-24.el9";;
  kernel) echo "kernel x86_64 installed 0:5.14.0-1.el9"; echo "kernel x86_64 installed 0:5.14.0-2.el9";;
  gone) echo "package gone is not installed";;
esac; done; exit 1
"""


def test_red_hat(debian: Shell, open_folder: Path) -> None:
    bare = without_databases(debian, open_folder)
    bare.fake("rpm", RPM)
    found = bare.ask(Package(name="openssl"), Package(name="kernel"), Package(name="gone"))
    assert [a.versions for a in found.values()] == [
        ("1:3.0.7-24.el9",),
        ("0:5.14.0-1.el9", "0:5.14.0-2.el9"),
        (),
    ]
    bare.fake("rpm", "echo 'error: cannot open Packages database' >&2; exit 1")
    assert bare.why(Package(name="gone")) == "rpm could not look into its database"


def test_a_database_that_cannot_be_read_is_unknown(debian: Shell, open_folder: Path) -> None:
    bare = without_databases(debian, open_folder)
    database(bare, "/var/lib/dpkg/status", DPKG)
    bare.fake("awk", "exit 2")
    assert bare.why(Package(name="nginx")) == "nginx: the host told nothing of it"


VERSION = st.from_regex(r"([0-9]:)?[0-9][0-9a-c.+~]{0,6}(-[0-9a-c+.~]{1,4})?", fullmatch=True)


@given(st.lists(st.tuples(VERSION, VERSION), min_size=40, max_size=40))
@settings(max_examples=5, deadline=None)
def test_versions_compare_as_dpkg_compares_them(pairs: list[tuple[str, str]]) -> None:
    # What is wanted names its epoch and revision here, since dpkg takes those that are missing for 0.
    full = [(ours, theirs if ":" in theirs else f"0:{theirs}") for ours, theirs in pairs]
    full = [(ours, theirs if "-" in theirs else f"{theirs}-0") for ours, theirs in full]
    script = "\n".join(
        f"if dpkg --compare-versions '{a}' lt '{b}'; then echo -1; "
        f"elif dpkg --compare-versions '{a}' eq '{b}'; then echo 0; else echo 1; fi"
        for a, b in full
    )
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    for (ours, theirs), order in zip(full, told, strict=True):
        assert sign(compared("dpkg", ours, theirs)) == int(order), (ours, theirs)


def sign(order: int) -> int:
    return (order > 0) - (order < 0)


@pytest.mark.parametrize(
    ("manager", "ascending"),
    [
        ("dpkg", ["1.0~rc1", "1.0~rc2", "1.0", "1.0a", "1.0+b1", "1.0.1", "1.2", "1.10", "1:0.1"]),
        ("rpm", ["1.0~rc1", "1.0", "1.0^git1", "1.0a", "1.0.1", "1.1a", "1.1.1", "1.2", "1.10", "1:0.1"]),
        (
            "apk",
            ["1.0_alpha1", "1.0_beta", "1.0_rc1", "1.0_rc2", "1.0", "1.0_p1", "1.0a", "1.0.0", "1.05", "1.1", "1.10"],
        ),
    ],
)
def test_versions_in_their_order(manager: str, ascending: list[str]) -> None:
    for (i, ours), (j, theirs) in itertools.product(enumerate(ascending), repeat=2):
        wanted = theirs if ":" in theirs or manager == "apk" else f"0:{theirs}"
        assert sign(compared(manager, ours, wanted)) == sign(i - j), (ours, theirs)


@pytest.mark.parametrize(
    ("manager", "installed", "wanted"),
    [
        ("dpkg", "1:9.2p1-2+deb12u3", "9.2p1"),
        ("dpkg", "1:9.2p1-2+deb12u3", "9.2p1-2+deb12u3"),
        ("dpkg", "1.0-1", "1.00-1"),
        ("rpm", "1:3.0.7-24.el9", "3.0.7"),
        ("rpm", "0:3.0.7-24.el9", "3.0.7-24.el9"),
        ("rpm", "0:1_0-1", "1.0"),
        ("apk", "1.24.0-r15", "1.24.0"),
        ("apk", "1.24.0-r15", "1.24.0-r15"),
    ],
)
def test_what_the_wanted_version_does_not_name_is_not_compared(manager: str, installed: str, wanted: str) -> None:
    assert compared(manager, installed, wanted) == 0


def test_an_epoch_does_not_make_every_version_new_enough() -> None:
    assert compared("dpkg", "1:9.2p1-2", "9.6p1") < 0
    assert compared("rpm", "1:3.0.7-24.el9", "3.2") < 0


def test_a_revision_that_is_wanted_is_compared() -> None:
    assert compared("dpkg", "1.22.1-9", "1.22.1-9+deb12u1") < 0
    assert compared("rpm", "0:3.0.7-24.el9", "3.0.7-27.el9") < 0
    assert compared("apk", "1.24.0-r1", "1.24.0-r15") < 0


@pytest.mark.parametrize(("manager", "version"), [("apk", "latest"), ("apk", "1.0_zeta"), ("dpkg", "a b"), ("rpm", "")])
def test_what_is_no_version_is_refused(manager: str, version: str) -> None:
    with pytest.raises(ValueError, match=r"no version|no suffix"):
        compared(manager, "1.0-1" if manager != "apk" else "1.0", version)


def test_rubbish_is_no_package() -> None:
    asked = Package(name="x")
    assert isinstance(Package.parse([asked], b"\xff\x00", "f")[asked], CouldNotLook)
