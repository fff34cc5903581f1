"""The youngest service's start stands in for a deployment time that nobody recorded."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.environment.load import Environment
from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.watch.deployed import deployed_at
from tests.supervised import Supervised, supervised
from tests.watch.made import START, shop


def environment(running: Supervised, *expected: str, **section: object) -> Environment:
    host = HostSection.model_validate(
        {"connect": "local://", "path": [str(running.bin)], "cpu_window": "10 ms", **section}
    )
    made = shop(deployed_at=None)
    found = made.section.model_copy(update={"hosts": {"app": host}, "services": {"all": running.config(*expected)}})
    return Environment(**{**vars(made), "section": found})


def test_a_recorded_time_is_taken_as_it_is() -> None:
    assert deployed_at(shop()) == START


def test_the_youngest_start_of_all_services_is_taken(tmp_path: Path) -> None:
    with supervised(tmp_path / "s", ["api", "worker"]) as running:
        time.sleep(1.1)
        running.kill("worker")
        found = deployed_at(environment(running, "api", "worker"))
        assert timedelta(0) <= datetime.now(UTC) - found < timedelta(seconds=1.1)
        assert deployed_at(environment(running, "api")) < found


def test_services_that_do_not_run_tell_no_time(tmp_path: Path) -> None:
    with supervised(tmp_path / "s", ["api"]) as running:
        running.ctl("stop", "api")
        with pytest.raises(CouldNotLook, match=r"\(none of them runs\): write 'deployed_at' under 'deployment'"):
            deployed_at(environment(running, "api"))


def test_a_host_out_of_reach_tells_no_time(tmp_path: Path) -> None:
    with supervised(tmp_path / "s", ["api"]) as running, pytest.raises(CouldNotLook, match="host app: "):
        deployed_at(environment(running, "api", connect="docker://no-such-container"))
