"""Lines for a crontab, taken apart as cron does and run by a shell."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from reports.exports import cron_fields, crontab
from tests.reports.exports.plans import HOSTILE, clock, due, plan, program, started, watch

VARIABLE = re.compile(r"[A-Z_]+=\S+")


@dataclass(frozen=True)
class Line:
    """One entry: its five fields and what `sh` gets."""

    fields: list[str]
    command: str


def entries(text: str) -> list[Line]:
    """As crontab(5) has it: comments, variables, or five fields and a command up to the first bare percent sign."""
    found = []
    for line in text.splitlines():
        if not line or line.startswith("#") or VARIABLE.fullmatch(line):
            continue
        *fields, command = line.split(None, 5)
        assert len(fields) == 5
        assert not re.search(r"(?<!\\)%", command), "cron takes a bare percent sign for the end of the command"
        found.append(Line(fields, command.replace(r"\%", "%")))
    return found


def moment(line: Line, year: int) -> datetime:
    minute, hour, day, month, weekday = line.fields
    assert weekday == "*"
    return datetime.fromisoformat(f"{year}-{month:>02}-{day:>02}T{hour:>02}:{minute:>02}:00Z")


def test_every_checkpoint_is_a_line_at_its_time_with_its_label() -> None:
    text = crontab.render(plan())
    assert "\nCRON_TZ=UTC\n" in text
    lines = entries(text)
    starts = [(15, 2026), (60, 2026), (240, 2027), (1440, 2027)]
    assert [moment(line, year) for line, (_, year) in zip(lines, starts, strict=True)] == [due(m) for m, _ in starts]
    words = [shlex.split(line.command) for line in lines]
    assert [one[-1] for one in words] == [
        "--checkpoint=15min",
        "--checkpoint=1h",
        "--checkpoint=4h",
        "--checkpoint=24h",
    ]
    assert [one[one.index("--env=prod") + 2] for one in words] == [
        "smoke", "checkpoint", "checkpoint", "checkpoint or golive",
    ]  # fmt: skip
    assert "# 4h: 2027-01-01 00:31 UTC, late after 2027-01-01 00:45 UTC" in text.splitlines()


def test_a_line_runs_in_its_own_year_only(tmp_path: Path) -> None:
    python = program(tmp_path / "bin")
    line = entries(crontab.render(plan(python=str(python), directory=str(tmp_path))))[0]
    for year, words in ((2026, ["-m", "pytest", "--env=prod", "-m", "smoke", "--checkpoint=15min"]), (2027, [])):
        path = f"{clock(tmp_path / str(year), year=year)}:/usr/bin:/bin"
        assert started(["/bin/sh", "-c", line.command], PATH=path)[2] == words


def test_odd_names_and_paths_arrive_as_they_are(tmp_path: Path) -> None:
    python = program(tmp_path / HOSTILE, "python 3")
    file = tmp_path / HOSTILE / "env file"
    file.write_text("SHOP_PASSWORD='p w'\n")
    given = plan(
        python=str(python), directory=str(python.parent), environment=HOSTILE, options=(f"--history={HOSTILE}",)
    )
    line = entries(crontab.render(given, env_file=str(file)))[0]
    path = f"{clock(tmp_path / 'bin', year=2026)}:/usr/bin:/bin"
    folder, environ, words = started(["/bin/sh", "-c", line.command], PATH=path)
    assert folder == str(python.parent)
    assert environ["SHOP_PASSWORD"] == "p w"
    assert words[2] == f"--env={HOSTILE}"
    assert words[-2:] == [f"--history={HOSTILE}", "--checkpoint=15min"]


def test_probes_are_started_every_minute_once_and_until_the_end(tmp_path: Path) -> None:
    python = program(tmp_path / "bin")
    (tmp_path / "prod.yaml").touch()
    given = plan(python=str(python), directory=str(tmp_path), file=str(tmp_path / "prod.yaml"), probes=True)
    line = entries(crontab.render(given))[-1]
    assert line.fields == ["*"] * 5
    end = int(given.watch.ends_at.timestamp() + given.watch.tolerance_s)
    during, after = (
        clock(tmp_path / "during", year=2026, seconds=end),
        clock(tmp_path / "after", year=0, seconds=end + 1),
    )
    command = ["/bin/sh", "-c", line.command]
    words = ["-m", "commands.main", "watch", "--env=prod", "--probes-only"]
    assert started(command, PATH=f"{during}:/usr/bin:/bin")[2] == words
    assert started(command, PATH=f"{after}:/usr/bin:/bin")[2] == []
    locked = ["flock", str(tmp_path / "prod.yaml"), *command]
    assert started(locked, PATH=f"{during}:/usr/bin:/bin")[2] == []


def test_without_availability_nothing_probes() -> None:
    assert "--probes-only" not in crontab.render(plan())


@pytest.mark.parametrize(
    ("env_file", "told"),
    [
        (None, "# Cron sets none of these variables (give --env-file=PATH): SHOP_PASSWORD."),
        ("/etc/golive.env", "# Set in /etc/golive.env: SHOP_PASSWORD."),
    ],
)
def test_variables_are_named(env_file: str | None, told: str) -> None:
    assert told in crontab.render(plan(variables=("SHOP_PASSWORD",)), env_file=env_file).splitlines()


def test_the_fields_are_those_of_the_minute() -> None:
    assert cron_fields(watch().moment(0)) == "30 20 31 12 *"
