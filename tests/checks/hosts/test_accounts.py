"""Checks of users, groups and packages on this machine."""

import pwd
import subprocess
from typing import Any

import pytest

from checks.hosts import group, package, user
from golive.model import Status
from tests.checks.hosts.conftest import Machine, params
from tests.judged import Judged
from tests.shims import says

# The name service as it would answer on another host.
ACCOUNTS = r"""case "$1" in
passwd) shift; for name do case $name in
  deploy) echo 'deploy:x:1001:1001::/home/deploy:/bin/bash';; shop) echo 'shop:x:1002:1002::/srv:/usr/sbin/nologin';;
  esac; done; exit 2;;
shadow) echo 'deploy:$y$secret:1:::::'; echo 'shop:!:1:::::';;
group) shift; for name do case $name in docker) echo 'docker:x:998:deploy,eve';; esac; done; exit 2;;
esac"""


@pytest.fixture
def known(machine: Machine) -> Machine:
    """A host with the users `deploy` and `shop` and the group `docker`."""
    machine.fake("getent", ACCOUNTS)
    machine.fake("id", 'case "$*" in *deploy) echo deploy docker;; *) echo shop;; esac')
    return machine


def look_user(machine: Machine, name: str, **more: Any) -> Judged:
    return machine.look(user.test_user_is_what_it_should_be_or_does_not_exist, params(user.Params, user=name, **more))


def test_users_as_they_should_be_pass(known: Machine) -> None:
    own = pwd.getpwuid(0)
    wish = {"uid": 1001, "gid": 1001, "home": "/home/deploy", "shell": "/bin/bash", "groups": "docker", "login": True}
    found = look_user(known, "deploy", locked=False, groups_not=["sudo"], **wish)
    assert (found.status, found.message) == (Status.PASS, "user deploy of host app exists (uid 1001)")
    assert look_user(known, "shop", locked=True, login=False).status is Status.PASS
    assert look_user(known, "eve", exists=False).message == "user eve of host app does not exist"
    assert "secret" not in found.seen
    known.honest("getent")
    known.honest("id")
    assert look_user(known, "root", uid=0, home=own.pw_dir, groups=["root"]).status is Status.PASS


@pytest.mark.parametrize(
    ("name", "wish", "told"),
    [
        ("eve", {}, "user eve of host app does not exist"),
        ("deploy", {"exists": False}, "user deploy of host app exists (uid 1001)"),
        ("deploy", {"uid": 0}, "has uid 1001, 0 needed"),
        ("deploy", {"home": "/srv"}, "has home /home/deploy, /srv needed"),
        ("deploy", {"shell": "/usr/sbin/nologin"}, "has shell /bin/bash"),
        ("deploy", {"groups": ["docker", "sudo"]}, "is not in group sudo (deploy docker)"),
        ("deploy", {"groups_not": ["docker"]}, "is in group docker"),
        ("deploy", {"locked": True}, "its password is set, locked needed"),
        ("deploy", {"login": False}, "may log in: its shell is /bin/bash"),
        ("shop", {"login": True}, "may not log in: its shell is /usr/sbin/nologin"),
        ("shop", {"locked": False}, "its password is locked, set needed"),
    ],
)
def test_users_that_are_not_fail(known: Machine, name: str, wish: dict[str, Any], told: str) -> None:
    found = look_user(known, name, **wish)
    assert found.status is Status.FAIL
    assert told in found.message


def test_what_is_not_told_of_a_user_is_unknown(known: Machine) -> None:
    known.fake("getent", f"case $1 in shadow) exit 2;; esac\n{ACCOUNTS}")
    found = look_user(known, "deploy", locked=True)
    assert found.status is Status.UNKNOWN
    assert found.message.endswith("whether it is locked is not told: the host needs `sudo: true`")
    known.fake("id", "exit 1")
    assert look_user(known, "deploy", groups="docker").status is Status.UNKNOWN
    assert look_user(known, "deploy", groups="docker", uid=5).status is Status.FAIL
    known.fake("getent", "exit 3")
    assert look_user(known, "deploy").status is Status.UNKNOWN
    assert look_user(known, "deploy", exists=False).status is Status.UNKNOWN


def look_group(machine: Machine, name: str, **more: Any) -> Judged:
    check = group.test_group_has_the_members_that_it_should_or_does_not_exist
    return machine.look(check, params(group.Params, group=name, **more))


def test_groups(known: Machine) -> None:
    fine = look_group(known, "docker", gid=998, members=["deploy", "eve"], only=True)
    assert (fine.status, fine.message) == (Status.PASS, "group docker of host app has gid 998 and 2 members")
    assert look_group(known, "admins", exists=False).status is Status.PASS
    wrong = look_group(known, "docker", gid=1, members=["deploy", "shop"], only=True)
    assert wrong.status is Status.FAIL
    assert wrong.message == (
        "group docker of host app has gid 998, 1 needed; group docker of host app lacks member shop; "
        "group docker of host app has members that it may not have: eve"
    )
    assert look_group(known, "docker", only=True).status is Status.FAIL
    assert look_group(known, "docker", exists=False).status is Status.FAIL
    known.fake("getent", f"[ $# -gt 1 ] || exec echo 'mallory:x:1666:998::/:/bin/sh'\n{ACCOUNTS}")
    hidden = look_group(known, "docker", members=["deploy", "eve"], only=True)
    assert hidden.message.endswith("group docker of host app has members that it may not have: mallory")
    assert look_group(known, "docker", members=["deploy", "eve", "mallory"], only=True).status is Status.PASS
    assert look_group(known, "admins").message == "group admins of host app does not exist"
    known.fake("getent", "exit 3")
    assert look_group(known, "docker").status is Status.UNKNOWN


def look_package(machine: Machine, name: str, **more: Any) -> Judged:
    check = package.test_package_is_installed_in_the_right_version_or_not_at_all
    return machine.look(check, params(package.Params, package=name, **more))


def installed(name: str) -> str:
    told = subprocess.run(["dpkg-query", "-Wf", "${Version}", name], capture_output=True, text=True, check=True)
    return told.stdout


def test_packages_of_this_machine(machine: Machine) -> None:
    version = installed("bash")
    fine = look_package(machine, "bash", version=version, at_least="4.2")
    assert (fine.status, fine.message) == (Status.PASS, f"package bash on host app is installed ({version})")
    assert look_package(machine, "telnetd-no-such", installed=False).status is Status.PASS
    assert look_package(machine, "bash", version=version.partition("-")[0]).status is Status.PASS
    old = look_package(machine, "bash", at_least="99.1")
    assert (old.status, old.message) == (Status.FAIL, f"package bash on host app is {version}, at least 99.1 needed")
    assert look_package(machine, "bash", version="5.0").status is Status.FAIL
    assert (
        look_package(machine, "bash", installed=False).message == f"package bash on host app is installed ({version})"
    )
    assert look_package(machine, "no-such").message == "package no-such on host app is not installed"


def test_packages_that_cannot_be_looked_up_are_unknown(machine: Machine) -> None:
    machine.fake("awk", "exit 2")
    assert look_package(machine, "bash").status is Status.UNKNOWN
    assert look_package(machine, "bash", installed=False).status is Status.UNKNOWN
    machine.fake("awk", says("bash amd64 installed ???:"))
    found = look_package(machine, "bash", at_least="1 0")
    assert found.status is Status.UNKNOWN
    assert "cannot be compared: '1 0' is no version" in found.message


def test_a_package_that_is_there_halfway_is_neither_installed_nor_gone(machine: Machine) -> None:
    machine.fake("awk", says("gcc amd64 half-configured 12-1"))
    gone = look_package(machine, "gcc", installed=False)
    assert (gone.status, gone.message) == (Status.FAIL, "package gcc on host app is there, half-configured")
    found = look_package(machine, "gcc")
    assert found.message == "package gcc on host app is not installed, it is half-configured"
    machine.fake("awk", says("gcc amd64 config-files 12-1"))
    assert look_package(machine, "gcc", installed=False).status is Status.PASS


def test_what_is_not_there_has_nothing_to_judge() -> None:
    assert params(user.Params, user="eve", exists=False, uid=1).asserts_nothing() == (
        "what is not there has no uid to judge"
    )
    assert params(group.Params, group="a", exists=False, only=True).asserts_nothing() is not None
    assert params(package.Params, package="a", installed=False, version="1").asserts_nothing() is not None
    for name in ("-a", "a b", "a;b", "", "*"):
        with pytest.raises(ValueError, match="a name is made of"):
            params(package.Params, package=name)
