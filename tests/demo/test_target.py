"""What a demo that is up consists of: its state, its database, its commands, and that it keeps its secrets."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import requests

from demo import control, layout, processes
from demo import settings as demo_settings
from demo.passwords import hash_password, verify_password
from demo.settings import SERVICES, USERS
from demo.state import State

pytestmark = pytest.mark.xdist_group("demo")

PATHS = ("logs", "backups", "bin", "documents", "signers", "pid_directory")
VALUES = {
    *("api_url", "web_url", "mail_smtp_host", "mail_smtp_port", "mail_url", "collector_url", "database_url"),
    *("scratch_url", "redis_url", "supervisor_config", "deployed_at", "version", *PATHS),
}
SECRETS = {
    *("database_password", "scratch_password", "redis_password"),
    *(f"{user.name}_{kind}" for user in USERS for kind in ("password", "totp")),
}


def query(running: State, statement: str, *, url: str = "database_url", **options: Any) -> list[Any]:
    password = running.secrets["scratch_password" if url == "scratch_url" else "database_password"]
    with psycopg.connect(running.values[url], password=password, autocommit=True, **options) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def run(running: State, command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"{running.values['bin']}/{command}", *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=20,
    )


# State


def test_no_log_starts_with_a_complaint(running: State) -> None:
    """A start must not leave lines that a check of the logs would have to be told to ignore.

    Stands first, as other tests here provoke such lines.
    """
    for path in Path(running.values["logs"]).glob("*.log"):
        found = re.findall(r".*\b(?:FATAL|PANIC|CRIT|CRITICAL|ERROR|emerg|alert|crit)\b.*", path.read_text())
        assert found == []


def test_the_state_has_what_was_agreed(running: State) -> None:
    assert set(running.values) == VALUES
    assert set(running.secrets) == SECRETS
    for name in PATHS:
        assert Path(running.values[name]).is_dir()
    content = json.loads((running.directory / "state.json").read_text())
    assert content["schema"] == 1
    assert content["owner"] == "command"
    assert content["supervisor_pid"] == running.supervisor_pid
    assert not any("@" in value and ":" in value.split("@")[0].split("//")[1] for value in urls(running))


def urls(running: State) -> list[str]:
    return [value for name, value in running.values.items() if name.endswith("_url")]


def test_it_was_deployed_after_everything_had_started(running: State) -> None:
    deployed_at = datetime.fromisoformat(running.values["deployed_at"])
    assert deployed_at.utcoffset() == timedelta(0)
    for one in control.status(running.directory):
        assert one.uptime_s is not None
        assert datetime.now(UTC) - timedelta(seconds=one.uptime_s) < deployed_at + timedelta(seconds=1)


def test_secrets_are_new_each_time_and_long() -> None:
    first, second = demo_settings.make_secrets(), demo_settings.make_secrets()
    assert not set(first.values()) & set(second.values())
    assert all(len(value) >= 20 for value in first.values())


def test_everything_listens_on_loopback_alone(running: State) -> None:
    ports = set(vars(demo_settings.load(running.directory).ports).values())
    assert all(port < 32768 for port in ports)  # out of the way of outgoing connections
    listening = {"0100007F": set[int](), "other": set[int]()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A":
                address, port = local.split(":")
                listening["0100007F" if address == "0100007F" else "other"].add(int(port, 16))
    assert ports <= listening["0100007F"]
    assert not ports & listening["other"]


# Secrets stay where they belong


def all_secrets(running: State) -> list[bytes]:
    return [value.encode() for value in demo_settings.load(running.directory).secrets.values()]


def test_no_secret_is_in_an_argument_or_in_the_environment(running: State) -> None:
    members = processes.members(layout.places(running.directory))
    assert {*SERVICES, processes.SUPERVISOR} <= {one.service for one in members}
    for one in members:
        for file in ("cmdline", "environ"):
            text = Path(f"/proc/{one.pid}/{file}").read_bytes()
            assert not any(secret in text for secret in all_secrets(running))


def test_the_callers_environment_does_not_reach_the_services(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI_TOKEN", "PGPASSWORD", "PGHOST", "HTTP_PROXY", "PYTHONSTARTUP", "PYTHONPATH"):
        monkeypatch.setenv(name, "somebody-elses-secret")
    assert "somebody-elses-secret" not in processes.environment(place).values()


def test_no_secret_can_be_read_by_others(running: State) -> None:
    for root in layout.places(running.directory):
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_mode & (stat.S_IROTH | stat.S_IRGRP):
                content = path.read_bytes()
                assert not any(secret in content for secret in all_secrets(running)), path
    for name in ("state.json", "settings.json", "supervisord.conf", "redis/redis.conf"):
        assert stat.S_IMODE((running.directory / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(running.directory.stat().st_mode) == 0o711


def test_no_secret_is_logged(running: State) -> None:
    for folder in ("logs", "output"):
        for path in (running.directory / folder).iterdir():
            content = path.read_bytes()
            assert not any(secret in content for secret in all_secrets(running)), path


def test_passwords_are_kept_as_salted_hashes(running: State) -> None:
    stored = dict(query(running, "SELECT username, password_hash FROM users"))
    assert set(stored) == {user.name for user in USERS}
    for name, hashed in stored.items():
        assert verify_password(running.secrets[f"{name}_password"], hashed)
        assert not verify_password("another", hashed)
    assert hash_password("same") != hash_password("same")
    assert not verify_password("", "")
    assert not verify_password("x", "md5$abc")


# PostgreSQL


def test_the_database_is_set_up_as_agreed(running: State) -> None:
    wanted = {
        "data_checksums": "on",
        "max_connections": "40",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
        "log_min_duration_statement": "1s",
        "deadlock_timeout": "200ms",
    }
    for name, value in wanted.items():
        assert query(running, f"SHOW {name}") == [(value,)]


def test_every_role_needs_its_password(running: State) -> None:
    port = demo_settings.load(running.directory).ports.postgres
    for role in ("postgres", "warungin", "golive", "golive_scratch"):
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host="127.0.0.1", port=port, user=role, password=password, dbname="postgres")
    home = demo_settings.load(running.directory).postgres_home
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(home), port=port, user="postgres", dbname="postgres")


def test_the_verifier_reads_and_watches_but_does_not_write(running: State) -> None:
    assert query(running, "SELECT count(*) FROM orders") == [(2000,)]
    assert query(running, "SELECT pg_has_role('golive', 'pg_monitor', 'member')") == [(True,)]
    for statement in ("DELETE FROM orders", "UPDATE users SET role = 'admin'", "CREATE TABLE public.mine (id int)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(running, statement)


def test_the_scratch_role_has_its_own_databases_only(running: State) -> None:
    query(running, "CREATE DATABASE rehearsal", url="scratch_url")
    query(running, "DROP DATABASE rehearsal", url="scratch_url")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        query(running, "SELECT 1", url="scratch_url", dbname="warungin")


def test_those_who_watch_get_in_when_the_house_is_full(running: State) -> None:
    arguments = demo_settings.load(running.directory).database("warungin")
    held: list[psycopg.Connection[Any]] = []

    def fill() -> None:
        while len(held) < 50:
            held.append(psycopg.connect(**arguments))

    try:
        with pytest.raises(psycopg.OperationalError, match="remaining connection slots"):
            fill()
        [(used,)] = query(running, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        assert used > 35
    finally:
        for connection in held:
            connection.close()


def test_totals_and_stock_add_up(running: State) -> None:
    bad_orders = """SELECT count(*) FROM orders WHERE total IS DISTINCT FROM
                    (SELECT sum(quantity * unit_price) FROM order_lines WHERE order_id = orders.id)"""
    bad_stock = """SELECT count(*) FROM products WHERE stock IS DISTINCT FROM
                   (SELECT sum(delta) FROM stock_movements WHERE product_id = products.id)"""
    mixed_stores = """SELECT count(*) FROM order_lines JOIN orders ON orders.id = order_id
                      JOIN products ON products.id = product_id WHERE orders.store_id <> products.store_id"""
    for statement in (bad_orders, bad_stock, mixed_stores):
        assert query(running, statement) == [(0,)]
    assert query(running, "SELECT count(*), min(stock) >= 0 FROM products") == [(120, True)]
    assert query(running, "SELECT array_agg(id ORDER BY id) FROM stores") == [([1, 2, 3],)]
    [(oldest, newest)] = query(running, "SELECT now() - min(created_at), now() - max(created_at) FROM orders")
    assert timedelta(days=28) < oldest < timedelta(days=31)
    assert timedelta(0) < newest < timedelta(days=1)


def test_new_rows_get_new_numbers(running: State) -> None:
    arguments = demo_settings.load(running.directory).database("warungin")
    with psycopg.connect(**arguments) as connection:
        row = connection.execute("INSERT INTO orders (store_id, cashier_id, total) VALUES (1, 1, 0) RETURNING id")
        assert row.fetchone() is not None
        connection.rollback()


# Redis


def test_redis_needs_its_password_and_keeps_a_log(running: State) -> None:
    url = running.values["redis_url"]
    with redis.Redis.from_url(url) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis.from_url(url, password=running.secrets["redis_password"], decode_responses=True) as client:
        assert client.ping()
        for name, value in {"appendonly": "yes", "save": "", "bind": "127.0.0.1"}.items():
            assert client.config_get(name) == {name: value}
        assert 0 < client.ttl("worker:heartbeat") <= 60


# Commands and papers


def test_the_commands_work_from_anywhere(running: State) -> None:
    status = run(running, "supervisorctl", "-c", running.values["supervisor_config"], "status")
    assert status.returncode == 0
    running_line = re.compile(r"^(\w+) +RUNNING +pid \d+, uptime \d:\d\d:\d\d$", re.MULTILINE)
    assert set(running_line.findall(status.stdout)) == set(SERVICES)

    password = running.secrets["database_password"]
    answer = run(running, "psql", running.values["database_url"], "-Atc", "SELECT 42", PGPASSWORD=password)
    assert answer.stdout == "42\n", answer.stderr

    backups = sorted(Path(running.values["backups"]).glob("warungin-*.dump"))
    assert backups
    listed = run(running, "pg_restore", "--list", str(backups[-1]))
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count(" TABLE DATA ") == 7


def test_pid_files_name_the_running_processes(running: State) -> None:
    for one in control.status(running.directory):
        assert int((Path(running.values["pid_directory"]) / f"{one.name}.pid").read_text()) == one.pid


def test_the_papers_are_there_and_the_rollback_can_be_rehearsed(running: State) -> None:
    folder = Path(running.values["documents"])
    for name in ("INCIDENT_RESPONSE_GUIDE.md", "PHASE_6_1_DEPLOYMENT_READY.md", "PHASE_5_2_RESULTS.md"):
        assert len((folder / name).read_text()) > 500
    rehearsed = subprocess.run([folder / "rollback.sh"], capture_output=True, text=True)
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "would stop" in rehearsed.stdout
    assert subprocess.run([folder / "rollback.sh", "--sideways"], capture_output=True).returncode == 2


def test_a_rollback_puts_the_backup_back(place: Path) -> None:
    up = control.up(place)
    arguments = demo_settings.load(place).database("warungin")
    with psycopg.connect(**arguments) as connection:
        connection.execute("DELETE FROM orders")
    done = subprocess.run([place / "documents" / "rollback.sh", "--now"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert query(up, "SELECT count(*) FROM orders") == [(2000,)]
    assert {one.state for one in control.status(place)} == {"RUNNING"}


# Front end


def test_the_front_end_serves_pages_and_passes_on_to_the_api(running: State) -> None:
    url = running.values["web_url"]
    page = requests.get(f"{url}/", timeout=5)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" in page.headers
    assert not re.search(r"\d", page.headers["Server"])
    assert requests.get(f"{url}/nothing-here", timeout=5).status_code == 404
    assert requests.get(f"{url}/api/me", timeout=5).status_code == 401
    assert requests.get(f"{url}/health", timeout=5).json() == {"status": "ok"}


def test_the_front_end_logs_json(running: State) -> None:
    sent = {"X-Request-Id": "from-the-test", "User-Agent": 'quoted "name"\\'}
    answer = requests.get(f"{running.values['web_url']}/index.html?code=123456", headers=sent, timeout=5)
    assert answer.headers["X-Request-Id"] == "from-the-test"
    lines = (Path(running.values["logs"]) / "nginx-access.log").read_text().splitlines()
    entry = next(one for one in map(json.loads, lines) if one["request_id"] == "from-the-test")
    assert entry["message"] == "GET /index.html 200"
    assert entry["path"] == "/index.html"  # without the query, which may hold what is nobody's business
    assert entry["user_agent"] == 'quoted "name"\\'
    assert entry["level"] == "INFO"
    assert datetime.now(UTC) - datetime.fromisoformat(entry["time"]) < timedelta(seconds=10)
    assert entry["time"].endswith("Z")


def test_the_directory_is_named_after_user_and_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    from demo.state import default_directory

    monkeypatch.delenv("GOLIVE_DEMO_DIR", raising=False)
    assert re.fullmatch(rf"golive-demo-{os.getuid()}-[0-9a-f]{{8}}", default_directory().name)
    monkeypatch.setenv("GOLIVE_DEMO_DIR", "/somewhere/else")
    assert default_directory() == Path("/somewhere/else")
