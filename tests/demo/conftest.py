"""State directories for tests: each test's own, or one demo that all tests of a module only look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import control
from demo.state import State


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty state directory with a short path; whatever a test leaves running in it is stopped."""
    directory = tmp_path_factory.mktemp("d") / "s"
    yield directory
    control.down(directory)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A demo that is up. Tests that use it leave it as they found it."""
    directory = tmp_path_factory.mktemp("d") / "s"
    yield control.up(directory)
    control.down(directory)
