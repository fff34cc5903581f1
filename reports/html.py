"""`report.html`: the run for people.

pytest-html writes the file. Through its hooks it gets our own, sorted table, plain HTML
that needs no script, while its own table keeps what is no criterion (collection errors,
other tests of the same session). `polish` then gives the written file what the hooks
cannot reach: language, viewport, and a policy under which no request leaves the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from golive.judge.limits import judge
from golive.model import EXTRA, Measurement, Outcome, RunRecord, Status, utc_text
from golive.targets.hosts.cost import Cost
from reports import bars, wording
from reports.files import write_whole
from reports.load import charts
from reports.load.view import LoadView
from reports.session import RunInfo
from reports.text import duration, plural, visible

TEMPLATES = Path(__file__).with_name("templates")
STYLE = TEMPLATES / "report.css"
_CSS_ORIGIN = re.compile(r"\n/\*{10,}\n \* CUSTOM CSS\n \* [^\n]*\n \*{10,}/\n")
"""What pytest-html writes above added CSS: a comment with a path of this machine."""
_OPEN_AT_MOST = 10
_IN_ROW = 3
_TITLES = {
    Status.FAIL: "Failed",
    Status.UNKNOWN: "Unknown",
    Status.WARN: "Warnings",
    Status.WAIVED: "Waived",
    Status.ATTESTED: "Attested",
    Status.NOT_APPLICABLE: "Not applicable",
    Status.PASS: "Passed",
}
_EXPLAINED = {
    Status.UNKNOWN: "These could not be looked at. That is neither a failure nor a pass, and the run does not succeed.",
    Status.WAIVED: "These fail and were accepted in advance, by name and until a date.",
    Status.ATTESTED: "A person affirmed these; no machine can.",
}
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_HEAD = (
    '<meta charset="utf-8"/>\n'
    f'    <meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>\n'
    '    <meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
    '    <meta name="color-scheme" content="light dark"/>\n'
    '    <meta name="robots" content="noindex"/>'
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The criteria of one outcome, heaviest first."""

    status: Status
    title: str
    explained: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the page is made of besides the run itself."""

    selected: int = 0
    ended: int = 0
    others: int = 0
    others_failed: int = 0
    costs: dict[str, Cost] = field(default_factory=dict)
    loads: tuple[LoadView, ...] = ()
    baseline: str = ""
    made_with: dict[str, str] = field(default_factory=dict)


def page_title(record: RunRecord) -> str:
    """The title of the page."""
    return visible(f"{record.system} on {record.environment}: {wording.headline(record)}")


def body(record: RunRecord, info: RunInfo, told: Told) -> str:
    """The whole report as HTML, to stand inside the page that pytest-html makes."""
    worst = wording.worst_first(record.outcomes)
    blocking = sum(o.status.blocks for o in worst)
    page: str = _template().render(
        record=record,
        info=info,
        told=told,
        headline=wording.headline(record),
        tone=_tone(record),
        counts=wording.counts(worst),
        titles=_TITLES,
        groups=_groups(worst),
        facts=list(_facts(record)),
        open_details=blocking <= _OPEN_AT_MOST,
        whole_cost=sum(told.costs.values(), Cost()),
        load_style=_load_style() if told.loads else "",
        script=(TEMPLATES / "report.js").read_text(encoding="utf-8"),
    )
    return page


def polish(path: Path, *, bare: bool) -> None:
    """Complete the page that was written to `path`.

    `bare`: pytest-html's own table has no rows, so its script and data are taken out.
    """
    page = path.read_text(encoding="utf-8")
    page = page.replace("<html>", '<html lang="en">', 1).replace('<meta charset="utf-8"/>', _HEAD, 1)
    page = _CSS_ORIGIN.sub("\n", page, count=1)
    if bare:
        start, end = page.rfind("<footer>"), page.rfind("</footer>")
        if 0 <= start < end:
            page = page[:start] + page[end + len("</footer>") :]
    write_whole(path, page)


def _tone(record: RunRecord) -> Status:
    """The outcome whose colour the headline takes."""
    found = [o.status for o in record.outcomes]
    worst = min(found, key=wording.rank, default=Status.UNKNOWN)
    if worst is Status.FAIL or not record.aborted:
        return worst if worst in (Status.FAIL, Status.UNKNOWN, Status.WARN) else Status.PASS
    return Status.UNKNOWN


def _groups(worst: Sequence[Outcome]) -> list[Group]:
    return [
        Group(
            status=status,
            title=_TITLES[status],
            explained=_EXPLAINED.get(status, ""),
            outcomes=tuple(o for o in worst if o.status is status),
        )
        for status in wording.ORDER
        if any(o.status is status for o in worst)
    ]


def _facts(record: RunRecord) -> Iterable[tuple[str, str]]:
    """Names and values of the run, in the order they are shown."""
    deployment = record.deployment
    yield "Environment", f"{record.environment} ({record.system})"
    yield "Version", deployment.version or "not stated"
    if deployment.deployed_at is not None:
        age = (record.started_at - deployment.deployed_at).total_seconds()
        yield "Deployed", _moment(deployment.deployed_at) + (f", {duration(age)} before this run" if age >= 0 else "")
    else:
        yield "Deployed", "not stated"
    yield "Started", _moment(record.started_at)
    if record.finished_at is not None:
        took = duration((record.finished_at - record.started_at).total_seconds())
        yield "Finished", f"{_moment(record.finished_at)}, after {took}"
    yield "Selection", record.selection or "everything"
    if record.watch is not None:
        extra = record.checkpoint in (None, EXTRA)
        yield "Watch", f"{'An extra run' if extra else f'Checkpoint {record.checkpoint}'} of watch {record.watch}"
    yield "Run", record.run


def _moment(moment: datetime) -> str:
    return utc_text(moment)[:19].replace("T", " ") + " UTC"


def _worst_first(measurements: Sequence[Measurement]) -> list[Measurement]:
    """The measurements that break a limit first, otherwise as they were taken."""
    return sorted(measurements, key=lambda m: wording.rank(judge(m)))


def _prose(text: str) -> Markup:
    """Text of a runbook, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(visible(text)))))  # noqa: S704 - escaped first


def _size(count: int) -> str:
    """Bytes as a person reads them."""
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} kB" if count < 10**6 else f"{count / 10**6:.1f} MB"


def _dial(phone: str) -> str:
    return re.sub(r"[^0-9+]", "", phone)


def _load_style() -> Markup:
    return Markup((TEMPLATES / "load" / "load.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "visible": visible,
        "bar": bars.bar,
        "limit_words": bars.limit_words,
        "worst_first": _worst_first,
        "prose": _prose,
        "judged": judge,
        "dial": _dial,
        "moment": _moment,
        "duration": duration,
        "size": _size,
    }
    made.globals |= {
        "amount": bars.amount,
        "plot": charts,
        "words": wording.WORDS,
        "next_step": wording.next_step,
        "plural": plural,
        "in_row": _IN_ROW,
    }
    return made.get_template("report.html.jinja2")
