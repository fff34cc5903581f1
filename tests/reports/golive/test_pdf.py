"""Printing a page: by a browser if there is one, else one line that says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports.golive.pdf import NotPrinted, print_pdf

BROWSER = """#!/bin/sh
for argument in "$@"; do
  case "$argument" in
    --print-to-pdf=*) target="${argument#--print-to-pdf=}" ;;
    file://*) page="${argument#file://}" ;;
  esac
done
"""


def browser(folder: Path, does: str) -> dict[str, str]:
    """A stand-in for Chromium, which is not on every machine; it takes the same arguments."""
    program = folder / "chromium-stand-in"
    program.write_text(BROWSER + does, encoding="utf-8")
    program.chmod(0o755)
    return {"GOLIVE_CHROMIUM": str(program), "PATH": os.environ["PATH"]}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "golive.html"
    path.write_text("<p>NO-GO</p>", encoding="utf-8")
    return path


def test_the_page_is_printed(page: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "golive.pdf"
    print_pdf(page, pdf, environ=browser(tmp_path, '{ printf "%%PDF-1.4 "; cat "$page"; } > "$target"'))
    assert pdf.read_text(encoding="utf-8") == "%PDF-1.4 <p>NO-GO</p>"


def test_without_a_browser_one_line_says_what_to_do(page: Path, tmp_path: Path) -> None:
    with pytest.raises(NotPrinted, match=r"^no PDF: no Chromium or Chrome was found \(\$GOLIVE_CHROMIUM or PATH\)"):
        print_pdf(page, tmp_path / "golive.pdf", environ={"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("exit 0", "no PDF: chromium-stand-in printed nothing$"),
        ("echo 'no usable sandbox' >&2; exit 1", r"printed nothing \(no usable sandbox\)$"),
        ('echo "not a pdf" > "$target"', "printed nothing$"),
    ],
)
def test_a_browser_that_prints_nothing_leaves_the_old_file(page: Path, tmp_path: Path, does: str, told: str) -> None:
    pdf = tmp_path / "golive.pdf"
    pdf.write_text("the old one", encoding="utf-8")
    with pytest.raises(NotPrinted, match=told):
        print_pdf(page, pdf, environ=browser(tmp_path, does))
    assert pdf.read_text(encoding="utf-8") == "the old one"


def test_a_browser_that_hangs_is_given_up(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.golive.pdf._TIMEOUT_S", 0.2)
    with pytest.raises(NotPrinted, match="did not end within"):
        print_pdf(page, tmp_path / "golive.pdf", environ=browser(tmp_path, "exec sleep 30"))


def test_a_browser_that_cannot_be_started_is_named(page: Path, tmp_path: Path) -> None:
    variables = browser(tmp_path, "")
    Path(variables["GOLIVE_CHROMIUM"]).write_text("#!/no/such/interpreter\n", encoding="utf-8")
    with pytest.raises(NotPrinted, match="could not be started"):
        print_pdf(page, tmp_path / "golive.pdf", environ=variables)


def test_a_place_that_cannot_be_written_is_named(page: Path, tmp_path: Path) -> None:
    with pytest.raises(NotPrinted, match="could not be written"):
        print_pdf(page, tmp_path / "none" / "x.pdf", environ=browser(tmp_path, 'printf "%%PDF-" > "$target"'))
