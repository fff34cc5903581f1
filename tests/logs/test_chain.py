"""The sum of several looks stands only where each began at the end of the one before it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from golive.logs import chain
from golive.logs.chain import Link


def link(n: int, *, begins: str | None = "", ends: str = "", value: float = 1, **more: Any) -> Link:
    begin = f"p{n}" if begins == "" else begins
    return Link(
        run=f"run-{n}",
        at=f"hour {n}",
        begins={"api": None if n == 0 and begins == "" else begin},
        ends={"api": ends or f"p{n + 1}"},
        values={"errors": value},
        **more,
    )


def total(*links: Link) -> chain.Total:
    return chain.total_of(links, "errors", "hour 0")


def test_looks_without_a_gap_are_summed_up() -> None:
    found = total(link(0, value=2), link(1, value=3), link(2, value=0))
    assert (found.value, found.looks, found.gap) == (5, 3, None)
    assert found.told == "3 looks without a gap between them since hour 0"


def test_a_look_that_began_elsewhere_is_a_gap() -> None:
    found = total(link(0), link(1, begins="elsewhere"), link(2))
    assert found.gap == "log api: the look of hour 1 did not begin where the one of hour 0 ended"


def test_a_look_that_began_anew_is_a_gap() -> None:
    assert "the look of hour 1 did not begin where the one of hour 0 ended" in str(
        total(link(0), link(1, begins=None)).gap
    )


def test_a_missing_beginning_is_a_gap() -> None:
    assert total(link(1), link(2)).gap == "the first look that is known, of hour 1, did not begin with the window"


def test_a_gap_of_an_earlier_look_stays() -> None:
    found = total(link(0), link(1, gap="log api: was cut"), link(2))
    assert found.gap == "log api: was cut (look of hour 1)"


def test_a_look_that_counted_something_else_is_a_gap() -> None:
    other = Link(run="r", at="hour 1", begins={"api": "p1"}, ends={"api": "p2"}, values={"lines": 3})
    assert total(link(0), other).gap == "the look of hour 1 has counted no errors"


def test_a_source_that_was_added_later_is_a_gap() -> None:
    later = Link(
        run="r", at="hour 1", begins={"api": "p1", "web": None}, ends={"api": "p2", "web": "w"}, values={"errors": 0}
    )
    assert total(link(0), later).gap is None  # it began with the window
    after = Link(run="r", at="hour 2", begins={"api": "p2"}, ends={"api": "p3"}, values={"errors": 0})
    assert "log web: the look of hour 2" in str(total(link(0), later, after).gap)


def test_very_many_looks_are_kept_in_little() -> None:
    links: list[Link] = []
    for n in range(1_000):
        links = chain.with_link(links, link(n))
    assert len(links) == 200
    assert (total(*links).value, total(*links).looks, total(*links).gap) == (1_000, 1_000, None)


def test_links_survive_json_and_rubbish_is_none() -> None:
    links = [link(0), link(1, gap="x")]
    assert chain.links_of(json.loads(json.dumps(chain.as_data(links)))) == links
    broken: tuple[Any, ...] = (None, 5, [5], [{}], [{"run": 1}], [{**chain.as_data(links)[0], "values": {"x": "y"}}])
    for rubbish in broken:
        assert chain.links_of(rubbish) is None


def test_the_same_cursor_is_the_same_place() -> None:
    assert chain.place_of({"a": 1, "b": 2}) == chain.place_of({"b": 2, "a": 1}) != chain.place_of({"a": 1})
    assert chain.place_of(None) is None


@pytest.mark.parametrize("count", [1, 2])
def test_told(count: int) -> None:
    assert total(*[link(n) for n in range(count)]).told.startswith("one look" if count == 1 else "2 looks")
