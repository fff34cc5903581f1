"""Messages that differ only in their variable parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.logs.meaning.patterns import group, template


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 17 failed after 3.5 s", "order 9004 failed after 12 s"),
        ("user 7f3d2c1a-1111-2222-3333-444455556666 gone", "user 00000000-1111-2222-3333-444455556666 gone"),
        ("at 2026-05-01T10:00:00Z", "at 2026-06-11 23:59:59,123"),
        ("from 10.0.0.1:443", "from 192.168.1.200:80"),
        ("from ::1", "from fe80::1%eth0"),
        ("at 0xdeadbeef", "at 0x7f"),
        ('key "a" is missing', 'key "b \\"c" is missing'),
        ("key 'a' is missing", "key 'b' is missing"),
        ("mail to a@b.example", "mail to somebody.else@shop.example"),
        ("GET /api/stores/1/orders/22", "GET /api/stores/3/orders/4711"),
        ("session 9f86d081884c7d65 ended", "session 2c26b46b68ffc68f ended"),
        ("request req_a1b2c3d4e5f6 failed", "request req_f9e8d7c6b5a4 failed"),
    ],
)
def test_variable_parts_are_masked(one: str, other: str) -> None:
    assert template(one) == template(other)


@pytest.mark.parametrize(
    ("one", "other"), [("disk is full", "disk is failing"), ("it's broken", "it's fixed"), ("a", "b")]
)
def test_different_messages_stay_different(one: str, other: str) -> None:
    assert template(one) != template(other)


def test_groups_are_counted_with_examples() -> None:
    first, second = group(["order 1 failed", "disk full", "order 2 failed", "order 3 failed"])
    assert (first.template, first.count, first.example, first.latest) == (
        "order <n> failed", 3, "order 1 failed", "order 3 failed",
    )  # fmt: skip
    assert second.count == 1


def test_a_message_of_megabytes_takes_no_time() -> None:
    assert len(template("a1 " * 1_000_000)) < 2_000
    template('"' * 100_000)


@given(st.text())
def test_any_text_has_a_template(text: str) -> None:
    template(text)
