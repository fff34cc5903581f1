"""A page of ours as PDF, printed by a Chromium or Chrome that is there anyway."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from golive.targets.browser import find
from reports.text import one_line

_TIMEOUT_S = 120.0
_QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-extensions",
    "--no-first-run",
    "--no-pdf-header-footer",
)


class NotPrinted(Exception):
    """There is no PDF; the message is one line that says why and what to do."""


def print_pdf(page: Path, pdf: Path, *, environ: Mapping[str, str]) -> None:
    """Print the HTML file `page` into `pdf`, whole or not at all. NotPrinted without a browser, or if it fails."""
    browser = find(environ)
    if browser is None:
        raise NotPrinted(
            "no PDF: no Chromium or Chrome was found ($GOLIVE_CHROMIUM or PATH); open the page and print it from there"
        )
    with tempfile.TemporaryDirectory(prefix="golive-pdf-") as folder:
        made = Path(folder) / "page.pdf"
        said = _printed(browser, page.resolve(), made, folder)
        if not made.exists() or made.read_bytes()[:5] != b"%PDF-":
            raise NotPrinted(f"no PDF: {browser.name} printed nothing{f' ({one_line(said)})' if said else ''}")
        try:
            beside = pdf.with_name(f".{pdf.name}.{os.getpid()}.new")
            beside.write_bytes(made.read_bytes())
            os.replace(beside, pdf)
        except OSError as error:
            raise NotPrinted(f"no PDF: {pdf} could not be written: {error.strerror or error}") from error


def _printed(browser: Path, page: Path, made: Path, folder: str) -> str:
    """Let the browser print; the last line that it said, if it ended badly."""
    # Chromium refuses its sandbox to root. The page is our own, has no script, and may fetch nothing.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [str(browser), *_QUIET, *as_root, f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}"]
    try:
        done = subprocess.run(
            [*command, page.as_uri()], capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotPrinted(f"no PDF: {browser.name} did not end within {_TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise NotPrinted(f"no PDF: {browser} could not be started: {error.strerror or error}") from error
    lines = done.stderr.strip().splitlines()
    return lines[-1] if done.returncode and lines else ""
