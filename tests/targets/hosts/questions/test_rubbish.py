"""Whatever a host answers, every question gets an answer or the reason why it has none; nothing raises."""

import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.certificate import CertificateFile
from golive.targets.hosts.questions.command import Command
from golive.targets.hosts.questions.cron import CronEntries
from golive.targets.hosts.questions.directory_size import DirectorySize
from golive.targets.hosts.questions.file import FileState
from golive.targets.hosts.questions.file_content import FileContent
from golive.targets.hosts.questions.file_digest import FileDigest
from golive.targets.hosts.questions.file_system import FileSystemOf
from golive.targets.hosts.questions.group import Group
from golive.targets.hosts.questions.interface import NetworkInterface
from golive.targets.hosts.questions.kernel_parameter import KernelParameter
from golive.targets.hosts.questions.mount import Mount
from golive.targets.hosts.questions.package import Package
from golive.targets.hosts.questions.process import Processes
from golive.targets.hosts.questions.public_key import PublicKey
from golive.targets.hosts.questions.resolved_name import ResolvedName
from golive.targets.hosts.questions.time_sync import TimeSync
from golive.targets.hosts.questions.timer import Timer
from golive.targets.hosts.questions.udp import UdpPorts
from golive.targets.hosts.questions.user import User
from tests.targets.hosts.questions.conftest import FRAME, Shell

ASKED: list[tuple[Question[Any], ...]] = [
    (CertificateFile(path="/etc/hostname"), CertificateFile(path="/no such")),
    (Command(text="echo a; exit 3"), Command(text="echo b")),
    (CronEntries(text="run-parts"), CronEntries(text="nothing of it")),
    (DirectorySize(path="/etc/cron.d"), DirectorySize(path="/no such")),
    (FileState(path="/etc/passwd"), FileState(path="/no such"), FileState(path="/etc/mtab", link=True)),
    (FileContent(path="/etc/passwd", text="root"), FileContent(path="/etc/passwd", text="no such")),
    (FileSystemOf(path="/etc"), FileSystemOf(path="/no such")),
    (FileDigest(path="/etc/passwd"), FileDigest(path="/no such")),
    (Group(name="root"), Group(name="no-such")),
    (NetworkInterface(name="lo"), NetworkInterface(name="nothere0")),
    (KernelParameter(name="kernel.ostype"), KernelParameter(name="kernel.no_such")),
    (Mount(path="/"), Mount(path="/no such")),
    (Package(name="bash"), Package(name="no-such")),
    (Processes(name="no such"), Processes(command="--no such--")),
    (PublicKey(path="/etc/hostname"), PublicKey(path="/no such")),
    (ResolvedName(name="localhost"), ResolvedName(name="no.such.invalid")),
    (Timer(name="backup"),),
    (TimeSync(),),
    (UdpPorts(),),
    (User(name="root", groups=True, password=True), User(name="no-such")),
]
PIECES = [
    "now",
    "file",
    "file lost",
    "link",
    "to 0",
    "0",
    "1",
    "0 out",
    "0 errors",
    "0 code 0",
    "0 pem",
    "0 key",
    "0 state",
]
PIECES += [
    "0 digest",
    "0 told",
    "0 = 0",
    "known",
    "passwd",
    "shadow",
    "group",
    "self",
    "table",
    "commands",
    "users",
    "udp",
]
PIECES += [
    "owners",
    "mounts",
    "done",
    "values",
    "errors",
    "units",
    "lines",
    "scripts",
    "hidden",
    "files",
    "addresses",
    "dpkg",
]
PIECES += ["apk", "rpm", "tracking", "sources", "peers", "timedated", "timesync", "end"]
SAID = """0|1|-1|=|:|::::::::|==> 1/stat <==|1 (a) S 1 1 1 |Id=x|LoadState=loaded|ActiveState=active|====|Normal|\u0663
LastTriggerUSec=9999-99-99 99:99:99|* * * * * * * * * * *|NTPSynchronized=yes|Offset: +..ms|a b installed c
/sys/class/net/lo/operstate:up|0: 0100007F:0035 00:0 07 |-----BEGIN PUBLIC KEY-----|* * * * * root x
a:x:1:2:3:4:5|local_address"""
WORDS = st.sampled_from([*SAID.replace("\n", "|").split("|"), "9" * 5000, "package x is not installed"])
TEXT = st.lists(st.one_of(WORDS, st.text(max_size=20)), max_size=8).map("\n".join)


def kind_of(asked: tuple[Question[Any], ...]) -> str:
    return type(asked[0]).__name__


@pytest.mark.parametrize("asked", ASKED, ids=kind_of)
@given(told=st.lists(st.tuples(st.sampled_from(PIECES), TEXT), max_size=8), tail=st.binary(max_size=50))
@settings(max_examples=25, deadline=None)
def test_rubbish_is_answered_by_reasons(
    asked: tuple[Question[Any], ...], told: list[tuple[str, str]], tail: bytes
) -> None:
    text = "".join(f"\n{FRAME} {piece}\n{text}" for piece, text in told)
    kind = type(asked[0])
    for said in (text.encode() + tail, text.encode() + f"\n{FRAME} end\n".encode(), tail):
        assert set(kind.parse(asked, said, FRAME)) == set(asked)


@pytest.mark.parametrize("asked", ASKED, ids=kind_of)
def test_an_answer_that_breaks_off_is_the_same_or_none(debian: Shell, asked: tuple[Question[Any], ...]) -> None:
    kind = type(asked[0])
    said = debian.run(kind.snippet(asked, FRAME))
    whole = kind.parse(asked, said, FRAME)
    step = max(1, len(said) // 60)
    for end in range(0, len(said), step):
        for question, answer in kind.parse(asked, said[:end], FRAME).items():
            assert answer == whole[question] or isinstance(answer, CouldNotLook), (end, question)


@pytest.mark.parametrize("asked", ASKED, ids=kind_of)
@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_every_snippet_is_text_that_the_shell_understands(asked: tuple[Question[Any], ...], shell: str) -> None:
    text = type(asked[0]).snippet(asked, FRAME)
    program = ["busybox", "sh"] if shell == "busybox" else [shell]
    done = subprocess.run([*program, "-n", "-c", text], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert all(word not in text for word in ("[[ ", "local ", "<<<", "declare "))


@pytest.mark.parametrize("asked", ASKED, ids=kind_of)
def test_a_snippet_leaves_nothing_of_its_own_to_quote(asked: tuple[Question[Any], ...]) -> None:
    """What is asked for cannot leave its quotes."""
    hostile = "'; echo escaped >&2; '"
    fields = {name for name in ("path", "name", "text") if hasattr(asked[0], name)}
    if not fields:
        return
    question = type(asked[0])(**dict.fromkeys(fields, hostile))
    done = subprocess.run(
        ["dash", "-c", type(question).snippet([question], FRAME)], capture_output=True, check=False, timeout=20
    )
    assert b"\nescaped" not in done.stderr and not done.stderr.startswith(b"escaped")
