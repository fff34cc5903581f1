"""The target is compared with what the watch began with, on a real supervisord whose configuration is edited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.services import unchanged
from fixtures.context import RunContext
from fixtures.identity import read_target
from golive.model import Deployment, Slot, Status, Watch, When
from tests.judged import Judged, judged, run_context
from tests.supervised import Supervised, supervised

CHECK = unchanged.test_what_is_deployed_is_what_the_watch_began_with
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
HOSTS = {"app": {"connect": "local://", "cpu_window": "100 ms"}}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Supervised]:
    with supervised(tmp_path / "s", ["api", "worker"]) as found:
        yield found


def run(folder: Path, manager: Supervised) -> RunContext:
    """A run that verifies what `manager` supervises."""
    context = run_context(folder, hosts=HOSTS)
    section = context.environment.section.model_copy(update={"services": {"all": manager.config("api", "worker")}})
    context.environment = replace(context.environment, section=section)
    return context


def watch(target: Mapping[str, str]) -> Watch:
    return Watch(
        id="w",
        environment="test",
        system="shop",
        deployment=Deployment(),
        starts_at=NOW,
        opened_at=NOW,
        schedule=(Slot(label="4h", offset_s=14_400, occasions=(When.CHECKPOINT,)),),
        tolerance_s=900,
        target=target,
    )


def look(context: RunContext) -> Judged:
    return judged(CHECK, criterion=unchanged.Params(), context=context)


def test_an_unchanged_target_passes_and_a_changed_one_is_named(manager: Supervised, tmp_path: Path) -> None:
    begun = run(tmp_path, manager)
    begun.watch = watch({})
    assert look(begun).status is Status.PASS  # the first run of a watch
    begun.watch = watch(read_target(begun))
    found = look(begun)
    assert (found.status, found.value("changed")) == (Status.PASS, 0)
    assert "all/api binary: sha256:" in found.seen

    file = manager.folder / "s.conf"
    file.write_text(file.read_text().replace("[program:worker]\n", "[program:worker]\nnumprocs=2\n"))
    later = run(tmp_path, manager)
    later.watch = begun.watch
    found = look(later)
    assert found.status is Status.FAIL
    assert found.message == (
        "not as at the beginning of the watch: 1 of 7 parts, at most 0 of 7 parts needed"
        " (all/worker replicas changed from 1 to 2)"
    )


def test_what_the_run_has_read_already_is_not_read_again(tmp_path: Path) -> None:
    context = run_context(tmp_path)
    context.watch, context.target_identity = watch({"all/api replicas": "1"}), {"all/api replicas": "2"}
    assert "all/api replicas changed from 1 to 2" in look(context).message


def test_outside_a_watch_nothing_is_compared(tmp_path: Path) -> None:
    found = look(run_context(tmp_path))
    assert (found.status, found.message) == (
        Status.NOT_APPLICABLE,
        "this run belongs to no watch, so there is nothing to compare with",
    )


def test_a_target_that_cannot_be_read_is_unknown(manager: Supervised, tmp_path: Path) -> None:
    context = run(tmp_path, manager)
    context.watch = watch({"all/api replicas": "1"})
    (manager.folder / "s.conf").unlink()
    found = look(context)
    assert found.status is Status.UNKNOWN
    assert "s.conf: No such file" in found.message
