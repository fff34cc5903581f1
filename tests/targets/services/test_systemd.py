"""Units as `systemctl show` prints them (systemd itself is not to be had in every place where these tests run)."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services.systemd import Config, identity, identity_snippet, parse, snippet
from tests.shims import local_host, says, shim

BOOTED = datetime(2026, 5, 1, tzinfo=UTC)
FACTS = HostFacts(host="app", booted_at=BOOTED)
CONFIG = Config(kind="systemd", host="app", expected=("api", "worker.service", "mail"))
SHOWN = """\
Id=api.service
LoadState=loaded
ActiveState=active
SubState=running
Result=success
NRestarts=2
ExecMainStartTimestampMonotonic=60000000
ExecMainStatus=0
MainPID=42
MemoryCurrent=1048576
IPIngressBytes=18446744073709551615

Id=worker.service
LoadState=loaded
ActiveState=failed
SubState=failed
Result=oom-kill
NRestarts=x
MainPID=0
ExecMainStartTimestampMonotonic=0

Id=mail.service
LoadState=not-found
ActiveState=inactive
"""


def test_units_running_failed_and_missing() -> None:
    found = parse(CONFIG, SHOWN, FACTS)
    api, worker = found.services["api"], found.services["worker.service"]
    assert (api.running, api.state, api.pid, api.restarts, api.memory_bytes) == (
        True,
        "active (running)",
        42,
        2,
        1048576,
    )
    assert api.started_at == BOOTED + timedelta(seconds=60)
    assert api.net_rx_bytes is None
    assert (worker.running, worker.restarts, worker.started_at) == (False, None, None)
    assert found.missing == ("mail",)
    assert [(crash.says, crash.at) for crash in found.crashes] == [
        ("api: started again 2 times after it ended", BOOTED + timedelta(seconds=60)),
        ("worker.service: result oom-kill", None),
    ]
    assert found.crashes_since == BOOTED + timedelta(seconds=60)


def test_without_any_start_crashes_are_known_since_the_boot() -> None:
    found = parse(CONFIG, SHOWN.replace("=60000000", "=0"), FACTS)
    assert found.crashes_since == BOOTED


@pytest.mark.parametrize("said", ["", "sh: systemctl: not found\n", "System has not been booted with systemd\n", "a=b"])
def test_no_systemd_is_could_not_look(said: str) -> None:
    with pytest.raises(CouldNotLook, match="host app: systemd does not answer: "):
        parse(CONFIG, said, FACTS)


def test_names_are_quoted() -> None:
    assert "'a b.service'" in snippet(Config(kind="systemd", host="app", expected=("a b",)))


# What is deployed


def sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def shown(folder: Path) -> str:
    """Two units of which one has a drop-in, an interpreter with a script, and two commands; a third is not there."""
    ran = "ignore_errors=no ; start_time=[Fri 2026-05-01 10:00:00 UTC] ; stop_time=[n/a] ; pid=42 ; code=(null)"
    words = f"{folder}/main.py --port=80 -c={folder}/worker {folder} {folder}/none"
    return f"""\
Id=api.service
LoadState=loaded
FragmentPath={folder}/api.service
DropInPaths={folder}/limits.conf {folder}/env.conf
ExecStart={{ path={folder}/python ; argv[]={folder}/python {words} ; {ran} }}

Id=worker.service
LoadState=loaded
FragmentPath={folder}/worker.service
DropInPaths=
ExecStart={{ path={folder}/migrate ; argv[]={folder}/migrate ; {ran} }}
ExecStart={{ path={folder}/worker ; argv[]={folder}/worker ; {ran} }}

Id=mail.service
LoadState=not-found
FragmentPath=
"""


FILES = ("api.service", "limits.conf", "env.conf", "python", "main.py", "worker.service", "migrate", "worker")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A folder with the files of the units, and a stand-in for systemctl that shows them."""
    for name in FILES:
        (tmp_path / name).write_text(name)
    shim(tmp_path / "bin", "systemctl", says(shown(tmp_path)))
    return tmp_path


def read(folder: Path) -> dict[tuple[str, str], str]:
    return identity(CONFIG, local_host(folder / "bin").run(identity_snippet(CONFIG)).stdout, "app")


def test_identity_is_unit_files_programs_and_scripts(units: Path) -> None:
    found = read(units)
    assert {part: value for part, value in found.items() if part[1] != "configuration"} == {
        ("api", "binary"): sha256("python"),
        ("api", f"file {units}/main.py"): sha256("main.py"),
        ("api", f"file -c={units}/worker"): sha256("worker"),
        ("worker.service", f"binary {units}/migrate"): sha256("migrate"),
        ("worker.service", f"binary {units}/worker"): sha256("worker"),
    }
    assert found["worker.service", "configuration"] == sha256(f"{units}/worker.service {sha256('worker.service')}")


@pytest.mark.parametrize(("file", "part"), [("api.service", "configuration"), ("env.conf", "configuration")])
def test_unit_file_and_drop_ins_are_the_configuration(units: Path, file: str, part: str) -> None:
    before = read(units)
    (units / file).write_text("changed")
    after = read(units)
    assert {name for name in before if before[name] != after[name]} == {("api", part)}


def test_a_start_is_no_change(units: Path) -> None:
    before = read(units)
    shim(units / "bin", "systemctl", says(shown(units).replace("10:00:00", "11:11:11").replace("pid=42", "pid=99")))
    assert read(units) == before


def test_a_file_that_is_gone_is_could_not_look(units: Path) -> None:
    (units / "python").unlink()
    with pytest.raises(CouldNotLook, match=f"host app: api: {units}/python is not there"):
        read(units)
    (units / "python").touch()
    (units / "limits.conf").unlink()
    with pytest.raises(CouldNotLook, match=f"host app: api: {units}/limits.conf is not there"):
        read(units)


def test_a_file_that_cannot_be_read_is_could_not_look(units: Path) -> None:
    refused = "sha256sum: /opt/main.py: Permission denied"
    shim(units / "bin", "sha256sum", f"echo '{refused}' >&2; exit 1")
    with pytest.raises(CouldNotLook, match=f"host app: what is deployed cannot be read: {refused}"):
        read(units)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "systemd does not answer: it printed nothing"),
        ("sh: systemctl: not found\n-- files\n", "systemd does not answer: sh: systemctl: not found"),
        ("Id=api.service\nLoadState=not-found\n-- files\n", "none of the units api, worker.service, mail is there"),
        ("Id=api.service\nLoadState=loaded\n-- files\n", "api: its unit file is not there"),
        (
            "Id=api.service\nFragmentPath=/u\nExecStart=rubbish\n-- files\n" + "a" * 64 + "  /u\n",
            "rubbish is not there",
        ),
    ],
)
def test_an_identity_that_was_not_read_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook, match=f"host app: {why}|{why}$"):
        identity(CONFIG, said, "app")
