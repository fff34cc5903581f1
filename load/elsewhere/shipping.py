"""What a further machine is sent, so that it needs nothing but Python and locust: the engine, and how to start it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import golive
import load

BOOTSTRAP = """\
import json, os, shutil, signal, subprocess, sys, tempfile
left, parts = int(sys.argv[1]), []
while left:
    part = os.read(0, left)
    if not part:
        sys.exit("the connection ended before the engine had come")
    parts.append(part)
    left -= len(part)
told = json.loads(b"".join(parts))
folder = tempfile.mkdtemp(prefix="golive-load-")
try:
    for name, text in told["files"].items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    env = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
    env["PYTHONPATH"] = folder
    child = subprocess.Popen([sys.executable, *told["arguments"]], cwd=folder, env=env)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: child.terminate())
    code = child.wait()
finally:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(code if code >= 0 else 1)
"""
"""Reads as many bytes as its argument says, unpacks them into a folder that goes away again, and starts the engine.

The rest of standard input is the engine's own: its plan, and the end of it when the connection is gone.
"""
LOCUSTFILE = "load/inside/locustfile.py"
_OWN = "own/locustfile.py"
_CA = "own/ca.pem"
_OF_THE_LIBRARY = ("__init__.py", "judge/__init__.py", "judge/load/__init__.py", "judge/load/histogram.py")


def cargo(plan: Mapping[str, Any], arguments: Sequence[str]) -> tuple[bytes, dict[str, Any]]:
    """The bytes for the bootstrap, and the plan with its files where they will be there. OSError.

    `arguments` are those of Python there, in a folder in which `LOCUSTFILE` is found.
    """
    files = _engine()
    there = dict(plan)
    for key, name in (("locustfile", _OWN), ("verify", _CA)):
        if isinstance(plan[key], str):
            files[name] = Path(plan[key]).read_text(encoding="utf-8")
            there[key] = name
    return json.dumps({"files": files, "arguments": list(arguments)}).encode(), there


def _engine() -> dict[str, str]:
    """Every file that a load process imports, by its path below the project."""
    library, room = Path(golive.__file__).parent, Path(load.__file__).parent
    files = {f"golive/{name}": (library / name).read_text(encoding="utf-8") for name in _OF_THE_LIBRARY}
    files["load/__init__.py"] = (room / "__init__.py").read_text(encoding="utf-8")
    for file in sorted((room / "inside").rglob("*.py")):
        files[f"load/{file.relative_to(room).as_posix()}"] = file.read_text(encoding="utf-8")
    return files
