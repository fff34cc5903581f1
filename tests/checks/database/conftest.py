"""One real server for the checks of this folder, and a fresh database on it for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.context import RunContext
from golive.targets.postgres import Database
from tests.dumps import SCHEMA
from tests.judged import run_context
from tests.servers import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with running_postgres(max_connections="14", max_prepared_transactions="2") as running:
        running.create_database("shop", SCHEMA)
        yield running


@pytest.fixture
def database(server: PostgresServer) -> Iterator[Database]:
    """The shop's database as the verifier sees it."""
    opened = Database("main", server.section("shop", statement_timeout="1 s"))
    yield opened
    opened.close()
    server.forget_sessions()


@pytest.fixture
def blind(server: PostgresServer) -> Iterator[Database]:
    """The same through a role that may not see other sessions."""
    opened = Database("main", server.section("shop", user="blind"))
    yield opened
    opened.close()


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    """A first run."""
    return run_context(tmp_path)


def next_run(context: RunContext) -> RunContext:
    """The run after that one."""
    context.state.commit()
    return run_context(context.directory)
