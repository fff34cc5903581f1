"""Which sets, sources and ports are chosen out of what was found."""

from __future__ import annotations

from typing import Any

import pytest

from golive.discovery.questions.containers import Declared
from golive.discovery.questions.log_files import LogFile
from golive.discovery.questions.supervisors import Supervisor
from golive.discovery.questions.units import Unit
from golive.discovery.visiting.doors import doors
from golive.discovery.visiting.sets import in_scope, sets_of
from golive.discovery.visiting.sources import MOST, sources_of
from golive.targets.hosts.facts import Port
from tests.discovery.made import NOW, facts, seen, seen_port, survey


def unit(name: str, active: str = "active", sub: str = "running", state: str = "enabled", kind: str = "simple") -> Unit:
    return Unit(name=name, active=active, sub=sub, file_state=state, type=kind)


def log(path: str, **values: Any) -> LogFile:
    return LogFile(**{"path": path, "size_bytes": 1, "changed_at": int(NOW.timestamp()), "readable": True, **values})


def named(*, units: Any = (), containers: Any = (), supervisors: Any = (), target: tuple[str, ...] = ("local",)) -> Any:
    whole = survey(*target, units=units, containers=containers, supervisors=supervisors)
    return {one.name: (one.config["kind"], one.expected) for one in sets_of(whole)}


def test_units_that_are_enabled_and_run_or_crashed_are_a_set() -> None:
    units = (
        unit("api.service"),
        unit("worker@2.service"),
        unit("once.service", sub="exited", kind="oneshot"),
        unit("by-hand.service", state="static"),
        unit("crashed.service", active="failed", sub="failed"),
        unit("again.service", active="activating", sub="auto-restart"),
        unit("stopped.service", active="inactive", sub="dead"),
        unit("ended.service", sub="exited"),
        unit("getty@tty1.service"),
        unit("systemd-networkd.service"),
        unit("backup.timer", sub="waiting"),
    )
    assert named(units=units) == {"systemd": ("systemd", ("api", "worker@2", "crashed", "again"))}


def test_each_compose_project_is_a_set_and_other_containers_are_one_an_engine() -> None:
    containers = (
        seen("shop_api_1", project="shop", service="api"),
        seen("shop_api_2", project="shop", service="api"),
        seen("shop_job_1", project="shop", service="job", status="exited", exit_code=0),
        seen("shop_late_1", project="shop", service="late", status="exited", exit_code=137),
        seen("shop_mute_1", project="shop", service="mute", status="exited"),
        seen("shop_loop_1", project="shop", service="loop", status="restarting", exit_code=0),
        seen("shop_run_1", project="shop", service="api", is_oneoff=True),
        seen("blog_web_1", project="blog", service="web"),
        seen("alone"),
        seen("done", status="exited", exit_code=0),
        seen("crashed", status="exited", exit_code=1),
        seen("pod", engine="podman"),
    )
    assert named(containers=containers) == {
        "blog": ("compose", ("web",)),
        "shop": ("compose", ("api", "late", "mute", "loop")),
        "docker": ("docker", ("alone", "crashed")),
        "podman": ("podman", ("pod",)),
    }


def test_supervisors_are_sets_with_names_of_their_own_and_their_log() -> None:
    running = (("api", "RUNNING"), ("job", "FATAL"))
    whole = survey(
        supervisors=(
            Supervisor(config="/a/s.conf", programs=running),
            Supervisor(config="/b/s.conf", programs=(("x", "RUNNING"),)),
            Supervisor(config="/c/s.conf", programs=(("y", "STOPPED"),)),
        ),
        log_files=(log("/b/logs/supervisord.log", process="python"), log("/z/supervisord.log", process="python")),
    )
    assert [(s.name, s.expected, s.config.get("log")) for s in sets_of(whole)] == [
        ("supervisor", ("api", "job"), None),
        ("supervisor-2", ("x",), "/b/logs/supervisord.log"),
        ("supervisor-3", ("y",), None),
    ]


def test_of_a_compose_target_only_its_project_is_looked_at() -> None:
    containers = (
        seen("1", project="shop", service="api"),
        seen("2", project="shop", service="db"),
        seen("3", project="blog", service="web", folder="/srv/shop"),
        seen("4"),
    )
    by_id = survey("compose", "/srv/x", containers=containers, declared=Declared(services=("api",), ids=("1",)))
    assert [c.id for c in in_scope(by_id)] == ["1", "2"]
    declared = Declared(services=(), ids=(), folder="/srv/shop")
    by_folder = survey("compose", "/srv/x", containers=containers, declared=declared)
    assert [c.id for c in in_scope(by_folder)] == ["3"]
    (one,) = sets_of(by_id)
    assert one.config == {"kind": "compose", "host": "app", "project": "shop", "project_dir": "/srv/x"}


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/srv/docker-compose.yml", {"project_dir": "/srv"}),
        ("/srv/prod.yaml", {"project_dir": "/srv", "files": ["prod.yaml"]}),
    ],
)
def test_a_compose_file_of_another_name_is_named(path: str, more: dict[str, Any]) -> None:
    containers = (seen("1", project="shop", service="api"),)
    whole = survey("compose", path, containers=containers, declared=Declared(services=("api",), ids=("1",)))
    (one,) = sets_of(whole)
    assert one.config == {"kind": "compose", "host": "app", "project": "shop", **more}


# logs


def test_sources_are_containers_units_and_files_that_are_written() -> None:
    whole = survey(
        units=(unit("api.service"),),
        containers=(
            seen("shop_api_1", project="shop", service="api"),
            seen("shop_api_2", project="shop", service="api"),
            seen("alone"),
            seen("pod", engine="podman"),
            seen("gone", status="exited", exit_code=0),
            seen("crashed", status="exited", exit_code=1),
        ),
        log_files=(
            log("/var/log/app.log", process="app", starts="{{{"),
            log("/var/log/quiet.log", changed_at=0),
            log("/var/log/held.log", changed_at=0, process="app", starts="22"),
            log("/var/log/secret.log", readable=False),
            log("/var/log/dpkg.log"),
            log("/var/log/bad\nname.log"),
        ),
    )
    sources, left_out = sources_of(whole, NOW.timestamp())
    assert [(s.name, s.config["kind"]) for s in sources] == [
        ("api", "docker"), ("alone", "docker"), ("pod", "docker"), ("crashed", "docker"), ("api-2", "journald"),
        ("app", "file"), ("held", "file"),
    ]  # fmt: skip
    assert [s.config.get("format") for s in sources] == [None, None, None, None, None, "json", "text"]
    assert [dict(s.config) for s in sources[:3]] == [
        {"kind": "docker", "host": "app", "project": "shop", "service": "api"},
        {"kind": "docker", "host": "app", "container": "alone"},
        {"kind": "docker", "host": "app", "program": "podman", "container": "pod"},
    ]
    assert {left.what.rpartition("/")[2]: left.why for left in left_out} == {
        "bad\nname.log": "its path holds characters that cannot be printed",
        "quiet.log": "nothing was written to it for a week, and no process holds it open",
        "secret.log": "it may not be read by the user that the suite comes as",
        "dpkg.log": "it tells of packages and of starting up, not of the system's work",
    }


def test_sources_have_a_bound() -> None:
    files = tuple(log(f"/srv/{n:03}.log", process="app") for n in range(MOST + 5))
    sources, left_out = sources_of(survey(log_files=files), NOW.timestamp())
    assert (len(sources), len(left_out)) == (MOST, 5)


# ports


PORTS = (
    Port(address="0.0.0.0", port=22, process="sshd"),
    Port(address="0.0.0.0", port=80, process="nginx"),
    Port(address="127.0.0.1", port=8001, process="python"),
    Port(address="10.0.0.5", port=8002, process="java"),
    Port(address="127.0.0.1", port=5432, process=None),
    Port(address="127.0.0.1", port=6380, process="redis-server"),
    Port(address="0.0.0.0", port=9100, process=None),
    Port(address="127.0.0.1", port=8003, process="own", pid=77),
)
CONTAINERS = (
    seen("web", published=(seen_port(8080, 28080), seen_port(8443, 28443, "127.0.0.1"))),
    seen("db", image="registry/postgres:16", published=(seen_port(5432, 25432),)),
    seen("cache", image="shop:1", service="redis", published=(seen_port(7000, 27000),)),
    seen("mail", published=(seen_port(25, 28025),)),
    seen("gone", status="exited", published=(seen_port(8080, 28081),)),
)


def asked(*target: str, probe_http: bool | None, address: str = "127.0.0.1") -> list[int]:
    known = facts(ports=PORTS, own_pids=frozenset({77}))
    whole = survey(*target, facts=known, containers=CONTAINERS)
    return [door.port for door in doors(whole, address, probe_http=probe_http)]


def test_without_being_told_only_published_ports_and_web_servers_are_asked() -> None:
    assert asked("local", probe_http=None) == [28080, 28443, 80]


def test_all_that_may_speak_http_is_asked_when_that_is_wished() -> None:
    assert asked("local", probe_http=True) == [28080, 28443, 80, 8001, 8002]


def test_nothing_is_asked_when_that_is_wished() -> None:
    assert asked("local", probe_http=False) == []
    assert asked("docker://api", probe_http=True, address="") == []


def test_loopback_of_another_machine_is_not_ours() -> None:
    assert asked("ssh://shop", probe_http=True, address="10.0.0.5") == [28080, 80, 8002]
    assert asked("ssh://shop", probe_http=None, address="127.0.0.1") == [28080, 28443, 80]


def test_of_containers_only_their_published_ports_are_asked() -> None:
    assert asked("docker", probe_http=True) == [28080, 28443]
