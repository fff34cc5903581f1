"""Which browser is taken, and why none is. What one sees is in tests/integration/test_browser.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from golive.targets.browser import Browser, find, why_not


def executable(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_text("#!/bin/sh\nexit 1\n")
    file.chmod(0o755)
    return file


def test_a_named_browser_comes_first(tmp_path: Path) -> None:
    named, other = executable(tmp_path, "mine"), executable(tmp_path, "chromium")
    assert find({"GOLIVE_CHROMIUM": str(named), "PATH": str(tmp_path)}) == named
    assert find({"PATH": str(tmp_path)}) == other
    assert find({"GOLIVE_CHROMIUM": str(tmp_path / "none"), "PATH": str(tmp_path)}) is None
    assert find({"PATH": str(tmp_path / "empty")}) is None


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert why_not({"PATH": str(tmp_path)}) == "no Chromium or Chrome was found ($GOLIVE_CHROMIUM or PATH)"
    executable(tmp_path, "google-chrome")
    assert why_not({"PATH": str(tmp_path)}) is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert why_not({"PATH": str(tmp_path)}) == "playwright is not installed (the 'browser' extra)"


def test_a_browser_that_was_never_started_is_closed_without_ado(tmp_path: Path) -> None:
    Browser(tmp_path / "none", user_agent="x", screenshots=tmp_path).close()
