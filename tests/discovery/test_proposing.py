"""What is proposed from what was found: limits, reasons, and what is off because it does not hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from golive.discovery.found import Answered, Certificate, Found, Heard, ServiceSet, Source
from golive.discovery.proposal import Entry, Item, Rule
from golive.discovery.questions.certificates import CertificateFile
from golive.discovery.questions.containers import Declared
from golive.discovery.questions.logins import Group, Login
from golive.discovery.questions.packages import Package
from golive.discovery.questions.schedules import CronTable
from golive.logs import LogReading
from golive.logs.text import LogText
from golive.logs.times import Clock as LogClock
from golive.targets.hosts.facts import Clock, Memory, Port, Process
from golive.targets.hosts.questions.time_sync import TimeSyncFacts
from golive.targets.hosts.questions.timer import TimerFacts
from golive.targets.services import Crash, Service
from golive.targets.services.containers import Health, Image, Limits, Mount, Published, Rights
from tests.discovery import made
from tests.discovery.made import GB, NOW, container, disk, facts, found, seen, seen_port, service, services, survey

SET = ServiceSet(name="shop", config={"kind": "compose", "host": "app", "project": "shop"}, expected=("api", "db"))


def rule(of: Found, name: str) -> Rule:
    (one,) = [r for r in made.proposal(of).rules if f"{r.area}.{r.name}" == name]
    return one


def names(of: Found) -> set[str]:
    return {f"{r.area}.{r.name}" for r in made.proposal(of).rules}


def item(of: Found, name: str) -> Item:
    (one,) = rule(of, name).items
    return one


def entry(of: Found, section: str) -> Entry:
    (one,) = [e for e in made.proposal(of).entries if e.section == section]
    return one


def left_out(of: Found) -> dict[str, str]:
    return {left.what: left.why for left in made.proposal(of).left_out}


def on(**values: Any) -> Found:
    return found(survey=survey(facts=facts(**values)))


# the host


def test_host_is_an_entry_with_what_it_is() -> None:
    one = entry(on(), "hosts")
    assert (one.name, dict(one.data)) == ("app", {"connect": "local://"})
    assert one.told == "2 CPUs, 8.0 GB of memory, up 24 h"


def test_limits_of_disks_stand_above_their_use_and_say_what_it_was() -> None:
    disks = (disk(used=40), disk("/data disk", used=88), disk("/full", used=99), disk("/mem", source="tmpfs"))
    one = rule(on(file_systems=disks), "health.disk")
    assert [(i.name, dict(i.keys), i.told, i.off) for i in one.items] == [
        ("/", {"paths": ["/"], "warning": 75, "critical": 85}, "40.0 % of 100.0 GB in use", None),
        ("/full", {"paths": ["/full"]}, "99.0 % of 100.0 GB in use", "no limit leaves room: make room first"),
        (
            "/data-disk",
            {"paths": ["/data disk"], "warning": 95, "critical": 98},
            "88.0 % of 100.0 GB in use; already high: look why before you trust this limit",
            None,
        ),
    ]


def test_disk_without_a_fixed_number_of_inodes_has_no_limit_of_them() -> None:
    assert "health.inodes" not in names(on(file_systems=(disk(inodes=0, inodes_used=0),)))
    assert item(on(file_systems=(disk(inodes_used=900),)), "health.inodes").keys["critical"] == 98


def test_the_same_disk_mounted_twice_is_one() -> None:
    twice = (disk("/"), disk("/var/lib/bind", source="/dev/root"))
    assert [i.name for i in rule(on(file_systems=twice), "health.disk").items] == ["/"]


@pytest.mark.parametrize(
    ("name", "values", "off"),
    [
        ("health.cpu", {"cpu_percent": 40.0}, None),
        ("health.cpu", {"cpu_percent": 80.0}, None),
        ("health.cpu", {"cpu_percent": 95.0}, "it was at its limit when it was looked at: decide what is usual here"),
        ("health.clock", {}, None),
        (
            "health.clock",
            {"clock": Clock(offset_s=-300.0, uncertainty_s=0.1, host_time=NOW)},
            "it is that far off, or its answer takes too long to tell",
        ),
        ("health.oom", {"oom_kills": 0}, None),
        ("health.oom", {"oom_kills": 3}, "3 were killed since it was started, and the first look counts them all"),
        ("health.memory", {}, None),
        (
            "health.memory",
            {"memory": Memory(total_bytes=GB, available_bytes=1, swap_total_bytes=0, swap_free_bytes=0)},
            "no limit leaves room: make room first",
        ),
    ],
)
def test_what_does_not_hold_is_off_with_its_reason(name: str, values: dict[str, Any], off: str | None) -> None:
    assert rule(on(**values), name).why_off == off


def test_cpu_that_is_busy_already_gets_no_limit_to_warn_at() -> None:
    assert rule(on(cpu_percent=40.0), "health.cpu").keys == {"host": "app", "warning": 75, "critical": 90}
    assert rule(on(cpu_percent=80.0), "health.cpu").keys == {"host": "app", "critical": 90}


def test_inside_a_container_only_its_root_is_a_disk() -> None:
    disks = (disk("/", source="overlay"), disk("/etc/hosts", source="/dev/vda"), disk("/x", source="overlay"))
    assert [i.name for i in rule(on(file_systems=disks), "health.disk").items] == ["/"]


def test_facts_that_are_not_told_are_left_out_with_their_reason() -> None:
    of = on(cpu_percent=None, memory=None, oom_kills=None, problems={"memory": "meminfo is cut"})
    assert not {"health.cpu", "health.memory", "health.oom"} & names(of)
    assert left_out(of)["memory"] == "meminfo is cut"


# services


def with_services(*them: Service, deployed: timedelta | None = None, **values: Any) -> Found:
    since = None if deployed is None else NOW - deployed
    return found(sets=(SET,), services={"shop": services(*them, **values)}, deployed_at=since)


def ended(name: str, code: int) -> Service:
    one = container(name, state="exited", running=False, exit_code=code, health=None)
    return service(name, running=False, state=one.told, exit_code=code, containers=(one,))


def test_services_that_are_well_are_expected_and_none_is_sick() -> None:
    of = with_services(service("api"), service("db"))
    one = entry(of, "services")
    assert (one.data["expected"], one.told) == (["api", "db"], "2 run")
    assert item(of, "services.running").told == "2 run"
    assert made.proposal(of).sick == ()


@pytest.mark.parametrize(
    ("ill", "state"),
    [
        (service("db", healthy=False, state="running (unhealthy)"), "running (unhealthy)"),
        (service("db", running=False, state="restarting"), "restarting"),
        (ended("db", 137), "exited (exit code 137)"),
    ],
)
def test_a_service_that_is_ill_is_expected_and_told_so_that_the_first_run_is_red(ill: Service, state: str) -> None:
    of = with_services(service("api"), ill)
    one = entry(of, "services")
    assert one.data["expected"] == ["api", "db"]
    assert "leave_out" not in one.data
    assert one.told == f"1 runs well, ILL: db ({state})"
    running = item(of, "services.running")
    assert (running.off, running.told) == (None, one.told)
    (sick,) = made.proposal(of).sick
    assert sick.what == "service db"
    assert sick.why == f"{state}: it is expected all the same, so the first run is red until it is well"


def test_a_job_that_ended_well_is_left_out() -> None:
    of = with_services(service("api"), ended("migrate", 0), expected=("api",))
    of = replace(of, sets=(replace(SET, expected=("api", "migrate")),))
    one = entry(of, "services")
    assert (one.data["expected"], one.data["leave_out"]) == (["api"], ["migrate"])
    assert one.told == "1 runs; not expected: migrate (exited (exit code 0))"
    assert made.proposal(of).sick == ()


def test_set_of_which_nothing_is_left_is_left_out() -> None:
    of = found(sets=(SET,), services={"shop": services()})
    assert left_out(of)["services shop"] == "none of them is there any more"
    assert "services.running" not in names(of)


def test_several_containers_of_a_service_are_wanted_again() -> None:
    three = tuple(replace(container("api"), name=f"shop_api_{n}") for n in range(3))
    assert entry(with_services(service("api", containers=three)), "services").data["replicas"] == {"api": 3}


def test_set_that_cannot_be_read_is_left_out() -> None:
    of = found(sets=(SET,), services={"shop": "host app: docker: permission denied"})
    assert left_out(of) == {"services shop": "host app: docker: permission denied", "time service": TIME}
    assert "services.running" not in names(of)


HOURS_2 = timedelta(hours=2)
TIME = "the time service was not asked"


def test_a_manager_that_cannot_leave_out_is_told_to_ignore() -> None:
    one = ServiceSet(
        name="s", config={"kind": "supervisor", "host": "app", "config": "/s.conf"}, expected=("api", "db")
    )
    reading = services(service("api"), service("other"))
    of = found(sets=(one,), services={"s": reading})
    assert item(of, "services.running").keys == {"services": "s", "undeclared": "ignore"}
    assert "leave_out" not in entry(of, "services").data


@pytest.mark.parametrize(
    ("deployed", "values", "window", "off"),
    [
        (None, {}, "24 h", None),
        (None, {"crashes": (Crash(at=NOW - timedelta(hours=3), says="api: died"),)}, "1 h", None),
        (None, {"crashes": (Crash(at=None, says="api: died"),)}, "24 h", "there was one: api: died"),
        (None, {"crashes_since": NOW - timedelta(minutes=30)}, "5 min", None),
        (None, {"crashes_since": NOW}, "24 h", "its manager does not recall that far back"),
        (None, {"crashes_gap": "its log is gone"}, "24 h", "its log is gone"),
        (timedelta(hours=2), {"crashes_since": NOW - timedelta(hours=2)}, None, None),
        (
            timedelta(hours=2),
            {"crashes_since": NOW - timedelta(hours=1)},
            None,
            "its manager does not recall that far back",
        ),
    ],
)
def test_window_without_crashes_is_the_longest_that_is_clean(
    deployed: timedelta | None, values: dict[str, Any], window: str | None, off: str | None
) -> None:
    one = item(with_services(service("api"), deployed=deployed, **values), "services.no-crashes")
    assert (one.keys.get("window"), one.off) == (window, off)


def test_memory_of_services_may_double() -> None:
    of = with_services(service("api", memory_bytes=150_000_000), service("db"))
    one = item(of, "services.resources")
    assert (one.keys["memory"], one.told) == ("300 MB", "the largest is api with 150 MB")
    untold = item(with_services(service("api", cpu_percent=None)), "services.resources")
    assert untold.off == "use is not told of api"


def test_restarts_need_the_time_of_the_deployment() -> None:
    assert rule(with_services(service("api")), "services.no-restarts").off is not None
    assert rule(with_services(service("api"), deployed=timedelta(hours=1)), "services.no-restarts").off is None


@pytest.mark.parametrize(
    ("after_s", "values", "grace", "off"),
    [
        (10, {}, None, None),
        (94.5, {}, "96 s", None),
        (94.5, {"restarts": 2}, None, "db was started again 2026-05-01T10:01:34.500Z: look why"),
        (3600, {}, None, "db was started again 2026-05-01T11:00:00.000Z: look why"),
    ],
)
def test_restarts_have_as_much_grace_as_starting_took_and_what_was_started_again_is_told(
    after_s: float, values: dict[str, Any], grace: str | None, off: str | None
) -> None:
    first = NOW - HOURS_2
    late = service("db", started_at=first + timedelta(seconds=after_s), **values)
    of = with_services(
        service("api", started_at=first),
        late,
        deployed=HOURS_2,
        crashes_since=first + timedelta(seconds=min(after_s, 20)),
    )
    one = item(of, "services.no-restarts")
    assert (one.keys.get("grace"), one.off) == (grace, off)
    crashes = item(of, "services.no-crashes")
    assert (crashes.keys.get("grace"), crashes.off) == (grace, None)


def test_services_that_are_declared_and_not_there_are_told() -> None:
    whole = survey("compose", "/srv", containers=(), declared=Declared(services=("api", "db"), ids=()))
    of = found(survey=whole)
    assert left_out(of)["service db"] == "declared in the compose file, but no container of it is there"


# containers


def hardened(*them: Any) -> Found:
    by_name: dict[str, list[Any]] = {}
    for one in them:
        by_name.setdefault(one.service, []).append(one)
    return with_services(*(service(name, containers=tuple(own)) for name, own in by_name.items()))


CLAIMS = (
    "published-ports", "not-privileged", "no-docker-socket", "not-root", "no-new-privileges", "capabilities",
    "read-only-root", "image-pinned", "image-current", "limit-memory", "limit-cpu", "limit-pids", "health-check",
    "restarts", "oom-kills",
)  # fmt: skip


def test_every_claim_that_is_met_is_in_force() -> None:
    of = hardened(container("api"), container("db", published=()))
    for claim in CLAIMS:
        one = item(of, f"containers.{claim}")
        assert (one.off, one.told) == (None, "2 of 2 services meet it"), claim
        assert "except" not in one.keys
    assert item(of, "containers.published-ports").keys["ports"] == {"api": ["127.0.0.1:8080"]}
    assert item(of, "containers.capabilities").keys["allowed"] == []


RIGHTS = container().rights


@pytest.mark.parametrize(
    ("claim", "values", "fault"),
    [
        ("not-root", {"rights": replace(RIGHTS, uids=frozenset({0}))}, "runs as root"),
        ("not-root", {"rights": replace(RIGHTS, user="", uids=None)}, "is started as root"),
        ("not-root", {"rights": replace(RIGHTS, user="app", uids=None)}, "the number of its user is not told"),
        ("not-privileged", {"rights": replace(RIGHTS, privileged=True)}, "is privileged"),
        (
            "not-privileged",
            {"rights": replace(RIGHTS, host_namespaces=("pid",))},
            "shares the pid namespace of the host",
        ),
        ("not-privileged", {"rights": replace(RIGHTS, unconfined=("seccomp",))}, "seccomp is switched off"),
        ("not-privileged", {"rights": replace(RIGHTS, devices=("/dev/kvm",))}, "has the device /dev/kvm"),
        ("no-new-privileges", {"rights": replace(RIGHTS, no_new_privileges=False)}, "may gain privileges"),
        ("capabilities", {"rights": replace(RIGHTS, capabilities=frozenset({"ALL"}))}, "holds every capability"),
        ("read-only-root", {"rights": replace(RIGHTS, read_only_root=False)}, "can write its root"),
        ("image-pinned", {"image": Image(reference="shop:latest")}, "its image is shop:latest"),
        ("image-pinned", {"image": Image(reference="shop")}, "its image is shop"),
        (
            "image-current",
            {"image": Image(reference="shop:1", digest="sha256:1", reference_digest="sha256:2")},
            "its tag stands for another image now",
        ),
        ("limit-memory", {"limits": Limits(memory_bytes=0, cpus=1, pids=1)}, "no limit of memory"),
        ("limit-cpu", {"limits": Limits(memory_bytes=1, cpus=0.0, pids=1)}, "no limit of cpu"),
        ("limit-pids", {"limits": Limits(memory_bytes=1, cpus=1)}, "the limit of pids is not told"),
        ("health-check", {"health": Health(checked=False)}, "has no health check"),
        ("health-check", {"health": None}, "whether it has a health check is not told"),
        ("restarts", {"restarts": 2}, "was restarted 2 times"),
        ("restarts", {"restart_policy": "no"}, "has no restart policy"),
        ("oom-kills", {"oom_kills": 4}, "4 killed for lack of memory"),
        ("oom-kills", {"oom_kills": None}, "how many of its processes were killed is not told"),
        (
            "no-docker-socket",
            {"mounts": (Mount(source="/var/run/docker.sock", target="/s", writable=True),)},
            "sees /var/run/docker.sock of the host",
        ),
        (
            "no-docker-socket",
            {"mounts": (Mount(source="/etc", target="/host", writable=False),)},
            "sees /etc of the host",
        ),
        ("published-ports", {"published": (Published(address="::", port=0),)}, "publishes a port drawn at random"),
    ],
)
def test_a_container_that_does_not_meet_a_claim_is_excepted_by_name_and_alone_puts_it_off(
    claim: str, values: dict[str, Any], fault: str
) -> None:
    ill = container("db", **{"published": (), **values})
    excepted = item(hardened(container("api"), ill), f"containers.{claim}")
    assert excepted.off is None
    assert excepted.keys["except"] == {"db": f"found so: {fault}"}
    assert item(hardened(ill), f"containers.{claim}").off == f"of 1 services none meets it ({fault})"


def test_capabilities_that_are_held_are_allowed() -> None:
    some = container("api", rights=Rights(user="1", capabilities=frozenset({"NET_BIND_SERVICE", "CHOWN"})))
    assert item(hardened(some), "containers.capabilities").keys["allowed"] == ["CHOWN", "NET_BIND_SERVICE"]


# ports


def test_ports_are_told_with_their_process_and_whether_they_are_open_to_all() -> None:
    ports = (
        Port(address="0.0.0.0", port=22, process="sshd", pid=1),
        Port(address="::", port=22, process="sshd", pid=1),
        Port(address="127.0.0.1", port=5432, process=None),
        Port(address="10.0.0.5", port=8080, process="docker-proxy", pid=2),
        Port(address="127.0.0.1", port=44444, process="java", pid=3),
        Port(address="127.0.0.1", port=9, process="own", pid=99),
    )
    of = on(ports=ports, own_pids=frozenset({99}))
    assert [(i.name, dict(i.keys), i.told) for i in rule(of, "ports.listening").items] == [
        ("22", {"port": 22, "addresses": ["0.0.0.0", "::"], "process": "sshd"}, "sshd, ON ALL INTERFACES"),
        ("5432", {"port": 5432, "addresses": ["127.0.0.1"]}, "its process is not told"),
        ("8080", {"port": 8080, "addresses": ["10.0.0.5"]}, "docker-proxy"),
    ]
    assert rule(of, "ports.nothing-new").keys["allowed"] == [22, 8080]
    assert left_out(of)["port 44444"].startswith("it is of the range that is given out by chance")


def test_of_a_compose_project_only_its_published_ports_are_expected() -> None:
    ports = (Port(address="0.0.0.0", port=22), Port(address="0.0.0.0", port=48080))
    api = seen("1", project="shop", service="api", published=(seen_port(80, 48080),))
    whole = survey(
        "compose", "/srv", facts=facts(ports=ports), containers=(api,), declared=Declared(services=("api",), ids=("1",))
    )
    of = found(survey=whole)
    assert [i.name for i in rule(of, "ports.listening").items] == ["48080"]
    assert "ports.nothing-new" not in names(of)


# endpoints


def answered(status: int = 200, **values: Any) -> Answered:
    return Answered(**{"status": status, "content_type": "application/json", "took_ms": 20.0, **values})


def heard(answers: dict[str, Answered], **values: Any) -> Found:
    one = Heard(**{"url": "http://127.0.0.1:8080", "port": 8080, "answers": answers, **values})
    return found(
        heard=(one,), survey=survey(containers=(seen("shop_web_1", service="web", published=(seen_port(80, 8080),)),))
    )


def test_healthy_route_is_held_to_its_health_and_time() -> None:
    of = heard({"/": answered(404), "/health": answered(json={"status": "UP", "db": {"status": "ok"}})})
    assert entry(of, "endpoints").data == {"url": "http://127.0.0.1:8080"}
    assert rule(of, "http.web-health").keys == {"endpoint": "web", "request": "GET /health"}
    assert rule(of, "http.web-health").why_off is None
    assert rule(of, "http.web-latency").keys["critical"] == "500 ms"
    slow = heard({"/": answered(took_ms=300.0)})
    assert rule(slow, "http.web-latency").keys["critical"] == "3 s"


@pytest.mark.parametrize(
    ("answer", "off"),
    [
        (answered(json={"status": "ok", "db": {"state": "down"}}), "'db.state' is 'down'"),
        (answered(json={"state": "fine"}), "its 'status' is '': say in 'expect' what a healthy one holds"),
        (answered(json={"status": "ok"}, content_type="text/plain"), "it is JSON that is sent as text/plain"),
    ],
)
def test_health_route_that_is_not_well_is_off(answer: Answered, off: str) -> None:
    assert rule(heard({"/": answered(404), "/healthz": answer}), "http.web-health").off == off


def test_front_page_is_known_by_its_title() -> None:
    of = heard({"/": answered(content_type="text/html", title="Corner shop")})
    assert rule(of, "http.web-page").keys["contains"] == ["Corner shop"]
    assert "http.web-page" not in names(heard({"/": answered(content_type="text/html")}))


def test_endpoint_that_answers_nothing_well_is_only_an_entry() -> None:
    of = heard({"/": answered(404), "/health": answered(503)})
    assert entry(of, "endpoints").told == "GET / 404, GET /health 503"
    assert not any(name.startswith("http.") for name in names(of))


def test_certificate_that_is_not_trusted_is_told_and_not_verified() -> None:
    shown = Certificate(subject="CN=x", not_after=NOW + timedelta(days=9, hours=1))
    of = heard({"/": answered()}, url="https://127.0.0.1:8080", certificate=shown, trusted=False)
    assert entry(of, "endpoints").data["tls"] == {"verify": False}
    assert "not trusted" in entry(of, "endpoints").told
    assert left_out(of)["certificate shown on port 8080"].startswith("9 days are left of it")


def test_endpoint_is_called_like_the_service_whose_process_listens() -> None:
    ports = (Port(address="127.0.0.1", port=8001, process="python", pid=12),)
    processes = {pid: process(pid, parent) for pid, parent in ((10, 1), (11, 10), (12, 11), (20, 1))}
    of = found(
        survey=survey(facts=facts(ports=ports, processes=processes)),
        sets=(SET,),
        services={"shop": services(service("db", pid=20), service("api", pid=10))},
        heard=(Heard(url="http://127.0.0.1:8001", port=8001, answers={"/": answered()}),),
    )
    assert entry(of, "endpoints").name == "api"


def process(pid: int, parent: int) -> Process:
    return Process(
        pid=pid, parent=parent, name="python", started_at=NOW, rss_bytes=1, used_s=0, used_with_children_s=0,
        cpu_percent=0,
    )  # fmt: skip


def test_ports_that_do_not_answer_are_told() -> None:
    assert left_out(found(silent={81: "refused the connection"}))["port 81 as an endpoint"] == "refused the connection"


# certificates, timers, the clock's keeper


@pytest.mark.parametrize(
    ("days", "keys", "off"),
    [
        (60, {"path": "/c.pem", "at_least": "14 d", "warning": "30 d"}, None),
        (20, {"path": "/c.pem", "at_least": "14 d"}, None),
        (9, {"path": "/c.pem", "at_least": "14 d"}, "no more than 9 days are left: renew it"),
    ],
)
def test_certificate_has_a_margin(days: int, keys: dict[str, Any], off: str | None) -> None:
    certificate = Certificate(subject="CN=shop", not_after=NOW + timedelta(days=days, hours=1))
    one = item(found(certificates={"/c.pem": certificate}), "certificates.files")
    assert (dict(one.keys), one.told, one.off) == (keys, f"CN=shop: {days} days left", off)


def test_certificates_that_cannot_be_read_are_told() -> None:
    whole = survey(certificates=(CertificateFile(path="/k.pem", readable=False),))
    of = found(survey=whole, certificates={"/c.pem": "it holds no certificate"})
    told = left_out(of)
    assert told["certificate /k.pem"] == "it may not be read by the user that the suite comes as"
    assert told["certificate /c.pem"] == "it holds no certificate"


def timer(**values: Any) -> TimerFacts:
    known = {"is_active": True, "is_enabled": True, "last_run_age_s": 7200.0, "result": "success", "state": "active"}
    return TimerFacts(**{**known, **values})


@pytest.mark.parametrize(
    ("told", "off"),
    [
        (timer(), None),
        (timer(is_active=False, state="inactive, enabled"), "it is inactive, enabled"),
        (timer(result="exit-code"), "its last run ended with exit-code"),
        (None, "systemd knows no such timer"),
        ("host app: no answer", "host app: no answer"),
    ],
)
def test_timer_that_does_not_run_well_is_off(told: TimerFacts | str | None, off: str | None) -> None:
    assert item(found(timers={"backup.timer": told}), "schedules.timers").off == off


def test_cron_tables_are_a_reminder() -> None:
    of = found(survey=survey(cron=(CronTable(path="/etc/cron.d/backup", entries=2),)))
    assert left_out(of)["cron table /etc/cron.d/backup"].startswith("2 entries: say which matters")


def test_time_service_must_be_synchronised() -> None:
    good = found(time_sync=TimeSyncFacts(told_by="chrony", is_synchronised=True))
    assert rule(good, "health.time-sync").why_off is None
    bad = found(time_sync=TimeSyncFacts(told_by="chrony", is_synchronised=False))
    assert rule(bad, "health.time-sync").why_off == "it was not synchronised"


# accounts, packages, databases


def test_accounts_and_groups_stay_as_they_are() -> None:
    whole = survey(
        logins=(Login(name="ann", uid=1000, shell="/bin/bash"), Login(name="we ird", uid=1, shell="/bin/sh")),
        groups=(Group(name="docker", members=("ann",)), Group(name="sudo", members=())),
    )
    of = found(survey=whole)
    assert dict(item(of, "accounts.logins").keys) == {"user": "ann", "uid": 1000, "shell": "/bin/bash"}
    assert [dict(i.keys) for i in rule(of, "accounts.groups").items] == [
        {"group": "docker", "members": ["ann"], "only": True},
        {"group": "sudo", "members": [], "only": True},
    ]


def test_many_accounts_are_only_counted() -> None:
    many = tuple(Login(name=f"u{n}", uid=1000 + n, shell="/bin/sh") for n in range(30))
    of = found(survey=survey(logins=many))
    assert "accounts.logins" not in names(of)
    assert left_out(of)["accounts with a login shell"] == "there are 30: name those that matter"


def test_packages_may_not_be_older() -> None:
    of = found(survey=survey(packages=(Package(name="nginx", version="1.22.1-9"),)))
    assert dict(item(of, "packages.not-older").keys) == {"package": "nginx", "at_least": "1.22.1-9"}


def test_databases_and_caches_are_known_and_wait_for_their_passwords() -> None:
    ports = (
        Port(address="127.0.0.1", port=5433, process="postgres"),
        Port(address="127.0.0.1", port=6379),
        Port(address="0.0.0.0", port=3306, process="mysqld"),
    )
    containers = (
        seen("db", image="registry:5000/team/postgres:16", published=(seen_port(5432, 25432),)),
        seen("hidden", image="redis:7"),
        seen("exporter", image="quay.io/postgres-exporter:1", published=(seen_port(9187, 9187),)),
    )
    of = found(survey=survey(facts=facts(ports=ports), containers=containers))
    entries = {e.name: e for e in made.proposal(of).entries if e.section in ("databases", "caches")}
    assert {name: e.data["url"] for name, e in entries.items()} == {
        "db": "postgresql://golive@127.0.0.1:25432/postgres",
        "postgres-5433": "postgresql://golive@127.0.0.1:5433/postgres",
        "hidden": "redis://127.0.0.1:6379/0",
        "redis": "redis://127.0.0.1:6379/0",
    }
    assert entries["db"].data["password"] == "${env:SHOP_DB_PASSWORD}"
    assert all(e.off is not None for e in entries.values())
    assert "is not published" in str(entries["hidden"].off)
    assert rule(of, "data.db-answers").why_off == "db (under databases) is off"
    assert left_out(of)["MySQL"].startswith("it listens, but there is no check for it")


# logs


def test_logs_are_held_to_what_they_showed() -> None:
    sources = tuple(
        Source(name=name, config={"kind": "file", "host": "app", "path": f"/{name}"}, told="1 MB")
        for name in ("good", "cut", "gone")
    )
    readings: dict[str, LogReading | str] = {
        "good": LogReading(sources=("good",)),
        "cut": LogReading(sources=("cut",), gap="its lines begin later"),
        "gone": "log gone: it is not there",
    }
    of = found(sources=sources, logs=readings)
    assert [(i.name, i.off) for i in rule(of, "logs.no-critical").items] == [
        ("good", None),
        ("cut", "its lines begin later"),
    ]
    assert rule(of, "logs.errors").items[0].keys == {"logs": ["good"], "critical": 10}
    assert left_out(of)["log gone"] == "log gone: it is not there"
    assert made.proposal(of).sick == ()


def logged(*lines: str) -> LogReading:
    text = LogText(data="".join(f"{line}\n" for line in lines).encode(), source="api", clock=LogClock())
    return LogReading(sources=("api",), pieces=(text,))


@pytest.mark.parametrize(
    ("logs", "starting", "count"),
    [
        (("INFO up",), None, 0),
        (("INFO up",), ("INFO begins", "INFO up"), 0),
        (("INFO up",), ("CRITICAL migration failed", "INFO up"), 1),
        (("CRITICAL migration failed", "INFO up"), None, 1),
    ],
)
def test_critical_lines_of_the_start_are_told_though_they_lie_before_the_window(
    logs: tuple[str, ...], starting: tuple[str, ...] | None, count: int
) -> None:
    of = found(
        sources=(Source(name="api", config={"kind": "docker", "host": "app", "container": "api"}),),
        logs={"api": logged(*logs)},
        starting={"api": logged(*starting)} if starting else {},
        deployed_at=NOW - HOURS_2,
    )
    one = item(of, "logs.no-critical")
    read = len(starting or logs)
    assert one.told == f"{count} among {read} line{'s' if read > 1 else ''} read"
    assert one.off == ("1 of them is critical: read them" if count else None)
    why = "1 critical among 2 lines read since it was deployed: its criterion is behind '#' until they are read"
    assert [(s.what, s.why) for s in made.proposal(of).sick] == ([("log api", why)] if count else [])
