"""Pages with their assets, from a shop and from HTML that is less than well made."""

from __future__ import annotations

import pytest

from fixtures.context import RunContext
from fixtures.web import client_of
from golive.targets.page import load, named_in
from tests.webshop import Shop


def test_a_page_comes_with_everything_it_names(run: RunContext, shop: Shop) -> None:
    page = load(client_of(run, "api"), "GET /index.html")
    assert [(a.kind, a.url.removeprefix(shop.url)) for a in page.assets] == [
        ("style", "/style.css"),
        ("script", "/app.js"),
        ("image", "/logo.svg"),
    ]
    assert page.faults == []
    assert page.total_ms >= page.answer.total_ms


def test_what_is_missing_or_of_another_kind_is_named(run: RunContext, shop: Shop) -> None:
    shop.breaches |= {"asset-missing", "asset-is-html"}
    faults = load(client_of(run, "api"), "GET /index.html").faults
    assert faults == ["style /style.css answered 404", "script /app.js came as text/html"]


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<SCRIPT SRC="a.js"></SCRIPT>', [("script", "http://h/p/a.js")]),
        ("<script>var a = '<img src=x>'</script>", []),
        ('<script type="module" src="/m.js"/>', [("script", "http://h/m.js")]),
        ('<base href="/b/"><img src="i.png">', [("image", "http://h/b/i.png")]),
        ('<link rel="stylesheet" href="//cdn.example/s.css">', [("style", "http://cdn.example/s.css")]),
        ('<link rel="shortcut icon" href="f.ico"><link rel=canonical href=c>', [("image", "http://h/p/f.ico")]),
        ('<link rel="alternate stylesheet" href="a.css">', []),
        (
            '<link rel="preload" as="script" href="p.js"><link rel=modulepreload href=p.js>',
            [("script", "http://h/p/p.js")],
        ),
        ('<img src="data:image/png;base64,A"><img src="javascript:x"><img src="http://[::"><img src>', []),
        ('<img src="i.png#a"><img src="i.png#b"><!-- <img src="no.png"> -->', [("image", "http://h/p/i.png")]),
        ("<img src='i.png' <p <<<", []),
        ("\x00\x1b[31m<script src=", []),
    ],
)
def test_names_are_read_as_a_browser_reads_them(html: str, found: list[tuple[str, str]]) -> None:
    assert named_in(html, "http://h/p/index.html") == found
