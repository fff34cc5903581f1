"""Which watch a process takes part in, and what ends one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from golive.history.store import History
from golive.history.watches import watches
from golive.model import CouldNotLook, Deployment, Watch
from golive.watch.joining import Joined, begin_anew, is_same, join
from tests.watch.made import START, hours, shop

NOW = START + hours(2)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History.open(tmp_path / "history.sqlite") as opened:
        yield opened


def stored(history: History) -> dict[str, Watch]:
    return {watch.id: watch for watch in watches(history, "shop")}


def test_the_first_one_begins_a_watch_and_the_next_joins_it(history: History) -> None:
    first = join(history, shop(), now=NOW)
    assert (first.begun, first.replaced, first.watch.starts_at) == (True, None, START)
    assert join(history, shop(), now=NOW + hours(3)) == Joined(watch=first.watch)
    assert join(history, shop(), now=NOW + hours(300), time_scale=1.0) == Joined(watch=first.watch)


@pytest.mark.parametrize("change", [{"version": "1.1"}, {"deployed_at": START + hours(1)}])
def test_a_new_deployment_ends_the_watch(history: History, change: dict[str, object]) -> None:
    first = join(history, shop(), now=NOW).watch
    second = join(history, shop(**change), now=NOW + hours(1))  # type: ignore[arg-type]
    assert (second.begun, second.replaced, second.watch.replaces) == (True, first, first.id)
    closed = stored(history)[first.id]
    assert closed.closed_at == NOW + hours(1)
    version, at = change.get("version", "1.0"), change.get("deployed_at", START)
    assert closed.closed_because == f"a new deployment: version {version} of {at:%Y-%m-%dT%H:%M:%S}.000Z"
    assert second.watch.reason == closed.closed_because


def test_back_to_an_earlier_deployment_is_a_watch_of_its_own(history: History) -> None:
    found = [join(history, shop(version=version), now=NOW).watch.id for version in ("1.0", "1.1", "1.0")]
    assert len(set(found)) == 3
    assert [watch.closed_at is None for watch in stored(history).values()].count(True) == 1


def test_a_declared_change_begins_at_hour_0(history: History) -> None:
    first = join(history, shop(), now=NOW).watch
    second = begin_anew(history, shop(), now=NOW + hours(1), reason="the pool was made larger")
    assert (second.watch.starts_at, second.replaced) == (NOW + hours(1), first)
    assert stored(history)[first.id].closed_because == "the pool was made larger"
    assert join(history, shop(), now=NOW + hours(2)) == Joined(watch=second.watch)


def test_a_trial_is_begun_afresh_unless_one_of_its_speed_goes_on(history: History) -> None:
    real = join(history, shop(), now=NOW).watch
    trial = join(history, shop(), now=NOW, time_scale=240)
    assert (trial.watch.starts_at, trial.watch.time_scale, trial.replaced) == (NOW, 240, real)
    assert stored(history)[real.id].closed_because == "a trial takes its place"
    within = NOW + timedelta(minutes=3)
    assert join(history, shop(), now=within, time_scale=240) == Joined(watch=trial.watch)
    other = join(history, shop(), now=within, time_scale=480)
    assert other.replaced == trial.watch
    after = within + timedelta(minutes=4)
    again = join(history, shop(), now=after, time_scale=480)
    assert (again.begun, again.watch.starts_at) == (True, after)


def test_a_run_joins_a_trial_and_a_watch_in_real_time_takes_its_place(history: History) -> None:
    trial = join(history, shop(), now=NOW, time_scale=240).watch
    assert join(history, shop(), now=NOW + hours(5)) == Joined(watch=trial)
    real = join(history, shop(), now=NOW + hours(5), time_scale=1.0)
    assert (real.watch.starts_at, real.watch.trial, real.replaced) == (START, False, trial)
    assert real.watch.reason == "a watch in real time takes its place"


def test_whoever_is_slower_joins_what_the_other_began(history: History, tmp_path: Path) -> None:
    found: list[str] = []
    barrier = threading.Barrier(4)

    def enter() -> None:
        with History.open(tmp_path / "history.sqlite") as own:
            barrier.wait()
            found.append(join(own, shop(), now=NOW).watch.id)

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert set(found) == set(stored(history))
    assert len(stored(history)) == 1


def test_two_deployments_are_the_same_by_version_and_second() -> None:
    one = Deployment(version="1", deployed_at=START)
    assert is_same(one, Deployment(version="1", deployed_at=START + timedelta(milliseconds=900)))
    assert not is_same(one, Deployment(version="1", deployed_at=START + timedelta(seconds=1)))
    assert not is_same(one, Deployment(version="2", deployed_at=START))
    assert not is_same(one, Deployment(version="1"))
    assert not is_same(Deployment(version="1"), Deployment(version="1"))


def test_without_a_time_of_deployment_nobody_guesses(history: History) -> None:
    with pytest.raises(CouldNotLook, match="when shop was deployed is unknown, and it has no 'services' to ask"):
        join(history, shop(deployed_at=None), now=NOW)
    assert stored(history) == {}


def test_the_open_watch_knows_the_time_of_deployment_while_the_target_is_out_of_reach(history: History) -> None:
    first = join(history, shop(), now=NOW).watch
    assert join(history, shop(deployed_at=None), now=NOW + hours(2)) == Joined(watch=first)
    with pytest.raises(CouldNotLook, match="is unknown"):
        join(history, shop(deployed_at=None, version="1.1"), now=NOW + hours(2))
