"""database/answers and database/connections."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import pytest

from checks.database import answers, connections
from golive.environment.sections import DatabaseSection
from golive.model import Status
from golive.targets.postgres import Database
from tests import rogues
from tests.judged import judged, written
from tests.servers import PostgresServer, secret

ANSWERS = written(answers.Params, database="main")
CONNECTIONS = written(connections.Params, database="main")


def test_an_answer_is_timed(database: Database) -> None:
    found = judged(answers.test_database_answers_within_limit, criterion=ANSWERS, database=database)
    assert found.status is Status.PASS
    assert found.message.startswith("database main: ")
    assert found.message.endswith(" ms, below 1000 ms needed (a new connection and SELECT 1)")


def test_a_slow_answer_fails(database: Database) -> None:
    strict = written(answers.Params, database="main", critical="0.001 ms")
    found = judged(answers.test_database_answers_within_limit, criterion=strict, database=database)
    assert found.status is Status.FAIL
    assert "below 0.001 ms needed" in found.message


@pytest.mark.parametrize(
    ("someone", "words"),
    [
        (rogues.refusing(), "database main: refused the connection (Connection refused)"),
        (rogues.rogue(rogues.silent), "database main: did not answer the connection in time"),
        (rogues.rogue(rogues.web_page), "database main: what answers there does not speak PostgreSQL's protocol"),
    ],
    ids=["refusing", "silent", "web page"],
)
def test_no_answer_fails_with_its_cause(someone: AbstractContextManager[int], words: str) -> None:
    with someone as port:
        section = written(DatabaseSection, url=f"postgresql://golive@127.0.0.1:{port}/shop", connect_timeout="1 s")
        found = judged(
            answers.test_database_answers_within_limit, criterion=ANSWERS, database=Database("main", section)
        )
    assert found.status is Status.FAIL
    assert found.message.startswith(words)


def test_a_refused_login_fails_with_its_cause(server: PostgresServer) -> None:
    wrong = Database("main", server.section("shop", password=secret("wrong")))
    found = judged(answers.test_database_answers_within_limit, criterion=ANSWERS, database=wrong)
    assert found.status is Status.FAIL
    assert 'refused the login (FATAL:  password authentication failed for user "golive")' in found.message


def test_a_name_that_nobody_knows_is_unknown() -> None:
    lost = Database("main", written(DatabaseSection, url="postgresql://golive@db.invalid/shop"))
    found = judged(answers.test_database_answers_within_limit, criterion=ANSWERS, database=lost)
    assert found.status is Status.UNKNOWN
    assert "its host name cannot be resolved" in found.message


def test_connections_are_counted(server: PostgresServer, database: Database) -> None:
    server.connect("shop", application_name="till")
    found = judged(connections.test_connections_are_left, criterion=CONNECTIONS, database=database)
    assert found.status is Status.PASS
    assert "connections in use: 18.2 %, below 80 % needed (2 of 11 that are not reserved)" in found.message
    assert "1 postgres till idle" in found.seen


def test_many_connections_fail(server: PostgresServer, database: Database) -> None:
    database.rows("SELECT 1")
    for _ in range(9):
        server.connect("shop", application_name="till")
    found = judged(connections.test_connections_are_left, criterion=CONNECTIONS, database=database)
    assert found.status is Status.FAIL
    assert "connections in use: 90.9 %, below 80 % needed (10 of 11 that are not reserved)" in found.message


def test_no_connection_left_for_the_verifier_is_the_answer(server: PostgresServer, database: Database) -> None:
    for _ in range(11):
        server.connect("shop")
    found = judged(connections.test_connections_are_left, criterion=CONNECTIONS, database=database)
    first = judged(answers.test_database_answers_within_limit, criterion=ANSWERS, database=database)
    assert found.status is first.status is Status.FAIL
    assert found.message.startswith("connections in use: 100 %, below 80 % needed (has no connection left (FATAL:")
    assert "has no connection left" in first.message


def test_a_connection_held_by_an_idle_transaction_fails(server: PostgresServer, database: Database) -> None:
    server.connect("shop", application_name="till").execute("BEGIN")
    time.sleep(0.15)
    strict = written(connections.Params, database="main", idle_limit="100 ms")
    found = judged(connections.test_connections_are_left, criterion=strict, database=database)
    assert found.status is Status.FAIL
    assert found.message.startswith("longest idle in transaction: 0.1")
    assert "s, below 0.1 s needed (pid " in found.message


def test_connections_that_may_not_be_seen_are_unknown(blind: Database) -> None:
    found = judged(connections.test_connections_are_left, criterion=CONNECTIONS, database=blind)
    assert found.status is Status.UNKNOWN
    assert "GRANT pg_monitor TO blind" in found.message
