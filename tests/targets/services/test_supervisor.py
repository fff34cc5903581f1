"""Services under a real supervisord, and what its tools print in good form and bad."""

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import ServicesReading
from golive.targets.services.supervisor import Config, identity, identity_snippet, parse
from tests.shims import local_host, shim
from tests.supervised import Supervised, supervised

FACTS = HostFacts(host="app", zone=timedelta(hours=2))
CONFIG = Config.model_validate(
    {"kind": "supervisor", "host": "app", "config": "/etc/s.conf", "expected": ("api", "worker")}
)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    with supervised(tmp_path_factory.mktemp("supervisor") / "s", ["api", "worker"]) as found:
        yield found


def read(manager: Supervised, *expected: str) -> ServicesReading:
    return local_host(manager.bin, {"app": manager.config(*expected)}).read_services("app")


def test_running_services_with_start_cpu_and_memory(manager: Supervised) -> None:
    found = read(manager, "api", "worker", "mail")
    api = found.services["api"]
    assert (api.running, api.state, api.pid) == (True, "RUNNING", manager.pid("api"))
    assert api.started_at is not None and abs(time.time() - api.started_at.timestamp()) < 60
    assert api.cpu_percent is not None and api.cpu_percent < 50
    assert api.memory_bytes is not None and api.memory_bytes > 100_000
    assert (found.missing, found.undeclared) == (("mail",), ())
    assert api.pid in found.pids
    assert found.crashes == () and found.crashes_gap is None
    assert found.crashes_since is not None and found.crashes_since <= api.started_at + timedelta(seconds=2)


def test_a_service_that_nobody_expects_is_named(manager: Supervised) -> None:
    assert read(manager, "api").undeclared == ("worker",)


def test_a_stopped_service_and_a_killed_one(manager: Supervised) -> None:
    manager.ctl("stop", "worker")
    manager.kill("api")
    found = read(manager, "api", "worker")
    manager.ctl("start", "worker")
    assert (found.services["worker"].state, found.services["worker"].running) == ("STOPPED", False)
    (crash,) = found.crashes
    assert crash.says == "exited: api (terminated by SIGKILL; not expected)"
    assert crash.at is not None and abs(datetime.now(UTC) - crash.at) < timedelta(seconds=30)


def test_its_processes_are_not_the_suites_own(manager: Supervised) -> None:
    host = local_host(manager.bin, {"app": manager.config("api", "worker")})
    own = host.facts.own_pids
    assert os.getpid() in own
    assert not own & {manager.process.pid, manager.pid("api"), manager.pid("worker")}


def test_a_supervisor_that_is_down_is_could_not_look(tmp_path: Path) -> None:
    with supervised(tmp_path / "s", ["api"]) as manager:
        manager.process.terminate()
        manager.process.wait()
        with pytest.raises(CouldNotLook, match=r"host app: supervisord \(.*s\.conf\) does not answer: .*no such file"):
            read(manager, "api")


def test_a_supervisor_that_hangs_is_could_not_look_and_the_host_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("golive.targets.hosts.host._SERVICES_LIMIT_S", 1)
    with supervised(tmp_path / "s", ["api"]) as manager:
        os.kill(manager.process.pid, signal.SIGSTOP)
        host = local_host(manager.bin, {"app": manager.config("api")})
        with pytest.raises(CouldNotLook, match="services app did not answer within the time"):
            host.read_services("app")
        assert host.facts.memory is not None
        os.kill(manager.process.pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("said", "why"),
    [("", "it printed nothing"), ("sh: 1: supervisorctl: not found\n", "not found"), ("<html>\x1b[2J\n", "<html>")],
)
def test_what_is_no_status_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook, match=why):
        parse(CONFIG, said, FACTS)


def test_a_log_that_cannot_be_read_is_a_gap() -> None:
    found = parse(CONFIG, "api RUNNING pid 1, uptime 0:00:01\n-- log\nhead: cannot open '/x'\n", FACTS)
    assert found.crashes_gap == "supervisord's log could not be read (head: cannot open '/x')"


def test_times_of_the_log_are_the_hosts_local_ones() -> None:
    log = (
        "2026-05-01 12:00:00,250 INFO supervisord started with pid 1\n"
        "2026-05-01 12:30:00,000 INFO exited: api (exit status 1; not expected)\n"
        "2026-13-99 12:30:00,000 INFO exited: api (exit status 1; not expected)\n"
        "rubbish\n"
    )
    found = parse(CONFIG, f"api FATAL Exited too quickly\n-- log\n{log}", FACTS)
    assert found.crashes_since == datetime(2026, 5, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    assert [crash.at for crash in found.crashes] == [datetime(2026, 5, 1, 10, 30, tzinfo=UTC), None]
    assert found.services["api"].state == "FATAL"


# What is deployed

Identity = dict[tuple[str, str], str]


def sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def deployed(file: Path, text: str | None = None) -> Identity:
    """What is deployed according to the configuration in `file`, into which `text` is written first."""
    if text is not None:
        file.write_text(text)
    asked = CONFIG.model_copy(update={"config": str(file)})
    return identity(asked, local_host(file.parent / "bin").run(identity_snippet(asked)).stdout, "app")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The place of a configuration, beside which programs lie; the folder's name has a space in it."""
    folder = tmp_path / "my app"
    for name in ("bin/python", "srv/main.py", "srv/with space.py", "tool"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shim((folder / name).parent, Path(name).name, name)
    return folder / "s.conf"


def content(name: str) -> str:
    return sha256(f"#!/bin/sh\n{name}\n")


def test_identity_is_sections_programs_scripts_and_numbers(config: Path) -> None:
    found = deployed(
        config,
        """\
        ; don't be fooled by an apostrophe
        [unix_http_server]
        password = hunter2
        [program:api]
        Command: python main.py --port=80 'with space.py' %(program_name)s  ; it's "quoted
        directory=%(here)s/srv
        numprocs=3
        environment=TOKEN="hunter2"
        [program:worker]
        # comment
        command =
          ./tool

            -x "%(here)s/srv/main.py" "--rc=%(here)s/tool" --no=%(ENV_X)s /etc %(process_num)d
        [eventlistener:mails]
        command="%(here)s/tool"
        """,
    )
    folder = config.parent
    assert {part: value for part, value in found.items() if part[1] != "configuration"} == {
        ("api", "replicas"): "3",
        ("api", "binary"): content("bin/python"),
        ("api", "file main.py"): content("srv/main.py"),
        ("api", "file with space.py"): content("srv/with space.py"),
        ("worker", "replicas"): "1",
        ("worker", "binary"): content("tool"),
        ("worker", f"file {folder}/srv/main.py"): content("srv/main.py"),
        ("worker", f"file --rc={folder}/tool"): content("tool"),
        ("eventlistener:mails", "replicas"): "1",
        ("eventlistener:mails", "binary"): content("tool"),
    }
    configured = {part for part in found if part[1] == "configuration"}
    assert configured == {(name, "configuration") for name in ("", "api", "worker", "eventlistener:mails")}
    assert "hunter2" not in str(found)


PROGRAMS = "[supervisord]\nminfds=1\n[program:api]\ncommand=./tool srv/main.py\n[program:worker]\ncommand=./tool\n"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("minfds=1", "minfds=2", {("", "configuration")}),
        ("[program:worker]", "priority=5\n[program:worker]", {("api", "configuration")}),
        ("[program:worker]", "numprocs=2\n[program:worker]", {("api", "replicas")}),
        ("command=./tool\n", "Command : ./tool ; as before\n\n# the same\n", set()),
    ],
)
def test_what_is_written_differently_is_told_under_its_name(
    config: Path, old: str, new: str, changed: set[tuple[str, str]]
) -> None:
    before = deployed(config, PROGRAMS)
    after = deployed(config, PROGRAMS.replace(old, new))
    assert before.keys() == after.keys()
    assert {part for part in before if before[part] != after[part]} == changed


def test_a_replaced_script_is_told_under_its_name(config: Path) -> None:
    before = deployed(config, PROGRAMS)
    (config.parent / "srv" / "main.py").write_text("pass")
    after = deployed(config)
    assert {part for part in before if before[part] != after[part]} == {("api", "file srv/main.py")}


def test_included_files_belong_to_it(config: Path) -> None:
    (config.parent / "conf.d").mkdir()
    included = config.parent / "conf.d" / "a.conf"
    included.write_text("[program:api]\ncommand='%(here)s/../tool'")
    (config.parent / "extra.ini").write_text("[program:worker]\ncommand=./tool\n")
    found = deployed(config, "[include]\nfiles = conf.d/*.conf\n  extra.ini none/*.conf\n[supervisord]\n")
    assert {name for name, _ in found} == {"", "api", "worker"}
    assert found["api", "binary"] == content("tool")
    included.write_text("[program:api]\ncommand='%(here)s/../tool'\npriority=1\n")
    after = deployed(config)
    assert {part for part in found if found[part] != after[part]} == {("api", "configuration")}


def test_relative_paths_are_those_of_the_running_supervisord(config: Path, tmp_path: Path) -> None:
    shim(tmp_path / "elsewhere", "job", "job")
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path / "elsewhere") as process:
        (tmp_path / "s.pid").write_text(f"{process.pid}\n")
        text = f"[supervisord]\npidfile={tmp_path}/s.pid\n[program:api]\ncommand=./job\n"
        found = deployed(config, text)
        process.kill()
    assert found["api", "binary"] == content("job")
    with pytest.raises(CouldNotLook, match=r"api: its program ./job is not there"):
        deployed(config)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[program:api]\ncommand=/nowhere/x\n", "api: its program /nowhere/x is not there"),
        ("[program:api]\ncommand=no-such-program-x\n", "api: its program no-such-program-x is not there"),
        ("[program:api]\ncommand=echo\n", "api: its program echo is not there"),
        ("[program:api]\npriority=1\n", "api: its command could not be taken apart"),
        ("[program:api]\ncommand=./tool 'hunter2\n", "api: its command could not be taken apart"),
        ("[program:api]\ncommand=%(ENV_HOME)s/x\n", r"api: which file %\(ENV_HOME\)s/x is, is not known here"),
        ("[program:api]\ncommand=./tool %(ENV_A)s/x\n", r"api: which file %\(ENV_A\)s/x is, is not known here"),
        ("[program:api]\ncommand=./tool --rc=%(ENV_A)s/x\n", r"api: which file --rc=%\(ENV_A\)s/x is, is not known"),
        ("[include]\nfiles=%(ENV_A)s/*.conf\n[program:a]\ncommand=./tool\n", r"which files %\(ENV_A\)s/\*.conf are"),
        ("[supervisord]\nminfds=1\n", "no program stands in its configuration"),
        ("password hunter2\n", r"s.conf is no configuration \(MissingSectionHeaderError\)"),
        ("[program:api]\nhunter2\n", r"s.conf is no configuration \(ParsingError\)"),
    ],
)
def test_an_identity_that_was_not_read_is_could_not_look(config: Path, text: str, why: str) -> None:
    with pytest.raises(CouldNotLook, match=why) as problem:
        deployed(config, text)
    assert str(problem.value).startswith(f"host app: supervisord ({config}): ")
    assert "hunter2" not in str(problem.value)


def test_a_configuration_that_is_not_there_is_could_not_look(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"host app: supervisord \(.*s.conf\): cat: .*s.conf: No such file"):
        deployed(tmp_path / "s.conf")


def test_a_program_that_cannot_be_read_is_could_not_look(config: Path) -> None:
    shim(config.parent / "bin", "sha256sum", "echo 'sha256sum: /srv/app: Permission denied' >&2; exit 1")
    with pytest.raises(CouldNotLook, match=r"host app: what is deployed cannot be read: .*Permission denied"):
        deployed(config, PROGRAMS)


@pytest.mark.parametrize(("command", "refused"), [("cat", "conf.d/a.conf"), ("ls", "conf.d")])
def test_an_included_file_that_cannot_be_read_is_could_not_look(config: Path, command: str, refused: str) -> None:
    place = config.parent / refused
    (config.parent / "conf.d").mkdir()
    (config.parent / "conf.d" / "a.conf").write_text("[program:more]\ncommand=./tool\n")
    deployed(config, f"{PROGRAMS}[include]\nfiles=conf.d/*.conf\n")
    told = f"{command}: {place}: Permission denied"
    script = f'case "$1" in "{place}") echo "{told}" >&2; exit 1 ;; esac; exec {{real}} "$@"'
    shim(config.parent / "bin", command, script)
    with pytest.raises(CouldNotLook) as problem:
        deployed(config)
    assert str(problem.value) == f"host app: supervisord ({config}): {told}"


@pytest.mark.parametrize("command", ["{place}/main.py", "main.py", "srv/run", "--main {place}/main.py"])
def test_a_script_in_a_closed_folder_is_could_not_look(command: str) -> None:
    """Whether it is there cannot be seen, so it may not be taken for absent."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        place, file = Path(folder, "closed"), Path(folder, "s.conf")
        place.mkdir(mode=0o700)
        (place / "main.py").touch()
        file.write_text(
            f"[program:api]\ndirectory={place}\ncommand=/bin/sh x app.main:app 1.5 {command.format(place=place)}\n"
        )
        asked = CONFIG.model_copy(update={"config": str(file)})
        nobody = 65534 if os.geteuid() == 0 else None
        place.chmod(0o700 if nobody else 0o000)
        snippet = ["/bin/sh", "-c", identity_snippet(asked)]
        said = subprocess.run(snippet, user=nobody, cwd="/", capture_output=True, text=True, check=False).stdout
        place.chmod(0o700)
    told = f"{place}/{command.format(place=place).removeprefix('--main ').removeprefix(f'{place}/')}"
    with pytest.raises(CouldNotLook) as problem:
        identity(asked, said, "app")
    assert str(problem.value) == f"host app: what is deployed cannot be read: sha256sum: {told}: Permission denied"


def test_words_at_which_there_is_nothing_are_no_files(config: Path) -> None:
    found = deployed(config, "[program:api]\ndirectory=%(here)s\ncommand=./tool /api/v1 a/b.py none.py /etc/passwd/x\n")
    assert {what for name, what in found if name == "api"} == {"binary", "replicas", "configuration"}


@pytest.mark.parametrize("said", ["", "-- words\n-- digests\n", "<html>\x1b[2J\n"])
def test_rubbish_is_could_not_look(said: str) -> None:
    with pytest.raises(CouldNotLook, match=r"host app: supervisord \(/etc/s.conf\): "):
        identity(CONFIG, said, "app")
