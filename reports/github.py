"""GitHub Actions: annotations on the run, and the job summary.

Commands and their escapes: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from golive.model import Outcome, RunRecord, Status
from reports.text import bounded, one_line, plural
from reports.wording import WORDS, causes, counts, headline, next_step, worst_first

_ANNOTATIONS_SHOWN = 10
"""GitHub shows this many of each level per step and drops the rest without a word."""
_ROWS = 100
_SUMMARY_LIMIT = 900_000
"""Characters; GitHub refuses a summary of more than 1 MiB."""


def annotate(record: RunRecord) -> list[str]:
    """Workflow commands, the gravest first: an error per blocking cause, a warning per warning."""
    errors = [_annotation("error", _title(c.first, len(c.outcomes)), _text(c.first)) for c in causes(record.outcomes)]
    if record.aborted:
        errors.insert(0, _annotation("error", "The run was aborted", record.aborted))
    warned = [o for o in worst_first(record.outcomes) if o.status is Status.WARN]
    warnings = [_annotation("warning", _title(o, 1), _text(o)) for o in warned]
    return [*_shown("error", errors), *_shown("warning", warnings)]


def summary(record: RunRecord, *, report: str, run_url: str = "") -> str:
    """The job summary in Markdown: headline, counts, what blocks or warns, where the report is."""
    rows = [o for o in worst_first(record.outcomes) if o.status.blocks or o.status is Status.WARN]
    parts = [
        f"## {escaped(record.system)} on {escaped(record.environment)}: {escaped(headline(record))}",
        f"**The run was aborted:** {escaped(record.aborted)}" if record.aborted else "",
        _table(("Outcome", "Criteria"), [(WORDS[s], str(n)) for s, n in counts(record.outcomes).items() if n]),
        _table(("Outcome", "Severity", "Criterion", "Why", "Next"), [_row(o) for o in rows[:_ROWS]]),
        f"… and {len(rows) - _ROWS} more in the report" if len(rows) > _ROWS else "",
        f"{plural(len(record.unanswered), 'criterion', 'criteria')} unanswered" if record.unanswered else "",
        f"Report: {escaped(report)}" + (f" ([artifacts of this run]({run_url}#artifacts))" if run_url else ""),
    ]
    return bounded("\n\n".join(part for part in parts if part), _SUMMARY_LIMIT) + "\n"


def run_url(variables: Mapping[str, str]) -> str:
    """The page of this workflow run, or nothing where it is not told."""
    server, repository, run = (variables.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    found = f"{server}/{repository}/actions/runs/{run}"
    return found if re.fullmatch(r"https://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/\d+", found) else ""


def append_summary(path: Path, text: str) -> None:
    """Append to the file that `GITHUB_STEP_SUMMARY` names."""
    with path.open("a", encoding="utf-8", errors="backslashreplace") as summary_file:
        summary_file.write(text)


def escaped(text: str) -> str:
    """One line of text that Markdown and HTML show as it is: no markup, link, image, mention or cell border."""
    return re.sub(r"[^\w\s,%/()-]", lambda found: f"&#{ord(found[0])};", one_line(text)).replace("_", "&#95;")


def _shown(level: str, commands: list[str]) -> list[str]:
    if len(commands) <= _ANNOTATIONS_SHOWN:
        return commands
    kept = commands[: _ANNOTATIONS_SHOWN - 1]
    return [*kept, _annotation(level, "And more", f"{len(commands) - len(kept)} more are in the report")]


def _annotation(level: str, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(text)}"


def _title(outcome: Outcome, how_many: int) -> str:
    others = f" and {how_many - 1} more alike" if how_many > 1 else ""
    return f"{WORDS[outcome.status]} {outcome.severity.value} {outcome.criterion}{others}"


def _text(outcome: Outcome) -> str:
    todo = next_step(outcome) if outcome.status.blocks else ""
    return "\n".join(part for part in (outcome.says, outcome.message, todo and f"Next: {todo}") if part)


def _data(text: str) -> str:
    lines = "\n".join(one_line(line) for line in bounded(text, 2_000).splitlines())
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text, 200)).replace(":", "%3A").replace(",", "%2C")


def _row(outcome: Outcome) -> tuple[str, ...]:
    todo = next_step(outcome) if outcome.status.blocks else ""
    said = f"{outcome.says} [{outcome.criterion}]" if outcome.says else outcome.criterion
    return WORDS[outcome.status], outcome.severity.value, said, outcome.message, todo


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [header, ("---",) * len(header), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
