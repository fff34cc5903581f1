"""One real server for the checks of this folder, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.context import RunContext
from golive.targets.redis_cache import Cache
from tests.judged import run_context
from tests.servers import RedisServer, running_redis


@pytest.fixture(scope="session")
def server() -> Iterator[RedisServer]:
    with running_redis() as running:
        yield running


@pytest.fixture
def cache(server: RedisServer) -> Iterator[Cache]:
    """The cache as the verifier sees it."""
    server.command("FLUSHALL")
    opened = Cache("sessions", server.section(timeout="1 s"))
    yield opened
    opened.close()


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    """A first run."""
    return run_context(tmp_path)
