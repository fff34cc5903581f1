"""`Database` against a real server that works, refuses, hangs, is full, or is none at all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from golive.environment.sections import DatabaseSection
from golive.targets.postgres import Database
from golive.targets.postgres_errors import Cause, DatabaseTrouble
from tests import rogues
from tests.judged import written
from tests.servers import PASSWORD, PostgresServer, free_port, running_postgres, secret

SCHEMA = "CREATE TABLE users (id int, name text); INSERT INTO users SELECT g, 'u' || g FROM generate_series(1, 50) g"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(max_connections="12") as running:
        running.create_database("shop", SCHEMA)
        yield running


@pytest.fixture
def shop(server: PostgresServer) -> Iterator[Database]:
    opened = Database("main", server.section("shop", statement_timeout="300 ms"))
    yield opened
    opened.close()
    server.forget_sessions()


def test_rows_are_read_and_bounded(shop: Database) -> None:
    assert shop.rows("SELECT id, name FROM users WHERE id < %s ORDER BY 1", [3]) == [(1, "u1"), (2, "u2")]
    assert shop.rows("SELECT generate_series(1, 10000000)", at_most=3) == [(1,), (2,), (3,)]
    assert shop.rows("SELECT '100%' AS unchanged") == [("100%",)]


def test_server_says_what_it_is(shop: Database) -> None:
    said = shop.server
    assert (said.database, said.role, said.max_connections, said.reserved_connections) == ("shop", "golive", 12, 3)
    assert said.version_number >= 180000
    assert said.data_checksums
    assert not said.in_recovery
    assert said.sees_activity


def test_execution_time_and_answer_time_are_measured(shop: Database) -> None:
    assert 40 < shop.explain_ms("SELECT pg_sleep(0.05)") < 250
    assert 0 < shop.answer_ms() < 1000


def test_number_refuses_anything_else(shop: Database) -> None:
    assert shop.number("SELECT count(*) FROM users") == 50
    assert shop.number("SELECT 1.5::numeric") == 1.5
    for sql in ("SELECT 'a'", "SELECT true", "SELECT 1, 2", "SELECT 1 WHERE false", "SELECT NULL"):
        with pytest.raises(DatabaseTrouble, match="does not give one row with one number"):
            shop.number(sql)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users VALUES (0)",
        "CREATE TABLE more (id int)",
        "EXPLAIN ANALYZE DELETE FROM users",
        "SET default_transaction_read_only = off",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "BEGIN READ WRITE",
        "SELECT 1; INSERT INTO users VALUES (0)",
    ],
)
def test_nothing_is_ever_written(server: PostgresServer, statement: str) -> None:
    # The superuser may write, so that only the session itself can be what refuses.
    shop = Database("main", server.section("shop", user="postgres"))
    with pytest.raises(DatabaseTrouble):
        shop.rows(statement)
    with pytest.raises(DatabaseTrouble, match="refused to write in a read-only session"):
        shop.rows("INSERT INTO users VALUES (0) RETURNING id")
    assert shop.number("SELECT count(*) FROM users") == 50
    shop.close()


@pytest.mark.parametrize(
    ("statement", "cause", "words"),
    [
        ("SELECT * FROM nowhere", Cause.UNKNOWN_NAME, 'unknown table (relation "nowhere" does not exist)'),
        ("SELECT nothing FROM users", Cause.UNKNOWN_NAME, 'unknown column (column "nothing" does not exist)'),
        ("SELECT rolpassword FROM pg_authid", Cause.PERMISSION, "permission denied for table pg_authid"),
        ("SELEKT 1", Cause.SYNTAX, "does not understand the statement"),
        ("SELECT pg_sleep(5)", Cause.TIMEOUT, "cancelled the statement after its time limit"),
        ("", Cause.OTHER, "cannot be read"),
        ("SELECT '9999-12-31 BC'::date", Cause.OTHER, "date out of range"),
    ],
)
def test_errors_name_database_and_cause(shop: Database, statement: str, cause: Cause, words: str) -> None:
    with pytest.raises(DatabaseTrouble) as raised:
        shop.rows(statement)
    assert raised.value.cause is cause
    assert str(raised.value).startswith("database main: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert shop.rows("SELECT 1") == [(1,)], "the session is usable afterwards"


def test_hostile_text_in_an_error_is_one_short_line(shop: Database) -> None:
    with pytest.raises(DatabaseTrouble) as raised:
        shop.rows("SELECT (E'\\x1b[31m<b>\\n' || repeat('x', 100000))::int")
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        ({"password": secret("wrong-password")}, Cause.AUTHENTICATION, "refused the login"),
        ({"password": None}, Cause.AUTHENTICATION, "asks for a password and none is configured"),
        ({"user": "nobody"}, Cause.AUTHENTICATION, "refused the login"),
        ({"database": "elsewhere"}, Cause.NO_DATABASE, "does not exist on its server"),
    ],
)
def test_refused_logins_say_why(server: PostgresServer, change: dict[str, Any], cause: Cause, words: str) -> None:
    with pytest.raises(DatabaseTrouble) as raised:
        Database("main", server.section(**change)).rows("SELECT 1")
    assert raised.value.cause is cause
    assert words in str(raised.value)
    assert PASSWORD not in str(raised.value)
    assert "wrong-password" not in str(raised.value)


def test_required_encryption_that_is_not_offered(server: PostgresServer) -> None:
    section = server.section().model_copy(update={"url": server.section().url + "?sslmode=require"})
    with pytest.raises(DatabaseTrouble, match="the encrypted connection failed"):
        Database("main", section).rows("SELECT 1")


def test_exhausted_connections_say_so(server: PostgresServer) -> None:
    for _ in range(9):
        server.connect()
    with pytest.raises(DatabaseTrouble) as raised:
        Database("main", server.section()).rows("SELECT 1")
    server.forget_sessions()
    assert raised.value.cause is Cause.EXHAUSTED
    assert "has no connection left (FATAL:  remaining connection slots are reserved" in str(raised.value)


def test_a_role_at_its_own_limit_is_not_an_exhausted_server(server: PostgresServer) -> None:
    server.execute("ALTER ROLE blind CONNECTION LIMIT 0")
    with pytest.raises(DatabaseTrouble) as raised:
        Database("main", server.section(user="blind")).rows("SELECT 1")
    server.execute("ALTER ROLE blind CONNECTION LIMIT -1")
    assert raised.value.cause is Cause.ROLE_LIMIT


def test_activity_hidden_from_the_role_is_not_calm(server: PostgresServer) -> None:
    shop = Database("main", server.section("shop", user="blind"))
    with pytest.raises(DatabaseTrouble, match="GRANT pg_monitor TO blind"):
        shop.require_activity()
    shop.close()


def test_a_session_closed_meanwhile_is_opened_again(server: PostgresServer, shop: Database) -> None:
    pid = shop.number("SELECT pg_backend_pid()")
    server.execute(f"SELECT pg_terminate_backend({pid:.0f}, 1000)")
    assert shop.number("SELECT pg_backend_pid()") != pid


def test_a_server_that_hangs_is_left_after_the_time_limit(shop: Database) -> None:
    pid = int(shop.number("SELECT pg_backend_pid()"))
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(DatabaseTrouble, match=r"did not answer within 1\.3 s") as raised:
            shop.rows("SELECT 1")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert raised.value.cause is Cause.TIMEOUT
    assert time.monotonic() - began < 3
    assert shop.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("someone", "cause", "words"),
    [
        (rogues.refusing(), Cause.REFUSED, "refused the connection"),
        (rogues.rogue(rogues.silent), Cause.TIMEOUT, "did not answer the connection in time"),
        (rogues.rogue(rogues.closing), Cause.LOST, "closed the connection"),
        (rogues.rogue(rogues.web_page), Cause.PROTOCOL, "what answers there does not speak PostgreSQL's protocol"),
        (rogues.rogue(rogues.endless(b"R\0\0\0\x08")), Cause.PROTOCOL, "does not speak PostgreSQL's protocol"),
        (rogues.rogue(rogues.endless(b"N")), Cause.PROTOCOL, "does not speak PostgreSQL's protocol"),
    ],
    ids=["refusing", "silent", "closing", "web page", "endless", "endless no"],
)
def test_whoever_else_answers(someone: AbstractContextManager[int], cause: Cause, words: str) -> None:
    began = time.monotonic()
    with someone as port:
        section = written(DatabaseSection, url=f"postgresql://golive@127.0.0.1:{port}/shop", connect_timeout="1 s")
        with pytest.raises(DatabaseTrouble) as raised:
            Database("main", section).rows("SELECT 1")
    assert raised.value.cause is cause, str(raised.value)
    assert words in str(raised.value)
    assert time.monotonic() - began < 4


def test_unknown_host_name() -> None:
    section = written(DatabaseSection, url=f"postgresql://golive@db.invalid:{free_port()}/shop")
    with pytest.raises(DatabaseTrouble, match="its host name cannot be resolved"):
        Database("main", section).rows("SELECT 1")


def test_no_password_is_ever_shown(server: PostgresServer) -> None:
    assert PASSWORD not in repr(Database("main", server.section()))
