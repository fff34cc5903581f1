"""Every fault really changes what the demo does, and healing it really changes it back; seen from outside.

`TROUBLE` holds one look per fault: a function that says whether the trouble is there. What a fault leaves behind in
logs counts only if it is younger than the last deployment, for healing such a fault is one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import smtplib
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import requests

from demo import control, layout, processes, supervisor
from demo.faults import FAULTS, _expected
from demo.services import backups
from demo.services.misbehave import ERROR_EVERY, ONE_AT_A_TIME_S
from demo.settings import HEARTBEAT_KEY, SERVICES
from demo.state import DemoError, State, active_faults
from tests.demo.test_services import (
    FORGERIES,
    ORDERS_1,
    assert_books_balance,
    claims,
    encode,
    flipped,
    post_login,
    sale,
    signed,
    wait_until,
)
from tests.demo.till import Till

pytestmark = pytest.mark.xdist_group("demo-faults")

Look = Callable[[Till], bool]
TROUBLE: dict[str, Look] = {}


def trouble(*names: str) -> Callable[[Look], Look]:
    """Register a look for some faults."""

    def register(look: Look) -> Look:
        TROUBLE.update(dict.fromkeys(names, look))
        return look

    return register


@pytest.fixture(scope="module")
def till(running: State) -> Till:
    return Till(running)


@pytest.fixture
def healed(till: Till) -> Iterator[None]:
    """Whatever a test broke is whole again afterwards."""
    yield
    if active_faults(till.state.directory):
        control.heal(None, till.state.directory)


def token_of(till: Till, user: str = "cashier_store_1", cache: dict[str, str] = {}) -> str:  # noqa: B006  on purpose
    """A token that works; faults end sessions, so it may be a new one."""
    key = f"{till.state.directory} {user}"
    if key not in cache or till.call("GET", "/api/me", token=cache[key]).status_code != 200:
        cache[key] = till.login(user)
    return cache[key]


def deployed_at(till: Till) -> str:
    found = control.state(till.state.directory)
    assert found is not None
    return found.values["deployed_at"]


def recent(till: Till, service: str = "api") -> list[dict[str, Any]]:
    """JSON lines of a log since the last deployment."""
    since = deployed_at(till)
    return [line for line in till.log(service) if line["time"] > since]


def state_of(till: Till, service: str) -> str:
    return next(one.state for one in control.status(till.state.directory) if one.name == service)


def on_host(till: Till, *command: str) -> str:
    """What a command prints on the pretended host."""
    path = f"{till.settings.bin}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, env={**os.environ, "PATH": path, "LC_ALL": "C"}, capture_output=True, text=True, check=True, timeout=10
    ).stdout


def helpers(till: Till) -> list[int]:
    """Pids of the processes of the demo that are none of its services."""
    return [one.pid for one in processes.members(layout.places(till.state.directory)) if one.service is None]


# Services


def _stopped(service: str) -> Look:
    return lambda till: state_of(till, service) != "RUNNING"


TROUBLE.update({f"{service}-stopped": _stopped(service) for service in SERVICES})


@trouble("service-restarted")
def _(till: Till) -> bool:
    return any(line["event"] == "service.started" for line in recent(till))


@trouble("service-crashed")
def _(till: Till) -> bool:
    since = deployed_at(till).replace("T", " ").replace(".", ",").rstrip("Z")
    lines = (till.logs / "supervisord.log").read_text().splitlines()
    return any(line > since and "exited: worker (terminated by SIGKILL; not expected)" in line for line in lines)


# What is deployed


def _original(till: Till, name: str) -> str:
    """What a start writes into the script of a service."""
    return next(one.script for one in supervisor.programs(till.settings) if one.name == name)


@trouble("binary-changed")
def _(till: Till) -> bool:
    script = till.state.directory / "run" / "worker"
    assert os.access(script, os.X_OK)
    return script.read_text() != f"#!/bin/sh\n{_original(till, 'worker')}\n"


@trouble("configuration-changed")
def _(till: Till) -> bool:
    assert stat.S_IMODE(till.settings.supervisor_config.stat().st_mode) == 0o600
    return "startretries=50\n" in till.settings.supervisor_config.read_text()


# Second factor


def _logs_in(till: Till, **changed: object) -> bool:
    till.redis().delete("login_failures:second_factor")
    return till.call("POST", "/api/auth/login", json=till.credentials("second_factor", **changed)).status_code == 200


@trouble("second-factor-bypassed-by-second-endpoint")
def _(till: Till) -> bool:
    answer = till.call("POST", "/api/auth/pin", json=till.credentials("second_factor", code=None))
    return answer.status_code == 200 and till.call("GET", "/api/me", token=answer.json()["token"]).status_code == 200


@trouble("second-factor-empty-code")
def _(till: Till) -> bool:
    assert not _logs_in(till, code=None)
    return _logs_in(till, code="")


@trouble("second-factor-reused-code")
def _(till: Till) -> bool:
    code = till.code("second_factor")
    assert _logs_in(till, code=code)
    return _logs_in(till, code=code)


@trouble("second-factor-any-code")
def _(till: Till) -> bool:
    return _logs_in(till, code="none at all")


@trouble("second-factor-not-logged")
def _(till: Till) -> bool:
    before = len([1 for line in till.log() if line["event"] == "auth.second_factor"])
    assert _logs_in(till)
    return len([1 for line in till.log() if line["event"] == "auth.second_factor"]) == before


# Stores


def _order_elsewhere(till: Till) -> int:
    return int(till.value("SELECT min(id) FROM orders WHERE store_id = 2"))


@trouble("other-store-answered")
def _(till: Till) -> bool:
    answer = till.call("GET", f"/api/stores/2/orders/{_order_elsewhere(till)}", token=token_of(till))
    return bool(answer.status_code == 200 and answer.json()["store_id"] == 2)


@trouble("other-store-writable")
def _(till: Till) -> bool:
    path = f"/api/stores/2/orders/{_order_elsewhere(till)}"
    assert till.call("GET", path, token=token_of(till)).status_code == 403
    return till.call("PUT", path, token=token_of(till), json={"note": "not yours"}).status_code == 200


@trouble("refusal-leaks-data")
def _(till: Till) -> bool:
    order = _order_elsewhere(till)
    answer = till.call("GET", f"/api/stores/2/orders/{order}", token=token_of(till))
    assert answer.status_code == 403
    return bool(answer.json().get("order", {}).get("id") == order)


@trouble("everything-forbidden")
def _(till: Till) -> bool:
    return till.call("GET", "/api/stores/1/dashboard", token=token_of(till)).status_code == 403


@trouble("refusal-not-logged")
def _(till: Till) -> bool:
    before = len([1 for line in till.log() if line.get("status") == 403])
    till.call("GET", "/api/stores/2/orders", token=token_of(till))
    return len([1 for line in till.log() if line.get("status") == 403]) == before


# Tokens


def _accepts(till: Till, token: str) -> bool:
    return till.call("GET", "/api/me", token=token).status_code == 200


def _accepts_forged(forgery: str) -> Look:
    return lambda till: _accepts(till, FORGERIES[forgery](token_of(till), ""))


def _accepts_expired(till: Till) -> bool:
    token = till.login("kiosk_absolute")
    time.sleep(1.8)
    return _accepts(till, token)


def _accepts_after_logout(till: Till) -> bool:
    token = till.login("leaver")
    till.call("POST", "/api/auth/logout", token=token)
    return _accepts(till, token)


TROUBLE.update(
    {
        "token-alg-none": _accepts_forged("alg none"),
        "token-signature-unchecked": _accepts_forged("flipped signature"),
        "token-other-key-accepted": _accepts_forged("another key"),
        "token-role-change-accepted": _accepts_forged("changed role"),
        "token-expired-accepted": _accepts_expired,
        "token-alive-after-logout": _accepts_after_logout,
    }
)


@trouble("token-in-log")
def _(till: Till) -> bool:
    token = token_of(till)
    till.call("GET", "/api/me", token=token)
    return any(token in json.dumps(line) for line in recent(till))


# Sessions


@trouble("sessions-without-ttl")
def _(till: Till) -> bool:
    cache = till.redis()
    ttls = {int(str(cache.ttl(key))) for key in cache.keys("session:*")}
    new = int(str(cache.ttl(f"session:{claims(till.login('manager_store_1'))['sid']}")))
    return -1 in ttls or new == -1


@trouble("idle-limit-ignored")
def _(till: Till) -> bool:
    token = till.login("kiosk_idle")
    time.sleep(1.15)
    return _accepts(till, token)


@trouble("absolute-limit-ignored")
def _(till: Till) -> bool:
    token, begun = till.login("kiosk_absolute"), time.monotonic()
    while time.monotonic() - begun < 2.0:
        is_accepted = _accepts(till, token)
        time.sleep(0.2)
    return is_accepted


@trouble("session-end-not-logged")
def _(till: Till) -> bool:
    token = till.login("kiosk_idle")
    time.sleep(1.1)
    before = len([1 for line in till.log() if line["event"] == "session.expired"])
    assert not _accepts(till, token)
    return len([1 for line in till.log() if line["event"] == "session.expired"]) == before


# Intruders


@trouble("brute-force-unthrottled", "security-feature-off")
def _(till: Till) -> bool:
    guess = {"username": f"nobody-{time.time_ns()}", "password": "x"}
    return 429 not in {post_login(till, guess).status_code for _ in range(7)}


@trouble("foreign-refusals")
def _(till: Till) -> bool:
    refused = [line for line in recent(till) if line["event"] == "access.refused"]
    return {401, 403} <= {line["status"] for line in refused if line["user_agent"].startswith("curl")}


@trouble("break-in")
def _(till: Till) -> bool:
    logins = [line for line in recent(till) if line.get("path") == "/api/auth/login"]
    statuses = [line["status"] for line in logins if line["remote"] == "203.0.113.66"]
    return len(statuses) >= 7 and set(statuses[:-1]) == {401} and statuses[-1] == 200


@trouble("unexpected-admin")
def _(till: Till) -> bool:
    return int(till.value("SELECT count(*) FROM users WHERE role = 'admin'")) == 2


@trouble("unexpected-port")
def _(till: Till) -> bool:
    listening = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines() if " 0A " in line}
    held: set[str] = set()
    for pid in helpers(till):
        links = (link for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink())
        held |= {name for link in links for name in re.findall(r"socket:\[(\d+)\]", str(link.readlink()))}
    return bool(listening & held)


# Health and pages


def _health(till: Till) -> requests.Response:
    return till.call("GET", "/health", timeout_s=1.0)


@trouble("health-degraded-inside-200")
def _(till: Till) -> bool:
    return bool((_health(till).status_code, _health(till).json()["status"]) == (200, "degraded"))


@trouble("health-is-html")
def _(till: Till) -> bool:
    return _health(till).status_code == 200 and _health(till).headers["Content-Type"].startswith("text/html")


@trouble("health-times-out")
def _(till: Till) -> bool:
    try:
        return not _health(till).ok
    except requests.Timeout:
        return True


@trouble("health-endless")
def _(till: Till) -> bool:
    got, begun = 0, time.monotonic()
    with requests.get(f"{till.settings.api_url}/health", stream=True, timeout=2) as answer:
        for chunk in answer.iter_content(1024):
            got += len(chunk)
            if time.monotonic() - begun > 0.5:
                return got > 10_000
    return False


@trouble("error-page-with-200")
def _(till: Till) -> bool:
    answer = till.call("GET", "/index.html", web=True)
    return answer.status_code == 200 and "An error occurred" in answer.text and "login-form" not in answer.text


@trouble("asset-missing")
def _(till: Till) -> bool:
    return till.call("GET", "/style.css", web=True).status_code == 404


@trouble("dashboard-shows-nan")
def _(till: Till) -> bool:
    shown = till.call("GET", "/api/stores/1/dashboard", token=token_of(till)).json()["sales_today"]
    return not isinstance(shown, float)


@trouble("login-broken")
def _(till: Till) -> bool:
    return post_login(till, till.credentials("second_factor", code=None)).status_code == 500


# Performance


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@trouble("slow-page")
def _(till: Till) -> bool:
    return _seconds(lambda: till.call("GET", "/app.js", web=True)) > 3.0


@trouble("slow-tail")
def _(till: Till) -> bool:
    token = token_of(till)
    took = [_seconds(lambda: till.call("GET", "/api/me", token=token)) for _ in range(20)]
    assert median(took) < 0.2
    return sum(one > 1.4 for one in took) == 2


@trouble("slow-api")
def _(till: Till) -> bool:
    return min(_seconds(lambda: till.call("GET", "/health/live")) for _ in range(3)) > 0.25


# Load


@trouble("load-errors")
def _(till: Till) -> bool:
    token = token_of(till)
    answers = [till.call("GET", "/api/stores/1/products", token=token) for _ in range(ERROR_EVERY)]
    assert till.call("GET", "/api/me", token=token).status_code == 200
    return [answer.status_code for answer in answers].count(500) == 1


@trouble("throughput-capped")
def _(till: Till) -> bool:
    """What four ask at a time takes as long as one after the other, and what is not of stores does not wait."""
    token = token_of(till)
    with ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        asked = [pool.submit(Till(till.state).call, "GET", "/api/stores/1/products", token=token) for _ in range(8)]
        assert {one.result().status_code for one in asked} == {200}
        took = time.monotonic() - began
    return took > 8 * ONE_AT_A_TIME_S


# Memory


def _memory_bytes(till: Till, service: str) -> int:
    pid = next(one.pid for one in control.status(till.state.directory) if one.name == service)
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@trouble("slow-leak")
def _(till: Till) -> bool:
    before = _memory_bytes(till, "worker")
    time.sleep(2.5)
    return _memory_bytes(till, "worker") - before > 300_000


@trouble("slow-query")
def _(till: Till) -> bool:
    with till.database() as database:
        return _seconds(lambda: database.execute("SELECT count(*) FROM orders_summary").fetchone()) > 0.5


# Database


@trouble("blocked-lock")
def _(till: Till) -> bool:
    return int(till.value("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0")) > 0


@trouble("long-transaction")
def _(till: Till) -> bool:
    age = "SELECT max(extract(epoch FROM now() - xact_start)) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    return float(till.value(age) or 0) > 2.0


@trouble("deadlock")
def _(till: Till) -> bool:
    return int(till.value("SELECT deadlocks FROM pg_stat_database WHERE datname = 'warungin'")) == 1


@trouble("connections-exhausted")
def _(till: Till) -> bool:
    return (
        float(
            till.value(
                "SELECT count(*) * 1.0 / current_setting('max_connections')::integer FROM pg_stat_activity"
                " WHERE backend_type = 'client backend'"
            )
        )
        > 0.9
    )


@trouble("api-lost-database")
def _(till: Till) -> bool:
    assert till.value("SELECT 1") == 1
    answer = till.call("POST", "/api/auth/status")
    return (answer.status_code, answer.json()["database"]) == (503, "unreachable")


# Data


@trouble("order-total-wrong", "stock-ledger-wrong")
def _(till: Till) -> bool:
    try:
        assert_books_balance(till)
    except AssertionError:
        return True
    return False


@trouble("users-missing", "users-hidden")
def _(till: Till) -> bool:
    return int(till.value("SELECT count(*) FROM users")) == 0


def _report(till: Till) -> dict[str, Any]:
    """Of three days ago, after at most 1.5 s."""
    token = token_of(till)
    day = till.value("SELECT ((now() - interval '3 days') AT TIME ZONE 'UTC')::date::text")
    asked = till.call("POST", "/api/stores/1/reports", token=token, json={"day": day}).json()["id"]
    for _ in range(30):
        report = till.call("GET", f"/api/stores/1/reports/{asked}", token=token).json()
        if report["status"] == "done":
            break
        time.sleep(0.05)
    return dict(report)


@trouble("queue-stuck")
def _(till: Till) -> bool:
    assert till.redis().exists(HEARTBEAT_KEY)
    return bool(_report(till)["status"] == "queued")


@trouble("report-total-wrong")
def _(till: Till) -> bool:
    report = _report(till)
    total = till.value(
        "SELECT sum(total) FROM orders WHERE store_id = 1 AND (created_at AT TIME ZONE 'UTC')::date = %s", report["day"]
    )
    return bool(report["total"] != float(total))


# Backups


def _newest_backup(till: Till) -> Path | None:
    time.sleep(0.15)  # more than one look of the scheduler, which must not repair it
    return backups.newest(till.settings.backups)


def _restore(till: Till, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [str(till.settings.bin / "pg_restore"), *options, str(_newest_backup(till))]
    return subprocess.run(command, capture_output=True, timeout=20, check=False)


@trouble("backup-missing")
def _(till: Till) -> bool:
    return _newest_backup(till) is None


@trouble("backup-stale")
def _(till: Till) -> bool:
    newest = _newest_backup(till)
    assert newest is not None
    return time.time() - newest.stat().st_mtime > 3 * 3600 - 1


@trouble("backup-empty")
def _(till: Till) -> bool:
    newest = _newest_backup(till)
    assert newest is not None
    return newest.stat().st_size == 0


@trouble("backup-corrupt", "backup-truncated")
def _(till: Till) -> bool:
    assert _restore(till, "--list").returncode == 0
    return _restore(till, "--file=/dev/null").returncode != 0


@trouble("backup-shrunken")
def _(till: Till) -> bool:
    assert _newest_backup(till) is not None
    sizes = [file.stat().st_size for file in sorted(till.settings.backups.glob(backups.PATTERN))]
    assert _restore(till, "--file=/dev/null").returncode == 0
    return len(sizes) > 1 and sizes[-1] * 2 < sizes[-2]


@trouble("backup-of-wrong-database")
def _(till: Till) -> bool:
    listed = _restore(till, "--list").stdout
    newest = _newest_backup(till)
    assert newest is not None
    assert newest.stat().st_size > 100_000
    return b"TABLE DATA public orders" not in listed


# Logs


@trouble("critical-in-json")
def _(till: Till) -> bool:
    return any(line["level"] == "CRITICAL" for line in recent(till))


@trouble("critical-in-plain-text")
def _(till: Till) -> bool:
    since = deployed_at(till).replace("T", " ").replace(".", ",")
    lines = (till.logs / "worker.log").read_text().splitlines()
    return any(" CRITICAL " in line and line > since for line in lines if not line.startswith("{"))


@trouble("critical-in-stack-trace")
def _(till: Till) -> bool:
    """The trace has no time: the line before it has."""
    since, latest = deployed_at(till), ""
    for line in (till.logs / "api.log").read_text().splitlines():
        if line.startswith("{"):
            latest = json.loads(line)["time"]
        elif line.startswith("CRITICAL") and latest > since:
            return True
    return False


@trouble("repeated-error-with-changing-numbers")
def _(till: Till) -> bool:
    messages = [line["message"] for line in recent(till) if line["level"] == "ERROR"]
    masked = {re.sub(r"\d+", "#", message) for message in messages}
    return len(messages) == len(set(messages)) == 8 and len(masked) == 1


@trouble("warning-flood")
def _(till: Till) -> bool:
    return len([1 for line in recent(till) if line["level"] == "WARNING"]) >= 400


@trouble("unexpected-warning")
def _(till: Till) -> bool:
    return any(line["level"] == "WARNING" for line in recent(till, "worker"))


@trouble("log-truncated", "log-rotated-away")
def _(till: Till) -> bool:
    """Lines between the deployment and the oldest that is left may be missing."""
    till.call("GET", "/health/live")
    return bool(till.log()[0]["time"] > deployed_at(till))


@trouble("log-stopped")
def _(till: Till) -> bool:
    before = len(till.log())
    till.call("GET", "/health/live")
    return len(till.log()) == before


@trouble("collector-stalled")
def _(till: Till) -> bool:
    mark = f"mark-{time.time_ns()}"
    till.call("GET", "/health/live", headers={"User-Agent": mark})
    for _ in range(12):
        if till.collected(mark):
            return False
        time.sleep(0.05)
    return True


# Hosts and documents


@trouble("cpu-burnt")
def _(till: Till) -> bool:
    def ticks() -> int:
        found = 0
        for pid in helpers(till):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found += int(fields[11]) + int(fields[12])
        return found

    before = ticks()
    time.sleep(0.5)
    return ticks() - before > 10


@trouble("faked-memory-full")
def _(till: Till) -> bool:
    values = {line.split()[0]: int(line.split()[1]) for line in on_host(till, "cat", "/proc/meminfo").splitlines()}
    return values["MemAvailable:"] / values["MemTotal:"] < 0.1


@trouble("faked-disk-full")
def _(till: Till) -> bool:
    assert "97%" not in on_host(till, "df", "-P", "-i", "/")
    return on_host(till, "df", "-P", "-B1", "/").splitlines()[1].split()[4] == "97%"


@trouble("faked-inodes-used-up")
def _(till: Till) -> bool:
    assert "97%" not in on_host(till, "df", "-P", "-B1", "/")
    return on_host(till, "df", "-P", "-i", "/").splitlines()[1].split()[4] == "97%"


@trouble("faked-interface-errors")
def _(till: Till) -> bool:
    def errors() -> int:
        lines = on_host(till, "cat", "/proc/net/dev").splitlines()[2:]
        return sum(int(line.split()[3]) for line in lines)

    first = errors()
    time.sleep(0.05)
    return errors() > first


@trouble("faked-clock-skew")
def _(till: Till) -> bool:
    return abs(float(on_host(till, "date", "+%s.%N")) - time.time()) > 290


@trouble("api-clock-skew")
def _(till: Till) -> bool:
    answer = till.call("GET", "/health/detailed")
    return abs(datetime.fromisoformat(answer.json()["time"]).timestamp() - time.time()) > 290


@trouble("documents-missing")
def _(till: Till) -> bool:
    return not (till.settings.documents / "INCIDENT_RESPONSE_GUIDE.md").exists()


@trouble("rollback-script-missing")
def _(till: Till) -> bool:
    return not (till.settings.documents / "rollback.sh").exists()


# The tests


def test_every_fault_has_a_look() -> None:
    assert set(TROUBLE) == set(FAULTS)
    assert len(FAULTS) >= 80


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_says_what_it_is(name: str) -> None:
    fault = FAULTS[name]
    assert fault.says
    assert fault.incident
    assert all(re.fullmatch(r"warungin(\.[a-z0-9-]+)+", criterion) for criterion in fault.turns_red)
    assert bool(fault.turns_red) == (fault.shows_in in ("run", "load"))
    assert bool(fault.told_as) == (fault.shows_in != "trend")


@pytest.mark.usefixtures("healed")
@pytest.mark.parametrize("name", sorted(TROUBLE))
def test_a_fault_brings_trouble_and_healing_ends_it(till: Till, name: str) -> None:
    control.break_(name, till.state.directory)
    assert TROUBLE[name](till)
    took = _seconds(lambda: control.heal(name, till.state.directory))
    assert not TROUBLE[name](till)
    assert took < 4.0  # about one second on a quiet machine


@pytest.mark.parametrize(
    "known", [{"criteria": []}, {"criteria": ["a.b"], "shows_in": "watch"}, {"criteria": [], "shows_in": "never"}]
)
def test_a_fault_that_shows_nowhere_or_everywhere_is_refused(known: dict[str, Any]) -> None:
    told = "slow-leak turns criteria red in a run or under load, or shows in a watch or a trend"
    with pytest.raises(ValueError, match=told):
        _expected(FAULTS["slow-leak"], known)


@pytest.mark.usefixtures("healed")
def test_a_leak_goes_on_and_healing_gives_everything_back(till: Till) -> None:
    before = _memory_bytes(till, "worker")
    control.break_("slow-leak", till.state.directory)
    wait_until(lambda: _memory_bytes(till, "worker") - before > 1_000_000, timeout_s=8)
    control.heal("slow-leak", till.state.directory)
    wait_until(lambda: _memory_bytes(till, "worker") - before < 500_000, timeout_s=8)


@pytest.mark.usefixtures("healed")
def test_what_depends_on_a_stopped_service_says_so_and_recovers(till: Till) -> None:
    place = till.state.directory
    control.break_("postgres-stopped", place)
    assert (_health(till).status_code, _health(till).json()["unreachable"]) == (503, "database")
    assert till.call("GET", "/health/live").status_code == 200
    control.heal(None, place)
    assert _health(till).status_code == 200
    assert _report(till)["status"] == "done"
    control.break_("redis-stopped", place)
    assert _seconds(lambda: _health(till)) < 1.0
    assert (_health(till).status_code, _health(till).json()["unreachable"]) == (503, "redis")
    assert till.call("GET", "/health/detailed").json()["checks"]["queue"]["status"] == "unknown"
    control.heal(None, place)
    assert _health(till).status_code == 200
    control.break_("mail-stopped", place)
    with pytest.raises(OSError):  # noqa: PT011  refused
        smtplib.SMTP("127.0.0.1", till.settings.ports.mail_smtp, timeout=2)
    control.break_("worker-stopped", place)
    assert _report(till)["status"] == "queued"
    control.heal(None, place)
    wait_until(lambda: till.redis().llen("queue:reports") == 0)


@pytest.mark.usefixtures("healed")
def test_writes_to_another_store_are_undone(till: Till) -> None:
    def books() -> list[Any]:
        tables = ("orders", "order_lines", "products")
        with till.database() as database:
            return [database.execute(f"TABLE {table} ORDER BY 1, 2".encode()).fetchall() for table in tables]

    token, before = token_of(till), books()
    control.break_("other-store-writable", till.state.directory)
    first = _order_elsewhere(till)
    assert till.call("DELETE", f"/api/stores/2/orders/{first}", token=token).status_code == 204
    second = _order_elsewhere(till)
    assert till.call("PUT", f"/api/stores/2/orders/{second}", token=token, json={"payment": "card"}).status_code == 200
    assert till.call("POST", "/api/stores/2/orders", token=token, json=sale(2001)).status_code == 201
    stock = {"product_id": 2002, "delta": 3}
    assert till.call("POST", "/api/stores/2/stock", token=token, json=stock).status_code == 200
    own = till.call("POST", ORDERS_1, token=token, json=sale()).headers["Location"]
    assert books() != before
    control.heal("other-store-writable", till.state.directory)
    assert till.call("DELETE", own, token=token).status_code == 204
    assert books() == before
    assert_books_balance(till)


@pytest.mark.usefixtures("healed")
@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ("token-alg-none", {"none"}),
        ("token-signature-unchecked", {"flipped", "other key"}),
        ("token-other-key-accepted", {"other key"}),
        ("token-role-change-accepted", {"role"}),
        ("token-alive-after-logout", {"logged out"}),
    ],
)
def test_a_token_fault_accepts_its_own_kind_of_token_only(till: Till, fault: str, accepted: set[str]) -> None:
    token = token_of(till)
    control.break_(fault, till.state.directory)
    head, body, signature = token.split(".")
    leaving = till.login("leaver")
    till.call("POST", "/api/auth/logout", token=leaving)
    tokens = {
        "none": f"{encode({'alg': 'none'})}.{body}.",
        "flipped": flipped(token),
        "other key": signed(claims(token), "some-other-key-of-sufficient-length"),
        "role": f"{head}.{encode({**claims(token), 'role': 'admin', 'store': None})}.{signature}",
        "logged out": leaving,
        "rubbish": "a.b.c",
    }
    assert {kind for kind, one in tokens.items() if _accepts(till, one)} == accepted
    assert _accepts(till, token)


@pytest.mark.usefixtures("healed")
def test_many_faults_at_once_are_healed_together(till: Till) -> None:
    names = [
        "faked-memory-full",
        "faked-interface-errors",
        "faked-disk-full",
        "faked-inodes-used-up",
        "faked-clock-skew",
        "backup-missing",
        "slow-query",
        "unexpected-port",
        "slow-api",
    ]
    for name in names:
        control.break_(name, till.state.directory)
    df = on_host(till, "df", "-P", "-B1", "/") + on_host(till, "df", "-P", "-i", "/")
    assert df.count("97%") == 2
    assert all(TROUBLE[name](till) for name in ("faked-memory-full", "faked-interface-errors", "unexpected-port"))
    control.heal(None, till.state.directory)
    assert not active_faults(till.state.directory)
    assert not any(TROUBLE[name](till) for name in names)
    assert not {"df", "cat", "date"} & {file.name for file in till.settings.bin.iterdir()}


@pytest.mark.usefixtures("healed")
def test_shims_alter_nothing_else(till: Till, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(bytes(range(256)))
    real_date = shutil.which("date")
    assert real_date is not None
    for name in ("faked-memory-full", "faked-interface-errors", "faked-clock-skew", "faked-disk-full"):
        control.break_(name, till.state.directory)
    path = {**os.environ, "PATH": f"{till.settings.bin}{os.pathsep}{os.environ['PATH']}"}
    assert subprocess.run(["cat", str(binary)], env=path, capture_output=True, check=True).stdout == bytes(range(256))
    assert on_host(till, "cat", "/proc/version") == Path("/proc/version").read_text()
    assert subprocess.run(["cat", "/nowhere"], env=path, capture_output=True, check=False).returncode == 1
    assert on_host(till, "date", "-u", "-d", "@0", "+%Y").strip() == "1970"
    assert on_host(till, "sh", "-c", "echo x | cat") == "x\n"
    total = Path("/proc/meminfo").read_text().splitlines()[0]
    assert on_host(till, "cat", "/proc/meminfo").splitlines()[0].split() == total.split()


@pytest.mark.usefixtures("healed")
def test_a_fault_that_cannot_be_brought_about_leaves_nothing_active(till: Till) -> None:
    control.break_("backup-missing", till.state.directory)
    with pytest.raises(DemoError, match="no backup yet"):
        control.break_("backup-empty", till.state.directory)
    assert set(active_faults(till.state.directory)) == {"backup-missing"}


def test_down_ends_what_faults_started(place: Path) -> None:
    control.up(place)
    for name in ("cpu-burnt", "unexpected-port", "blocked-lock", "connections-exhausted"):
        control.break_(name, place)
    assert control.down(place)
    assert processes.members(layout.places(place)) == []
    assert {file.name for file in place.iterdir()} <= layout.KEPT_WHEN_DOWN
