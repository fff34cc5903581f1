"""A compose project through a double of the engine's client, and what is printed in bad form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.hosts.processes import Process
from golive.targets.services import ServicesReading
from golive.targets.services.compose import Config, identity, identity_snippet, parse, snippet
from tests.shims import local_host, shim
from tests.targets.services import engine_double as double
from tests.targets.services.engine_double import IMAGE, OTHER, answer, event, row

FACTS = HostFacts(host="app")
CLOSED = (
    "the engine's socket is closed to this user: add the user to the group docker, or set `sudo: true` for the"
    " host (permission denied while trying to connect to the Docker daemon socket at unix:///x)"
)


def config(**more: Any) -> Config:
    given = {"kind": "compose", "host": "app", "project": "shop", "expected": ("api", "worker", "db", "web"), **more}
    return Config.model_validate(given)


def told(said: str, **more: Any) -> ServicesReading:
    return parse(config(**more), said, FACTS)


ENDED: dict[str, Any] = {"state": "exited", "exit_code": 137, "finished": "2026-05-01T11:00:00Z", "pid": 0}


def test_a_project_with_everything_in_it() -> None:
    rows = [
        row("api"),
        row("worker", **ENDED, oom_killed=True),
        row("db", health="unhealthy", health_said="no answer\x1b[31m\n", started="rubbish"),
        row("extra", health=None, health_test=None),
        row("api", "shop-api-run", oneoff="True", **ENDED),
    ]
    use = f"use {rows[0]['id']} memory=2000 inactive=500 oom_kills=0 uids=4242:1000 rx=7 tx=9 cpu_us=1000000 up=10.00"
    later = use.replace("cpu_us=1000000 up=10.00", "cpu_us=1500000 up=12.00")
    found = told(answer(rows, use=use, again=later))
    api, worker, db = (found.services[name] for name in ("api", "worker", "db"))
    assert (api.state, api.running, api.healthy, api.restarts) == ("running (healthy)", True, True, 0)
    assert api.started_at == datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert (api.cpu_percent, api.memory_bytes, api.net_rx_bytes, api.net_tx_bytes) == (25.0, 1500, 7, 9)
    assert (worker.running, worker.exit_code, worker.started_at, worker.cpu_percent) == (False, 137, None, None)
    assert worker.state == "exited (exit code 137, killed for lack of memory, healthy)"
    assert (db.healthy, db.started_at) == (False, None)
    assert db.state == "running (unhealthy, its last check said: no answer)"
    assert (found.missing, found.undeclared) == (("web",), ("extra",))
    assert [crash.says for crash in found.crashes] == ["worker: killed for lack of memory"]
    assert len(found.containers) == 4


def test_the_settings_of_a_container() -> None:
    plain = told(answer([row("api")])).containers[0]
    assert (plain.limits.memory_bytes, plain.limits.cpus, plain.limits.pids) == (2**25, 0.5, 50)
    assert (plain.rights.capabilities, plain.rights.no_new_privileges, plain.rights.read_only_root) == (
        frozenset(),
        True,
        True,
    )
    assert plain.image is not None
    assert (plain.image.reference_digest, plain.image.registry_digests) == (IMAGE, (OTHER,))
    loose = told(
        answer(
            [
                row(
                    "api",
                    memory=0,
                    nano_cpus=0,
                    cpu_quota=150_000,
                    cpu_period=100_000,
                    pids_limit=-1,
                    cap_drop=["CAP_NET_RAW"],
                    cap_add=["sys_time"],
                    security=["seccomp=unconfined", "apparmor:unconfined"],
                    pid_mode="host",
                    network_mode="host",
                    devices=[{"PathOnHost": "/dev/kvm"}],
                    mounts=[
                        {"Type": "bind", "Source": "/etc", "Destination": "/e", "RW": False},
                        {"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data", "Destination": "/data"},
                    ],
                    ports={
                        "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
                        "53/udp": [{"HostIp": "::1", "HostPort": "53"}],
                    },
                )
            ]
        )
    ).containers[0]
    assert (loose.limits.memory_bytes, loose.limits.cpus, loose.limits.pids) == (0, 1.5, 0)
    assert "SYS_TIME" in loose.rights.capabilities and "NET_RAW" not in loose.rights.capabilities
    assert (loose.rights.unconfined, loose.rights.host_namespaces) == (("seccomp", "apparmor"), ("pid", "network"))
    assert loose.rights.devices == ("/dev/kvm",)
    assert [str(mount) for mount in loose.mounts] == ["/etc on /e (read-only)", " on /data"]
    assert [str(port) for port in loose.published] == ["0.0.0.0:8080", "[::1]:53/udp", "[::]:8080"]


def test_what_an_ended_container_would_publish_is_told() -> None:
    bindings = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    found = told(answer([row("api", **ENDED, bindings=bindings)])).containers[0]
    assert [str(port) for port in found.published] == ["127.0.0.1:0"]


def test_of_the_processes_only_the_containers_own_count() -> None:
    """A command that was started in it from outside is no child of its first process."""
    processes = {
        pid: Process(
            pid=pid,
            parent=parent,
            name="x",
            started_at=None,
            rss_bytes=0,
            used_s=0,
            used_with_children_s=0,
            cpu_percent=None,
        )
        for pid, parent in ((4242, 1), (4243, 4242), (5000, 1))
    }
    one = row("api")
    said = answer([one], use=f"use {one['id']} uids=4242:1000,4243:1001,5000:0")
    found = parse(config(), said, HostFacts(host="app", processes=processes)).containers[0]
    assert found.rights.uids == frozenset({1000, 1001})
    assert told(said).containers[0].rights.uids == frozenset({1000, 1001, 0})


def test_no_replica_hides_behind_another() -> None:
    rows = [row("api", "shop-api-1"), row("api", "shop-api-2", **ENDED), row("worker"), row("worker", "w2")]
    found = told(answer(rows), replicas={"worker": 3})
    api, worker = found.services["api"], found.services["worker"]
    assert (api.running, api.state) == (False, "exited (exit code 137, healthy): shop-api-2; 1 of 2 run")
    assert (worker.running, worker.wanted, "; 2 of 3 run" in worker.state) == (False, 3, True)
    assert told(answer(rows), replicas={"worker": 2}).services["worker"].running


def test_a_container_whose_use_is_not_told_is_not_lost() -> None:
    found = told(answer([row("api")], use="rubbish\nuse\nuse x memory=y\n"))
    assert (found.services["api"].running, found.services["api"].memory_bytes) == (True, None)


# Crashes


def crashes(*events: str, rows: Any = None, **more: Any) -> list[str]:
    return [crash.says for crash in told(answer(rows or [row("worker")], events=events), **more).crashes]


@pytest.mark.parametrize("key", ["state", "privileged", "pid_mode", "network_mode", "ipc_mode"])
def test_a_container_that_does_not_tell_its_rights_has_not_none(key: str) -> None:
    with pytest.raises(CouldNotLook, match=f"shop-api-1 does not tell its {key.replace('_', ' ')}"):
        told(answer([{**row("api"), key: None}]))


def test_a_namespace_of_the_host_may_be_shared_by_way_of_another_container() -> None:
    one = row("api", network_mode="container:other")
    said = answer([one]).replace("-- golive images", f"-- golive shared\n{one['id']} net\nrubbish\n-- golive images")
    assert told(said).containers[0].rights.host_namespaces == ("network",)


def test_an_unexpected_end_is_a_crash_and_one_that_was_asked_for_is_none() -> None:
    assert crashes(event("die", code="1")) == ["worker: ended with exit code 1"]
    assert crashes(event("die", code="0")) == []
    assert crashes(event("kill", signal="15"), event("die", code="143")) == []
    assert crashes(event("kill", signal="15"), event("kill", signal="9"), event("die", code="137")) == []
    assert crashes(event("kill", signal="9"), event("die", code="137")) == ["worker: ended with exit code 137"]
    restarted = (event("kill", signal="15"), event("die", code="143"), event("die", code="3", at=1777630020))
    assert crashes(*restarted) == ["worker: ended with exit code 3"]
    for reload in ("1", "SIGHUP", "10", "12"):
        assert crashes(event("kill", signal=reload), event("die", code="1")) == ["worker: ended with exit code 1"]
    assert crashes(event("oom"), event("die", code="137")) == ["worker: killed for lack of memory (exit code 137)"]
    assert crashes(event("health_status: unhealthy", "db")) == ["db: unhealthy"]
    assert crashes(event("health_status: healthy", "db"), "rubbish", "[]", event("die", at="x")) == []


def test_events_of_others_are_passed_over() -> None:
    assert crashes(event("die", code="1", group="other")) == []
    assert crashes(event("die", code="1", oneoff="True")) == []
    assert crashes(event("die", code="1"), leave_out=["worker"]) == []


def test_a_crash_that_events_and_container_both_show_is_one() -> None:
    shown = row("worker", restarts=2, finished="2026-05-01T10:06:39Z")
    assert crashes(event("die", code="1"), rows=[shown]) == ["worker: ended with exit code 1"]
    assert crashes(rows=[shown]) == ["worker: started again 2 times after it ended"]


def test_an_end_that_was_asked_for_is_none_either_where_the_container_still_shows_it() -> None:
    killed = row("worker", **{**ENDED, "finished": "2026-05-01T10:06:40Z"})
    asked = (event("kill", signal="15"), event("kill", signal="9"), event("die", code="137"), event("stop"))
    found = told(answer([killed], events=asked))
    assert (found.crashes, found.services["worker"].running) == ((), False)
    assert crashes(*asked[1:], rows=[killed]) == ["worker: ended with exit code 137"]
    assert crashes(rows=[killed]) == ["worker: ended with exit code 137"]
    assert crashes(*asked, event("die", code="137", at=1777630020), rows=[killed]) == [
        "worker: ended with exit code 137"
    ]
    assert crashes(*asked, rows=[{**killed, "oom_killed": True}]) == ["worker: killed for lack of memory"]
    assert crashes(*asked, rows=[{**killed, "restarts": 1}]) == ["worker: started again once after it ended"]
    assert crashes(*asked, rows=[{**killed, "restarts": 2}]) == ["worker: started again 2 times after it ended"]


def test_crashes_are_known_as_far_back_as_events_or_containers_go() -> None:
    early = {"started": "2026-05-01T08:00:00Z"}
    rows = [row("api", **early), row("worker", started="2026-05-01T09:00:00Z"), row("extra")]
    assert told(answer(rows)).crashes_since == datetime(2026, 5, 1, 9, tzinfo=UTC)
    assert told(answer(rows, oldest="1777600000")).crashes_since == datetime(2026, 5, 1, 1, 46, 40, tzinfo=UTC)
    assert told(answer([row("api", created="x", started="x")])).crashes_since is None


# Declared services


def test_declared_services_come_from_the_file() -> None:
    given = {"project_dir": "/srv/shop", "expected": ("api", "web")}
    found = told(answer([row("api"), row("web")], declared="W: obsolete version\nworker\napi\n-- exit 0"), **given)
    assert (found.undeclared, found.unknown_to_file, found.declared_gap) == (("worker",), ("web",), None)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ("sh: docker-compose: not found\n\n-- exit 127", "sh: docker-compose: not found"),
        ("sh: cd: can't cd to /srv/shop", "sh: cd: can't cd to /srv/shop"),
        ("-- exit 0", "it printed nothing"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_gap(declared: str, why: str) -> None:
    found = told(answer([row("api")], declared=declared), project_dir="/srv/shop")
    assert found.declared_gap == f"which services the compose file declares is not known: {why}"
    assert found.unknown_to_file == ()


def test_a_folder_with_two_projects_is_could_not_look() -> None:
    said = answer([row("api"), row("api", "other-api-1", group="other")])
    with pytest.raises(CouldNotLook, match="compose project /srv holds other, shop: name one with 'project'"):
        told(said, project=None, project_dir="/srv")


def test_nothing_there_is_missing_and_not_unknown() -> None:
    found = told("-- golive ids\n\n-- golive containers\n\n")
    assert (found.missing, found.note) == (found.expected, "compose project shop has no container")


# Could not look


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "the engine told nothing"),
        ("<html>", "<html>"),
        (
            "-- golive refused 1\nCannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n",
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        ),
        (
            "-- golive refused 1\npermission denied while trying to connect to the Docker daemon socket at unix:///x\n",
            CLOSED,
        ),
        (
            "-- golive refused 127\nsh: 1: docker: not found\n",
            "`docker` is not installed there (sh: 1: docker: not found)",
        ),
        ("-- golive refused 124\n\n", "`docker` did not answer within 6 s"),
        ("-- golive refused rubbish\n\n", "`docker` ended with exit code None"),
        (f"-- golive ids\n{'a' * 64}\n-- golive containers\n<html>\n", "<html>"),
        (f"-- golive ids\n{'a' * 64}\n-- golive containers\n", "it told nothing of container aaaaaaaaaaaa"),
    ],
)
def test_what_is_no_project_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook) as problem:
        told(said)
    assert str(problem.value) == f"host app: compose project shop: {why}"


ANYTHING = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is slow at making up JSON
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@ANYTHING
@given(st.dictionaries(st.sampled_from(sorted(row("api"))), JSON))
def test_a_container_of_any_form_is_read_or_refused(changes: dict[str, Any]) -> None:
    one = row("api") | {key: value for key, value in changes.items() if key != "id"}
    try:
        assert told(answer([one])).expected == config().expected
    except CouldNotLook as problem:
        if not str(problem).startswith("host app: compose project shop: "):
            raise


@ANYTHING
@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_is_read_or_refused(use: str, images: str, events: str, declared: str) -> None:
    said = answer([row("api")], use=use, images=images or "x", events=[events], declared=declared)
    try:
        assert told(said, project_dir="/srv").expected == config().expected
    except CouldNotLook as problem:
        if not str(problem).startswith("host app: compose project shop: "):
            raise


def test_a_project_needs_a_name_or_a_folder() -> None:
    with pytest.raises(ValidationError, match=r"needs its 'project' \(name\) or its 'project_dir'"):
        config(project=None)
    with pytest.raises(ValidationError, match="are read in the folder that 'project_dir' names"):
        config(files=["x.yaml"])


# The shell text, through a double of the client


def test_the_snippet_asks_seven_times_and_never_for_an_environment(tmp_path: Path) -> None:
    bin_folder = double.engine(tmp_path, [row("api"), row("worker")], events=[event("die", code="1")])
    shim(bin_folder, "docker-compose", "printf 'api\\nworker\\n'")
    more = {"project_dir": str(tmp_path), "project": None, "expected": ("api", "worker")}
    found = local_host(bin_folder, {"app": config(**more)}).read_services("app")
    assert (set(found.services), found.undeclared, found.declared_gap) == ({"api", "worker"}, (), None)
    assert [crash.says for crash in found.crashes] == ["worker: ended with exit code 1"]
    assert found.containers[0].image is not None and found.containers[0].image.reference_digest == IMAGE
    log = (tmp_path / "log").read_text()
    assert len(log.splitlines()) <= 7
    assert ".Env" not in log and '"Env"' not in log and "Cmd" not in log
    assert f"label=com.docker.compose.project.working_dir={tmp_path}" in log


def test_a_container_that_vanishes_while_it_is_read_is_looked_for_again(tmp_path: Path) -> None:
    bin_folder = double.engine(tmp_path, [row("api")])
    once = f'[ "$1" = inspect ] && [ ! -e {tmp_path}/done ]'
    gone = f"touch {tmp_path}/done; echo 'Error: No such container'; exit 1"
    shim(bin_folder, "docker", f"if {once}; then {gone}; fi\n{double.DOUBLE.format(folder=tmp_path)}")
    assert local_host(bin_folder, {"app": config(expected=["api"])}).read_services("app").services["api"].running


def test_warnings_of_the_client_are_no_containers(tmp_path: Path) -> None:
    bin_folder = double.engine(tmp_path, [row("api")])
    shim(bin_folder, "docker", f"echo 'WARNING: no config' >&2\n{double.DOUBLE.format(folder=tmp_path)}")
    assert local_host(bin_folder, {"app": config(expected=["api"])}).read_services("app").services["api"].running


def test_an_engine_that_hangs_is_named(tmp_path: Path) -> None:
    shim(tmp_path / "bin", "docker", "sleep 60")
    shim(tmp_path / "bin", "timeout", "case $4 in true) exit 0 ;; esac; exit 124")
    with pytest.raises(CouldNotLook, match="host app: compose project shop: `docker` did not answer within 6 s"):
        local_host(tmp_path / "bin", {"app": config()}).read_services("app")


def test_names_are_quoted() -> None:
    assert "'/srv/a b'" in snippet(config(project=None, project_dir="/srv/a b", files=["$(x)"], profiles=["`y`"]))
    assert "'$(x)'" in snippet(config(project_dir="/srv", files=["$(x)"]))
    assert "'unix:///a b'" in snippet(config(engine="unix:///a b"))


# What is deployed


def asked(*rows: dict[str, Any]) -> str:
    ids = "\n".join(one["id"] for one in rows)
    return f"-- golive ids\n{ids}\n-- golive containers\n" + "".join(f"{json.dumps(one)}\n" for one in rows)


def one(service: str, name: str = "", **more: Any) -> dict[str, Any]:
    known = {"id": double.identity(name or service), "service": service, "oneoff": "False", "image": IMAGE}
    return {**known, "configuration": "cd" * 32, **more}


def test_identity_is_images_configuration_and_replicas() -> None:
    said = asked(one("web"), one("web", "web2", image=OTHER), one("api"), one("api", "run", oneoff="True"))
    assert identity(config(), said, "app") == {
        ("api", "image"): IMAGE,
        ("api", "configuration"): f"sha256:{'cd' * 32}",
        ("api", "replicas"): "1",
        ("web", "image"): f"{IMAGE}, {OTHER}",
        ("web", "configuration"): f"sha256:{'cd' * 32}",
        ("web", "replicas"): "2",
    }


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "the engine told nothing"),
        ("-- golive ids\n\n", " has no container"),
        ("-- golive refused 1\nCannot connect to the Docker daemon.\n", "Cannot connect to the Docker daemon."),
        (asked(one("web")) + "Error: No such container: gone\n", "Error: No such container: gone"),
        (asked(one("web")) + "{}\n", "{}"),
        (asked(one("web")).replace("-- golive containers", f"{'f' * 64}\n-- golive containers"), "was not told of"),
        (asked(one("web", oneoff="True")), " has no container"),
        (asked(one("web", image="")), "web: a container does not tell the digest of its image"),
        (
            asked(one("web"), one("web", "w2", configuration=None)),
            "web: a container does not tell the digest of its con",
        ),
    ],
)
def test_an_identity_that_was_not_read_is_could_not_look(said: str, why: str) -> None:
    with pytest.raises(CouldNotLook, match="host app: compose project shop") as problem:
        identity(config(), said, "app")
    assert why in str(problem.value)


def test_identity_is_asked_for_in_one_go_and_without_any_environment(tmp_path: Path) -> None:
    bin_folder = double.engine(tmp_path, [row("api")])
    (tmp_path / "rows").write_text(json.dumps(one("api") | {"id": row("api")["id"]}))
    found = local_host(bin_folder).run(identity_snippet(config())).stdout
    assert identity(config(), found, "app")["api", "replicas"] == "1"
    listed, inspected = (tmp_path / "log").read_text().splitlines()
    assert listed.startswith("ps -a -q --no-trunc --filter label=com.docker.compose.project=shop")
    assert "config-hash" in inspected and "Env" not in inspected
