"""Users and groups, from the name service and from its files."""

import pwd
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions.group import Group, GroupFacts
from golive.targets.hosts.questions.user import User, UserFacts
from tests.targets.hosts.questions.conftest import FRAME, Shell

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
eve:x:1001:100:Eve,,,:/home/eve:/bin/sh
open::1002:100::/home/open:/bin/sh
old:*:1003:100::/nonexistent:/usr/sbin/nologin
broken:x:one:100::/:/bin/sh
short:x:1
"""
SHADOW = "root:*:1:::::\neve:!$y$salt$hash:1:::::\nclear:$y$salt$hash:1:::::\nempty::1:::::\n"


@pytest.fixture
def files(shell: Shell, open_folder: Path) -> Shell:
    """A host without `getent`, whose accounts are these."""
    for name, text in (
        ("passwd", PASSWD),
        ("shadow", SHADOW),
        ("group", "wheel:x:10:eve,open\nstaff:x:50:\nbad:x:y:\n"),
    ):
        (open_folder / name).write_text(text)
        shell.replaced[f"/etc/{name}"] = str(open_folder / name)
    shell.replaced["has getent"] = "false"
    return shell


def test_users_of_this_machine(shell: Shell) -> None:
    found = shell.ask(User(name="root", groups=True), User(name="nobody"), User(name="no-such"), User(name="0"))
    root, nobody, *others = found.values()
    entry = pwd.getpwnam("nobody")
    assert isinstance(root, UserFacts) and isinstance(nobody, UserFacts)
    assert (root.uid, root.gid, root.home, root.groups is not None and root.is_in("root")) == (0, 0, "/root", True)
    assert (nobody.uid, nobody.shell, nobody.groups, nobody.password) == (entry.pw_uid, entry.pw_shell, None, None)
    assert others == [None, None]


def test_users_from_files(files: Shell) -> None:
    names = ("root", "eve", "open", "old", "broken", "short", "gone")
    found = dict(zip(names, files.ask(*(User(name=name, password=True) for name in names)).values(), strict=True))
    assert [found[name].password for name in ("root", "eve", "open", "old")] == ["locked", "locked", "empty", "locked"]
    assert (found["eve"].uid, found["eve"].shell) == (1001, "/bin/sh")
    assert str(found["broken"]) == "user broken: its entry in passwd is broken"
    assert found["short"] is None and found["gone"] is None


def test_no_part_of_a_password_leaves_the_host(files: Shell) -> None:
    said = files.run(User.snippet([User(name="eve", password=True), User(name="clear", password=True)], FRAME))
    assert b"clear set" in said and b"eve locked" in said
    assert b"hash" not in said and b"salt" not in said


def test_passwords_are_not_told_to_everybody(shell: Shell) -> None:
    shell.is_nobody = True
    found = shell.answer(User(name="root", password=True))
    assert isinstance(found, UserFacts) and found.password is None


def test_a_group_whose_name_holds_a_space(debian: Shell) -> None:
    debian.fake("id", "case $1 in -Gn) echo 'users domain admins wheel' ;; *) echo 100 1200 10 ;; esac")
    lines = "100) echo users:x:100: ;; 1200) echo 'domain admins:x:1200:root' ;; 10) echo wheel:x:10: ;;"
    debian.fake("getent", f'case $1 in group) case $2 in {lines} esac ;; *) exec /usr/bin/getent "$@" ;; esac')
    user = debian.answer(User(name="root", groups=True))
    assert isinstance(user, UserFacts) and user.groups == ("users", "domain admins", "wheel")
    assert user.is_in("domain admins") and user.is_in("wheel") and user.is_in("users")
    assert not user.is_in("admins") and not user.is_in("domain users")


def test_groups_of_this_machine_and_from_files(files: Shell) -> None:
    found = files.ask(Group(name="wheel"), Group(name="staff"), Group(name="bad"), Group(name="gone"))
    wheel, staff, bad, gone = found.values()
    assert (wheel, staff, gone) == (GroupFacts(gid=10, members=("eve", "open")), GroupFacts(gid=50, members=()), None)
    (files.first.parent / "passwd").write_text(f"{PASSWD}mallory:x:1666:10::/:/bin/sh\n")
    hidden = files.answer(Group(name="wheel"))
    assert isinstance(hidden, GroupFacts) and hidden.primary == ("mallory",)
    assert str(bad) == "group bad: its entry is broken"
    files.replaced.clear()
    assert "root" in files.answer(Group(name="root")).primary
    assert files.answer(Group(name="no-such")) is None


def test_a_name_service_that_fails_is_not_one_without_users(debian: Shell) -> None:
    debian.fake("getent", "exit 3")
    assert debian.why(User(name="root")) == "user root: the host told nothing of it"
    assert debian.why(Group(name="root")) == "group root: the host told nothing of it"


def test_several_users_share_one_lookup(debian: Shell, open_folder: Path) -> None:
    count = open_folder / "count"
    debian.fake("getent", f'echo "$1" >> {count}; exec /usr/bin/getent "$@"')
    found = debian.ask(*(User(name=name, password=True) for name in ("root", "daemon", "bin", "sys", "gone")))
    assert [answer is None for answer in found.values()] == [False] * 4 + [True]
    assert count.read_text().split() == ["passwd", "shadow"]
    assert not any(isinstance(answer, CouldNotLook) for answer in found.values())
