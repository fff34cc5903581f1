"""`golive note`, on a real history."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from commands.main import CommandError
from commands.watching import note
from golive.history.notes import notes
from golive.history.store import History
from golive.history.watches import close_watch, open_watch
from golive.model import Note
from tests.sessions import Shop
from tests.watchdays import START, day, the_watch

DISK = "shop.health.disk[home]"
CRITERION = {
    "id": "shop.health.disk",
    "says": "There is room in {item}",
    "severity": "low",
    "check": "hosts/file",
    "path": "/{item}",
    "for_each": ["home", "tmp"],
}
SECRET = "correct-horse-battery"


class Desk:
    """The command at an environment with a history and an open watch."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.shop = Shop(folder)
        self.shop.write([CRITERION])
        self.file = folder / "history.sqlite"
        self.history = History.open(self.file)
        self.watch = open_watch(self.history, the_watch(day(until="2h", environment="shop")))
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and output."""
        parser = argparse.ArgumentParser()
        note.add(parser.add_subparsers())
        options = parser.parse_args(["note", f"--env={self.shop.file}", f"--history={self.file}", *words])
        return options.run(options), self._capsys.readouterr().out

    @property
    def kept(self) -> list[Note]:
        return notes(self.history, self.watch.id)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    made = Desk(tmp_path, capsys)
    yield made
    made.history.close()


def test_a_note_is_kept_and_listed(desk: Desk) -> None:
    code, out = desk.run("restarted the worker", "--by=Ann", "--checkpoint=2 h", f"--criterion={DISK}")
    assert code == 0
    assert out.startswith("noted for the watch from 2026-05-01T09:00Z: ")
    assert out.endswith(f"Z Ann (checkpoint 2h, {DISK}): restarted the worker\n")
    (kept,) = desk.kept
    assert (kept.by, kept.text, kept.checkpoint, kept.criterion) == ("Ann", "restarted the worker", "2h", DISK)
    assert desk.run() == (0, out.partition("Z: ")[2])


def test_a_note_may_be_about_the_watch_as_a_whole(desk: Desk) -> None:
    assert desk.run("a quiet night", "--by=Ann")[0] == 0
    assert (desk.kept[0].checkpoint, desk.kept[0].criterion) == (None, None)


def test_a_criterion_may_be_named_without_its_item(desk: Desk) -> None:
    desk.run("cleaned up", "--by=Ann", "--criterion=shop.health.disk")
    assert desk.kept[0].criterion == "shop.health.disk"


def test_nothing_noted_is_said(desk: Desk) -> None:
    assert desk.run() == (1, "nothing was noted for the watch from 2026-05-01T09:00Z\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["done"], "--by: a note names who did or saw it"),
        (["done", "--by= "], "--by: a note names who did or saw it"),
        ([" ", "--by=Ann"], "a note has 1 to 2000 characters; this one has 0"),
        (["x" * 2001, "--by=Ann"], "a note has 1 to 2000 characters; this one has 2001"),
        (["done", "--by=Ann", "--checkpoint=5h"], "--checkpoint: unknown checkpoint '5h'"),
        (["done", "--by=Ann", "--checkpoint=soon"], "--checkpoint: unknown checkpoint 'soon'"),
        (
            ["done", "--by=Ann", "--criterion=shop.health.disc"],
            "--criterion: unknown criterion 'shop.health.disc'. Did you mean 'shop.health.disk'?",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(desk: Desk, words: list[str], told: str) -> None:
    with pytest.raises(CommandError) as refused:
        desk.run(*words)
    assert str(refused.value).startswith(told)
    assert desk.kept == []


def test_without_an_open_watch_there_is_nothing_to_note_on(desk: Desk) -> None:
    close_watch(desk.history, desk.watch.id, START + timedelta(days=2), "a new deployment")
    with pytest.raises(CommandError, match="no watch of shop is open"):
        desk.run("done", "--by=Ann")


def test_a_secret_of_the_environment_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    desk.shop.write(
        [CRITERION],
        endpoints={"api": {"url": "http://127.0.0.1:1"}},
        accounts={"ann": {"endpoint": "api", "username": "ann", "password": "${env:SHOP_PASSWORD}"}},
    )
    desk.run(f"logged in with {SECRET}", "--by=Ann")
    assert SECRET not in desk.kept[0].text


def test_a_line_of_a_note_cannot_pretend_to_be_another(desk: Desk) -> None:
    desk.run("done\n2026-05-01T10:00Z Bob: approved\x1b[2J", "--by=Ann")
    _, out = desk.run()
    assert out.count("\n") == 1
    assert "\x1b" not in out
