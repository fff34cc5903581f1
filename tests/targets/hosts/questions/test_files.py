"""Files, their content and digests, and what lies below directories."""

import hashlib
import os
import socket
import time
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions.directory_size import Below, DirectorySize
from golive.targets.hosts.questions.file import FileFacts, FileState
from golive.targets.hosts.questions.file_content import FileContent
from golive.targets.hosts.questions.file_digest import FileDigest
from tests.targets.hosts.questions.conftest import FRAME, Shell

HOSTILE = "it's $HOME `id`\n\x1b[31m\tend"


def test_files_of_every_kind_are_told_in_one_go(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / HOSTILE
    file.write_text("12345")
    file.chmod(0o4751)
    os.utime(file, (0, time.time() - 100))
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "broken").symlink_to("no such")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    paths = [str(file), *(str(tmp_path / name) for name in ("link", "broken", "fifo", "socket", "gone", "fifo/x"))]
    asked = [FileState(path=path) for path in [*paths, str(tmp_path), "/dev/null"]]
    linked = [FileState(path=path, link=True) for path in paths[:3]]
    found = list(shell.ask(*asked, *linked).values())
    one = found[0]
    assert isinstance(one, FileFacts)
    assert (one.kind, one.mode, one.size_bytes, one.uid, one.gid) == ("file", 0o4751, 5, os.getuid(), os.getgid())
    assert one.owner == file.owner() and one.group == file.group() and 99 <= one.age_s <= 130
    assert found[1] == one
    assert found[2] is None and found[5] is None and found[6] is None
    kinds = [facts.kind for facts in (found[3], found[4], found[7], found[8])]
    assert kinds == ["fifo", "socket", "directory", "character device"]
    assert [facts.kind for facts in found[9:]] == ["file", "symlink", "symlink"]
    assert [facts.target for facts in found[9:]] == [None, str(file), "no such"]


def test_a_path_that_looks_like_an_option_is_a_path(shell: Shell) -> None:
    assert [found and found.kind for found in shell.ask(FileState(path="-L"), FileState(path="/etc")).values()] == [
        None,
        "directory",
    ]
    assert shell.answer(FileState(path="--version")) is None
    assert shell.answer(FileDigest(path="--help")) != ""


def test_what_may_not_be_looked_at_is_told_from_what_is_not_there(shell: Shell, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    shell.is_nobody = True
    hidden, gone = FileState(path=str(tmp_path / "x")), FileState(path="/no such")
    found = shell.ask(hidden, gone)
    assert found[gone] is None
    assert str(found[hidden]) == f"{tmp_path}/x: permission denied: the host needs `sudo: true`"
    assert "no regular file, or not to be seen" in shell.why(FileContent(path=str(tmp_path / "x"), text="a"))


def test_a_host_without_stat_is_not_one_without_files(debian: Shell) -> None:
    debian.fake("stat", "exit 1")
    found = debian.ask(FileState(path="/etc/passwd"), FileState(path="/no such"))
    assert all(isinstance(answer, CouldNotLook) for answer in found.values())


def test_an_error_that_is_no_absence_is_unknown_for_all(debian: Shell) -> None:
    debian.fake("stat", "echo \"stat: cannot statx 'x': Input/output error\" >&2; exit 1")
    assert debian.why(FileState(path="/no such")).endswith("Input/output error")


def test_content_is_found_by_text_and_by_pattern(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / HOSTILE
    file.write_bytes(b"first\nmode = [strict] \xff\n-v\n")
    asked = {
        ("[strict]", False): True,
        ("[strict]", True): True,
        ("^mode *= *\\[[a-z]{6}\\]", True): True,
        ("-v", False): True,
        ("^-v$", True): True,
        ("lax", False): False,
        ("^strict", True): False,
        ("$(touch /tmp/x)", False): False,
    }
    questions = {FileContent(path=str(file), text=text, is_pattern=p): want for (text, p), want in asked.items()}
    assert shell.ask(*questions) == questions


def test_a_pattern_that_is_none_and_a_file_that_is_none_are_unknown(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    bad = FileContent(path="/etc/passwd", text="(", is_pattern=True)
    waits = FileContent(path=str(tmp_path / "fifo"), text="a")
    found = shell.ask(bad, waits)
    assert str(found[bad]).startswith("/etc/passwd: grep: ")
    assert str(found[waits]) == f"{tmp_path}/fifo is no regular file, or not to be seen"
    assert "is no regular file" in shell.why(FileDigest(path=str(tmp_path / "fifo")))


def test_what_may_not_be_read_needs_sudo(shell: Shell, open_folder: Path) -> None:
    file = open_folder / "secret"
    file.write_text("a")
    file.chmod(0)
    shell.is_nobody = True
    assert shell.why(FileContent(path=str(file), text="a")).endswith("the host needs `sudo: true`")
    assert shell.why(FileDigest(path=str(file))).endswith("the host needs `sudo: true`")


def test_a_file_that_is_too_large_is_not_searched(shell: Shell, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_text("a")
    with large.open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    found = shell.ask(FileContent(path=str(small), text="a"), FileContent(path=str(large), text="a"))
    assert [str(answer) for answer in found.values()] == [
        "True",
        f"{large} is larger than 64 MiB and is not searched",
    ]


def test_digests_are_told_whatever_the_name(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / ("back\\slash " + HOSTILE)
    file.write_bytes(b"content")
    gone = FileDigest(path=str(tmp_path / "gone"))
    found = shell.ask(FileDigest(path=str(file)), gone)
    assert next(iter(found.values())) == hashlib.sha256(b"content").hexdigest()
    assert isinstance(found[gone], CouldNotLook)


def test_what_lies_below_a_directory_is_counted(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / HOSTILE).write_bytes(b"x" * 1000)
    (tmp_path / "a" / "= 0").write_bytes(b"x" * 24)
    (tmp_path / "a" / "link").symlink_to("/etc")
    (tmp_path / "empty").mkdir()
    full, empty = DirectorySize(path=str(tmp_path)), DirectorySize(path=str(tmp_path / "empty"))
    gone, file = DirectorySize(path=str(tmp_path / "gone")), DirectorySize(path=str(tmp_path / "a" / "= 0"))
    found = shell.ask(full, empty, gone, file)
    assert found[full] == Below(files=2, size_bytes=1024)
    assert found[empty] == Below(files=0, size_bytes=0)
    assert found[gone] is None
    assert str(found[file]) == f"{tmp_path}/a/= 0 is no directory"


def test_a_link_to_a_directory_is_counted_as_the_directory(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_bytes(b"x" * 5000)
    (tmp_path / "spool").symlink_to("data")
    assert shell.answer(DirectorySize(path=str(tmp_path / "spool"))) == Below(files=1, size_bytes=5000)


def test_folders_that_may_not_be_read_are_not_left_out_silently(shell: Shell, open_folder: Path) -> None:
    (open_folder / "data" / "a\nx: No such file or directory").mkdir(parents=True)
    (open_folder / "data" / "a\nx: No such file or directory").chmod(0)
    shell.is_nobody = True
    why = shell.why(DirectorySize(path=str(open_folder / "data")))
    assert "of its folders could not be read (permission denied: the host needs `sudo: true`)" in why


def test_counting_ends_at_its_time(debian: Shell) -> None:
    debian.fake("find", 'case "$*" in "/ -prune"*) exit 0;; esac; sleep 20')
    began = time.monotonic()
    asked = DirectorySize(path="/etc", within_s=0.3)
    assert debian.why(asked) == "/etc was not counted within 0.3 s"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "text", ["", "x y\n0 0\n", "1 2\n", "1 2\n124 0\n\n", "\uff11 \uff12\n0 0\n\n", "1 2\n0 3\nfind: x\n"]
)
def test_rubbish_is_no_size(text: str) -> None:
    asked = DirectorySize(path="/x")
    said = f"\n{FRAME} 0\n{text}\n{FRAME} end\n".encode()
    assert isinstance(DirectorySize.parse([asked], said, FRAME)[asked], CouldNotLook)
