"""What a run leaves for the next survives, and is left alone by a run that is broken off."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from golive.history.state import StateStore, StateUnreadable


def test_value_is_kept_only_after_commit(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "state.json")
    store.put("log:a", {"offset": 5})
    assert store.get("log:a") == {"offset": 5}
    assert store.committed("log:a") is None
    assert StateStore(tmp_path / "state.json").get("log:a") is None
    store.commit()
    assert StateStore(tmp_path / "state.json").get("log:a") == {"offset": 5}


def test_run_is_known_at_once(tmp_path: Path) -> None:
    StateStore(tmp_path / "state.json").add_run("r1")
    assert StateStore(tmp_path / "state.json").runs == {"r1"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 2, "values": {}, "runs": []}', '{"schema": 1}', "\x00\xff"]
)
def test_damaged_state_is_named_and_not_overwritten(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(StateUnreadable, match=r"state\.json: cannot be read .*restore it, or move it away"):
        StateStore(file)
    assert file.read_bytes() == text.encode("latin-1")


def _write(file: str, key: str) -> None:
    store = StateStore(Path(file))
    for number in range(20):
        store.put(f"{key}{number}", number)
        store.commit()


def test_concurrent_runs_lose_nothing(tmp_path: Path) -> None:
    file = str(tmp_path / "state.json")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(file, key)) for key in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    store = StateStore(Path(file))
    assert all(store.get(f"{key}{number}") == number for key in "abc" for number in range(20))
