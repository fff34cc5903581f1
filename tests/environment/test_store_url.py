"""Where an environment says that its history is."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from golive.environment.sections import HistorySection


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://golive@db:5432/golive",
        "sqlite:////var/lib/golive/history.sqlite",
        "sqlite:///${env:HISTORY_FILE}",
        "${env:HISTORY_URL}",
    ],
)
def test_a_store_is_a_server_or_an_absolute_path(url: str) -> None:
    assert HistorySection(url=url).url == url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///history.sqlite", "an SQLite file is sqlite:///, followed by its absolute path"),
        ("sqlite://host/x", "an SQLite file is sqlite:///, followed by its absolute path"),
        ("postgresql://golive:secret@db/golive", "no password in a URL"),
        ("history.sqlite", "is no absolute URL"),
        (5, "a URL is text"),
    ],
)
def test_anything_else_is_refused(url: object, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        HistorySection.model_validate({"url": url})
