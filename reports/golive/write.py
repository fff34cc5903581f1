"""The go-live report into its file."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from golive import __version__
from golive.model import Verdict, WatchRecord
from reports.files import write_whole
from reports.golive.page import Around, Contact, page
from reports.golive.views.series import Key
from reports.text import visible


def write_golive_report(
    record: WatchRecord,
    verdict: Verdict,
    path: Path,
    *,
    says: str = "",
    contacts: Sequence[Contact] = (),
    baseline: Mapping[Key, float] | None = None,
    baseline_name: str = "",
) -> None:
    """Write the report over a watch to `path`, whole or not at all. Raises nothing but OSError.

    `says` is what the environment says of itself, `baseline` the usual values by criterion, name and unit.
    """
    around = Around(
        says=says,
        contacts=contacts,
        baseline=baseline or {},
        baseline_name=baseline_name,
        made_with={"golive": __version__, "Python": platform.python_version()},
    )
    write_whole(path, _drawn(record, verdict, around))


def _drawn(record: WatchRecord, verdict: Verdict, around: Around) -> str:
    """The page. One that cannot be drawn is our fault, and may cost neither the verdict nor the run."""
    try:
        return page(record, verdict, around)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the drawing, the verdict is to be told
        told = [f"This report could not be drawn: {type(error).__name__}: {error}"]
        told += [f"The verdict is {verdict.decision}.", *(reason.text for reason in verdict.reasons)]
        title = visible(f"{record.system} on {record.environment}: {verdict.decision}")
        lines = "".join(f"<p>{escape(visible(line))}</p>" for line in told)
        return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>{lines}</html>'
