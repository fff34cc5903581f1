"""How a difference in what is deployed is told."""

import pytest

from golive.judge.identity import differences, shortened

OLD, NEW = "3f2a" * 16, "77b0" * 16


def test_nothing_differs() -> None:
    assert differences({}, {}) == []
    assert differences({"all/api image": f"sha256:{OLD}"}, {"all/api image": f"sha256:{OLD}"}) == []


def test_every_part_is_named_with_what_it_was_and_is_in_order() -> None:
    before = {"all/web replicas": "2", "all/api image": f"sha256:{OLD}", "all/old binary": f"sha256:{OLD}"}
    after = {"all/api image": f"sha256:{NEW}", "all/web replicas": "3", "all/new replicas": "1"}
    assert differences(before, after) == [
        "all/api image changed from sha256:3f2a3f2a3f2a to sha256:77b077b077b0",
        "all/new replicas is new: 1",
        "all/old binary is gone, it was sha256:3f2a3f2a3f2a",
        "all/web replicas changed from 2 to 3",
    ]


def test_digests_that_begin_alike_are_shown_whole() -> None:
    first, second = f"sha256:{OLD}", f"sha256:{OLD[:-1]}0"
    assert differences({"a": first}, {"a": second}) == [f"a changed from {first} to {second}"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"sha256:{OLD}, sha256:{NEW}", "sha256:3f2a3f2a3f2a, sha256:77b077b077b0"),
        (NEW, "77b077b077b0"),
        ("12", "12"),
        ("2026-05-01", "2026-05-01"),
        ("", ""),
    ],
)
def test_only_digests_are_cut(value: str, shown: str) -> None:
    assert shortened(value) == shown
