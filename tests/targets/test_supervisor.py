"""Services under a real supervisord, and what its tools print in good form and bad."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.facts import HostFacts
from golive.targets.services import ServicesReading
from golive.targets.services.supervisor import Config, parse
from tests.shims import local_host
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
    monkeypatch.setattr("golive.targets.probe._SNIPPET_LIMIT_S", 1)
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
