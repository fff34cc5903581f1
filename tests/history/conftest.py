"""An empty history in each kind of database: SQLite in a file of its own, PostgreSQL in a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from golive.history.store import History
from tests.servers import PASSWORD, SUPERUSER, PostgresServer, running_postgres

_NUMBERS = itertools.count()
Place = Callable[[], str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty database; the password comes from the environment of the process."""
    name = f"history_{next(_NUMBERS)}"
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    postgres.execute(f"CREATE DATABASE {name}")
    yield f"postgresql://{SUPERUSER}@127.0.0.1:{postgres.port}/{name}"
    postgres.drop_database(name)
    postgres.forget_sessions()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a history may be made, in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "history.sqlite")
    found: str = request.getfixturevalue("database")
    return found


@pytest.fixture
def history(place: str) -> Iterator[History]:
    with History.open(place) as opened:
        yield opened


@pytest.fixture
def local(tmp_path: Path) -> Iterator[History]:
    """An empty SQLite history, for what has nothing to do with the kind of database."""
    with History.open(tmp_path / "local.sqlite") as opened:
        yield opened
