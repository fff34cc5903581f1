"""Names and texts of a host, made fit or refused."""

from __future__ import annotations

import pytest

from golive.discovery.naming import distinct, item, remark, slug, why_unfit


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop_api_1", "shop-api-1"),
        ("API.Server", "api-server"),
        ("9front", "endpoint-9front"),
        ("--", "endpoint"),
        ("", "endpoint"),
        ("ü", "endpoint"),
        ("a" * 60, "a" * 40),
        ("postgres://admin:hunter2secret@db/shop", "endpoint"),
    ],
)
def test_slug_is_a_name_for_an_environment(text: str, name: str) -> None:
    assert slug(text, "endpoint") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [("/", "/"), ("/data disk", "/data-disk"), ("a[b]::c", "a-b-c"), ("", "x"), ("getty@tty1", "getty@tty1")],
)
def test_item_may_stand_in_an_id(text: str, name: str) -> None:
    assert item(text) == name


def test_names_are_made_distinct() -> None:
    assert distinct("api", []) == "api"
    assert distinct("api", ["api"]) == "api-2"
    assert distinct("api", ["api", "api-2", "api-3"]) == "api-4"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines\r\n\x1b[31mred", "two lines [31mred"),
        ("next\x85line\u2028here", "next line here"),
        ("${cmd:rm}", "$ {cmd:rm}"),
        ("redis://:hunter2@cache:6379 refused", "redis://…@cache:6379 refused"),
        ("its password: hunter2secret1", "(what was told looks like a credential, and is not repeated)"),
        ("x" * 20, "xxxxxxxxx…"),
    ],
)
def test_remark_is_one_harmless_line(text: str, line: str) -> None:
    assert remark(text, 160 if len(text) != 20 else 10) == line


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/var/log/app.log", None),
        ("Größe", None),
        ("${env:SHOP_MAIN_PASSWORD}", None),
        ("${env:HOME}", "reads as a reference"),
        ("${cmd:id}", "reads as a reference"),
        ("a ${env:SHOP_MAIN_PASSWORD}", "reads as a reference"),
        ("{item}", "reads as a reference"),
        ("a\nb", "holds characters that cannot be printed"),
        ("\u202eevil", "holds characters that cannot be printed"),
        ("bad \ufffd bytes", "holds characters that cannot be printed"),
        ("x" * 301, "is longer than 300 characters"),
        ({"path": ["fine", {"deep\n": 1}]}, "holds characters that cannot be printed"),
        (17, None),
        ("--password=hunter2secret1", "looks like a credential"),
        ("redis://:hunter2secret1@cache", "looks like a credential"),
    ],
)
def test_values_that_must_not_be_written_are_refused(value: object, reason: str | None) -> None:
    assert why_unfit(value) == reason
