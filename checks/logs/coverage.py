"""The logs reach back to the beginning of the window.

Why: a log that was rotated away or cut shows no error because it shows nothing; silence is no proof.
When it fails: keep more rotated files, or look more often; what was lost must be looked for in the collector.
"""

from datetime import datetime

from fixtures.logs import LogParams
from fixtures.measure import Measure
from golive.logs import LogReading
from golive.model import utc_text


class Params(LogParams):
    pass


def test_logs_reach_back_to_the_beginning_of_the_window(
    criterion: Params, log_reading: LogReading, measure: Measure, now: datetime
) -> None:
    start, oldest = log_reading.window_start, log_reading.oldest
    if start is not None:
        measure(
            (now - start).total_seconds(), unit="s", subject="window", name="window", detail=f"from {utc_text(start)}"
        )
    if oldest is not None:
        told = f"from {utc_text(oldest)}"
        measure(
            (now - oldest).total_seconds(),
            unit="s",
            subject="oldest line that was read",
            name="oldest line",
            detail=told,
        )
    if log_reading.gap is not None:
        measure.fail(log_reading.gap)
    else:
        measure.note(f"all lines of {', '.join(criterion.logs)} are there")
    for remark in log_reading.remarks:
        measure.note(remark)
