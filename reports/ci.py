"""Which CI system runs us, and what its log is told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from golive.model import RunRecord, utc_text
from reports import github
from reports.terminal import Line, everything_blocking


class System(Enum):
    """A CI system whose log has its own language, or one that has none."""

    GITHUB = "GITHUB_ACTIONS"
    GITLAB = "GITLAB_CI"
    OTHER = "CI"


def system(variables: Mapping[str, str]) -> System | None:
    """The CI system by its environment variables; None unless `CI` is set to something."""
    if not variables.get("CI"):
        return None
    return next((one for one in System if variables.get(one.value)), System.OTHER)


def log_lines(where: System, record: RunRecord) -> list[Line]:
    """What goes into the log above the summary: annotations, or everything that blocks in a fold of its own."""
    if where is System.GITHUB:
        return [Line(command) for command in github.annotate(record)]
    lines = everything_blocking(record)
    return _gitlab_section(record, lines) if where is System.GITLAB and lines else lines


def _gitlab_section(record: RunRecord, lines: list[Line]) -> list[Line]:
    """https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections"""
    moment = int((record.finished_at or record.started_at).timestamp())
    begin = f"\x1b[0Ksection_start:{moment}:golive[collapsed=true]\r\x1b[0K"
    title = f"What blocks in {record.environment}, run of {utc_text(record.started_at)}"
    return [Line(begin + title), *lines, Line(f"\x1b[0Ksection_end:{moment}:golive\r\x1b[0K")]
