"""What tests and reports may import of the engine without patching the interpreter."""

from __future__ import annotations

import subprocess
import sys

from tests.load.inside.pressing import ROOT

PURE = (
    "load.inside.plan",
    "load.inside.pacing.arrivals",
    "load.inside.pacing.course",
    "load.inside.pacing.pace",
    "load.inside.telling.aggregate",
    "load.inside.telling.stream",
    "load.inside.users.journeys",
)


def test_pure_parts_bring_neither_locust_nor_gevent() -> None:
    words = f"import sys, {', '.join(PURE)}; print(sorted({{'gevent', 'locust', 'pydantic'}} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert printed == "[]\n"
