"""Jinja2 as the go-live report uses it: everything that is no markup is shown inert."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from golive.judge import wording as judge_wording
from golive.judge.identity import shortened
from golive.judge.limits import judge
from golive.model import Note, Status, Waiver
from reports import bars, wording
from reports.golive import texts
from reports.golive.views import plots
from reports.golive.views.availability import percent_text
from reports.golive.views.day import State, spaced
from reports.golive.views.form import Mark
from reports.golive.views.incidents import Grade
from reports.golive.views.log import MEANINGS, HourStatus
from reports.golive.views.timeline import STATE_WORDS
from reports.text import clipped, duration, plural, visible

TEMPLATES = Path(__file__).parent.parent / "templates"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLES = ("report.css", "golive/golive.css")
_LONGEST = 600

SYMBOLS = {
    Status.FAIL: "✕",
    Status.UNKNOWN: "?",
    Status.WARN: "!",
    Status.WAIVED: "~",
    Status.ATTESTED: "✎",
    Status.NOT_APPLICABLE: "–",  # noqa: RUF001 - the sign of the run report
    Status.PASS: "✓",
}
STATE_SYMBOLS = {
    State.DONE: "✓",
    State.LATE: "L",
    State.EARLY: "E",
    State.PARTIAL: "P",
    State.ABORTED: "A",
    State.RUNNING: "…",
    State.MISSED: "M",
    State.DUE: "…",
    State.AHEAD: "·",
}
_HOUR_TONES = {
    HourStatus.EXCELLENT: Status.PASS,
    HourStatus.NORMAL: Status.PASS,
    HourStatus.WARNING: Status.WARN,
    HourStatus.CRITICAL: Status.FAIL,
    HourStatus.NO_DATA: Status.NOT_APPLICABLE,
}
_MARK_TONES = {
    Mark.HOLDS: Status.PASS,
    Mark.FAILS: Status.FAIL,
    Mark.MISSING: Status.UNKNOWN,
    Mark.OPEN: Status.NOT_APPLICABLE,
}
_GRADE_TONES = {Grade.CRITICAL: Status.FAIL, Grade.OPEN: Status.WARN, Grade.RESOLVED: Status.PASS}


@cache
def template(name: str) -> Any:
    """A template of `reports/templates/golive`, with every filter that they use."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= _FILTERS
    made.globals |= {**_GLOBALS, "style": Markup(_style())}  # noqa: S704 - our own files
    return made.get_template(f"golive/{name}")


def moment(at: datetime) -> str:
    """`2026-05-01 09:00:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _style() -> str:
    return "\n".join((TEMPLATES / file).read_text(encoding="utf-8") for file in _STYLES)


def _finalized(value: Any) -> Any:
    """Whatever text is put into a page without being markup shows acting characters instead of obeying them."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _short_moment(at: datetime) -> str:
    """`05-01 09:00`, in UTC as the page says of all times."""
    return f"{at.astimezone(UTC):%m-%d %H:%M}"


def _brief(text: str) -> str:
    return clipped(visible(text[: 4 * _LONGEST]), _LONGEST)


def _anchor(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)


def _breakable(text: str) -> Markup:
    """An id that may be broken after its dots."""
    return Markup(str(escape(visible(text))).replace(".", ".<wbr>"))  # noqa: S704 - escaped first


def _dial(phone: str) -> str:
    return re.sub(r"[^0-9+]", "", phone)


def _notes_about(notes: Sequence[Note], checkpoint: str | None, criteria: Sequence[str]) -> list[Note]:
    """The notes on one checkpoint, or (also without naming any checkpoint) on one of these criteria."""
    return [
        note
        for note in notes
        if (note.checkpoint == checkpoint if checkpoint and note.checkpoint else note.criterion in criteria)
    ]


def _signs(statuses: Sequence[Status | None]) -> str:
    """One sign for each checkpoint."""
    return "".join("·" if status is None else SYMBOLS[status] for status in statuses)


def _limits(waiver: Waiver) -> str:
    low, high = waiver.at_least, waiver.at_most
    if low is None and high is None:
        return "any value"
    return " ".join([*([] if low is None else [f"from {low:g}"]), *([] if high is None else [f"up to {high:g}"])])


_FILTERS: dict[str, Callable[..., Any]] = {
    "anchor": _anchor,
    "breakable": _breakable,
    "brief": _brief,
    "date": lambda at: f"{at.astimezone(UTC):%Y-%m-%d}",
    "dial": _dial,
    "duration": duration,
    "hour_range": texts.hour_range,
    "judged": judge,
    "limit_words": bars.limit_words,
    "limits": _limits,
    "moment": moment,
    "percent": percent_text,
    "short_moment": _short_moment,
    "shortened": shortened,
    "signs": _signs,
    "slope": plots.slope,
    "spaced": spaced,
    "span": judge_wording.span,
    "spread": plots.spread,
    "time": lambda at: f"{at.astimezone(UTC):%H:%M:%S} UTC",
}
_GLOBALS: dict[str, Any] = {
    "amount": bars.amount,
    "grade_tones": _GRADE_TONES,
    "hour_tones": _HOUR_TONES,
    "mark_tones": _MARK_TONES,
    "meanings": MEANINGS,
    "no_data": HourStatus.NO_DATA,
    "notes_about": _notes_about,
    "order": wording.ORDER,
    "plot": plots,
    "plural": plural,
    "policy": POLICY,
    "state_symbols": STATE_SYMBOLS,
    "state_words": STATE_WORDS,
    "symbols": SYMBOLS,
    "words": wording.WORDS,
}
