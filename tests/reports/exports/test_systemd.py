"""Units for systemd, as the exported script writes them."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from datetime import timedelta
from pathlib import Path

import pytest

from reports.exports import Plan, systemd
from tests.reports.exports.plans import DEPLOYED, HOSTILE, clock, plan, watch

NAMES = [
    "golive-prod-15min.timer",
    "golive-prod-1h.timer",
    "golive-prod-24h.timer",
    "golive-prod-4h.timer",
    "golive-prod-checkpoint@.service",
    "golive-prod-golive@.service",
    "golive-prod-probes.service",
    "golive-prod-smoke@.service",
    "golive-prod.target",
]
ANALYZE = shutil.which("systemd-analyze")


def written(
    given: Plan, folder: Path, *, user: str = "golive", env_file: str | None = None
) -> dict[str, RawConfigParser]:
    """What the script writes into `folder`, by the names of the units."""
    folder.mkdir()
    script = systemd.render(given, user=user, env_file=env_file)
    subprocess.run(
        ["/bin/sh"], input=script, text=True, env={"UNITS": str(folder), "PATH": "/usr/bin:/bin"}, check=True
    )
    found = {}
    for file in folder.iterdir():
        found[file.name] = RawConfigParser(delimiters=("=",), strict=True)
        found[file.name].optionxform = str  # type: ignore[assignment,method-assign]
        found[file.name].read_string(file.read_text())
    return found


def words_of(command: str) -> list[str]:
    """A command line as systemd.service(5) takes it apart: quotes and backslashes, then `$$` and `%%`."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', command)
    texts = [re.sub(r"\\(.)", r"\1", quoted) if quoted else plain for quoted, plain in found]
    assert not any(re.search(r"(?<!%)(%%)*%(?![%i])|(?<!\$)(\$\$)*\$(?!\$)", text) for text in texts), texts
    return [text.replace("$$", "$").replace("%%", "%") for text in texts]


def test_each_checkpoint_has_a_timer_at_its_second(tmp_path: Path) -> None:
    units = written(plan(probes=True), tmp_path / "units")
    assert sorted(units) == NAMES
    for label, minutes, template in (("15min", 15, "smoke"), ("4h", 240, "checkpoint"), ("24h", 1440, "golive")):
        timer = units[f"golive-prod-{label}.timer"]["Timer"]
        at = DEPLOYED + timedelta(minutes=minutes)
        assert timer["OnCalendar"] == f"{at:%Y-%m-%d %H:%M:%S} UTC"
        assert timer["Unit"] == f"golive-prod-{template}@{label}.service"
        assert timer["Persistent"] == "true"
    wanted = units["golive-prod.target"]["Unit"]["Wants"].split()
    assert wanted == ["golive-prod-15min.timer", "golive-prod-1h.timer", "golive-prod-4h.timer",
                      "golive-prod-24h.timer", "golive-prod-probes.service"]  # fmt: skip


def test_services_run_what_is_judged_and_probe(tmp_path: Path) -> None:
    units = written(plan(probes=True), tmp_path / "units", env_file="/etc/golive/prod.env")
    service = units["golive-prod-golive@.service"]["Service"]
    assert words_of(service["ExecStart"]) == [
        "/srv/golive/.venv/bin/python", "-m", "pytest", "--env=prod", "-m", "checkpoint or golive", "--checkpoint=%i",
    ]  # fmt: skip
    assert (service["Type"], service["User"]) == ("oneshot", "golive")
    assert (service["WorkingDirectory"], service["EnvironmentFile"]) == ("/srv/golive", "/etc/golive/prod.env")
    probes = units["golive-prod-probes.service"]["Service"]
    assert words_of(probes["ExecStart"])[1:] == ["-m", "commands.main", "watch", "--env=prod", "--probes-only"]
    assert probes["Restart"] == "always"
    condition = words_of(probes["ExecCondition"])
    end = int(DEPLOYED.timestamp()) + 86_400 + 900
    for seconds, code in ((end, 0), (end + 1, 1)):
        path = f"{clock(tmp_path / str(seconds), year=2027, seconds=seconds)}:/usr/bin:/bin"
        assert subprocess.run(condition, env={"PATH": path}, check=False).returncode == code


def test_without_availability_nothing_probes(tmp_path: Path) -> None:
    assert "golive-prod-probes.service" not in written(plan(), tmp_path / "units")


def test_odd_names_and_paths_are_quoted(tmp_path: Path) -> None:
    given = plan(environment=HOSTILE, options=(f"--history={HOSTILE}",), directory=f"/srv/{HOSTILE}")
    service = written(given, tmp_path / "units")["golive-prod-smoke@.service"]["Service"]
    assert words_of(service["ExecStart"])[3:] == [
        f"--env={HOSTILE}", "-m", "smoke", f"--history={HOSTILE}", "--checkpoint=%i",
    ]  # fmt: skip
    assert service["WorkingDirectory"] == f"/srv/{HOSTILE}".replace("%", "%%")


def test_the_script_starts_them_where_it_installs_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for name, text in (("systemctl", f'echo "$@" >> {log}'), ("cat", 'echo "$@" > /dev/null')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    script = systemd.render(plan(), user="golive").replace("/etc/systemd/system", str(tmp_path))
    subprocess.run(["/bin/sh"], input=script, text=True, env={"PATH": str(tmp_path)}, check=True)
    assert log.read_text().splitlines() == ["daemon-reload", "enable --now golive-prod.target"]


def test_variables_are_named() -> None:
    text = systemd.render(plan(variables=("SHOP_PASSWORD",)), user="golive")
    assert "# Services have none of these variables (give --env-file=PATH): SHOP_PASSWORD." in text.splitlines()


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    assert ANALYZE is not None
    odd = watch(environment="50% odd")
    given = plan(odd, python=sys.executable, directory=str(tmp_path), probes=True, environment=HOSTILE)
    written(given, tmp_path / "units", user=getpass.getuser())
    files = [str(file).replace("@.service", "@4h.service") for file in (tmp_path / "units").iterdir()]
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False
    )
    about_ours = [line for line in done.stderr.splitlines() if "golive-" in line]
    assert (done.returncode, about_ours) == (0, []), done.stderr
    told = subprocess.run(
        [ANALYZE, "calendar", "2026-12-31 20:45:07 UTC"], capture_output=True, text=True, timeout=10, check=False
    )
    assert told.returncode == 0, told.stderr
