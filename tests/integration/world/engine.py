"""The Docker engine of the tests: the one that runs, or one that is started by hand and ended with them. Needs root."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN_S = 40
USER = 10001
_FOLDERS = ("etc", "usr", "proc", "sys", "dev", "run", "tmp", "var/tmp", "srv", "root", "home")
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_PASSWD = f"root:x:0:0:root:/root:/bin/sh\nwarungin:x:{USER}:{USER}:Warungin:/tmp:/bin/sh\n"
_GROUP = f"root:x:0:\nwarungin:x:{USER}:\n"


def docker(*arguments: str, stdin: bytes = b"", timeout_s: float = 60, check: bool = True) -> str:
    """What `docker ARGUMENTS` prints. AssertionError with what it complained of when it fails."""
    done = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, timeout=timeout_s, check=False, env=_without_proxies()
    )
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode("utf-8", "replace")


def answers() -> bool:
    """Whether an engine answers."""
    done = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def running_engine() -> Iterator[None]:
    """An engine that answers. One that had to be started is stopped again."""
    assert shutil.which("docker"), "install the package docker.io"
    if answers():
        yield
        return
    assert os.geteuid() == 0, "no Docker engine answers, and only root can start one"
    with tempfile.NamedTemporaryFile(prefix="dockerd-", suffix=".log") as log:
        process = subprocess.Popen(["dockerd"], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            _wait(process, Path(log.name))
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not answers():
        told = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        assert process.poll() is None, f"dockerd ended at once:\n{told}"
        assert time.monotonic() < deadline, f"dockerd does not answer after {STARTS_WITHIN_S} s:\n{told}"
        time.sleep(0.1)


def make_image(name: str, *, mark: str = "") -> str:
    """An image that holds next to nothing: its containers see this machine's /usr. Returns its id.

    Images of the same name and another `mark` have another content.
    """
    folded = io.BytesIO()
    with tarfile.open(fileobj=folded, mode="w") as tar:
        for folder in _FOLDERS:
            tar.addfile(_entry(folder, tarfile.DIRTYPE, mode=0o1777 if folder.endswith("tmp") else 0o755))
        for link in _LINKS:
            if Path(f"/{link}").is_symlink():
                found = _entry(link, tarfile.SYMTYPE)
                found.linkname = str(Path(f"/{link}").readlink())
                tar.addfile(found)
        for path, text in {"etc/passwd": _PASSWD, "etc/group": _GROUP, "etc/mark": mark}.items():
            found = _entry(path, tarfile.REGTYPE)
            found.size = len(text.encode())
            tar.addfile(found, io.BytesIO(text.encode()))
        for path in ("/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/alternatives"):
            if Path(path).exists():
                tar.add(path)
    return docker("import", "-", name, stdin=folded.getvalue()).strip()


def _entry(path: str, kind: bytes, *, mode: int = 0o644) -> tarfile.TarInfo:
    found = tarfile.TarInfo(path)
    found.type, found.mode = kind, mode
    return found


def _without_proxies() -> dict[str, str]:
    """The client would hand proxies of its own on to containers, which reach nobody through them."""
    return {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
