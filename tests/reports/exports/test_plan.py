"""Which checkpoints are still to come, and when each is started."""

from datetime import timedelta

import pytest

from reports.exports import Due, NotSchedulable, heading
from tests.reports.exports.plans import DEPLOYED, due, plan, watch


def labels(dues: list[Due]) -> list[str]:
    return [one.slot.label for one in dues]


def test_checkpoints_start_at_the_next_whole_minute() -> None:
    found = plan().coming()
    assert labels(found) == ["15min", "1h", "4h", "24h"]
    assert [one.at for one in found] == [due(15), due(60), due(240), due(1440)]
    assert all(
        timedelta(0) <= one.at - DEPLOYED - timedelta(seconds=one.slot.offset_s) < timedelta(minutes=1) for one in found
    )
    assert [one.selection for one in found] == ["smoke", "checkpoint", "checkpoint", "checkpoint or golive"]


def test_a_start_on_the_minute_stays_where_it_is() -> None:
    found = plan().coming(step_s=1)
    assert [one.at for one in found] == [DEPLOYED + timedelta(minutes=m) for m in (15, 60, 240, 1440)]


def test_what_is_past_is_left_out_and_said() -> None:
    late = plan(now=DEPLOYED + timedelta(hours=1, minutes=5))
    assert labels(late.coming()) == ["4h", "24h"]
    assert labels(late.missed()) == ["15min", "1h"]
    told = "\n".join(heading(late))
    assert "Past already and therefore left out: 15min (2026-12-31 20:46 UTC), 1h (2026-12-31 21:31 UTC)." in told
    assert told.endswith(
        "Not late before 2026-12-31 21:45 UTC, so hold it by hand now: pytest --env=prod -m checkpoint --checkpoint=1h"
    )


def test_a_watch_that_is_over_is_refused() -> None:
    with pytest.raises(NotSchedulable) as problem:
        plan(now=DEPLOYED + timedelta(days=2)).coming()
    assert str(problem.value) == (
        "the watch that began at 2026-12-31 20:30 UTC was over at 2027-01-01 20:30 UTC; give the time of the deployment"
        " that is to be watched: --deployed-at=2026-05-01T09:00:00Z"
    )


def test_a_tolerance_shorter_than_the_step_is_refused() -> None:
    with pytest.raises(NotSchedulable) as problem:
        plan(watch(tolerance_s=30)).coming()
    assert str(problem.value) == (
        "checkpoint 15min cannot be started in time: jobs start at multiples of 60 s, and the watch tolerates 30 s;"
        " give it a longer 'tolerance'"
    )
    assert len(plan(watch(tolerance_s=30)).coming(step_s=1)) == 4


@pytest.mark.parametrize(
    ("environment", "name"),
    [("prod", "golive-prod"), ("Prod_EU.1", "golive-prod-eu-1"), ("x" * 99, "golive-" + "x" * 53)],
)
def test_the_name_fits_every_format(environment: str, name: str) -> None:
    assert plan(watch(environment=environment)).name == name


def test_files_that_are_read_there_are_named() -> None:
    assert "The environment reads these files where it runs: /run/secrets/x." in heading(
        plan(files=("/run/secrets/x",))
    )
