"""A page with everything it names, fetched as a browser would fetch it (but not run: that takes a browser)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

from golive.environment.params import Request
from golive.targets.http import Client, NoAnswer, web_address
from golive.targets.wire.answer import Answer, excerpt

Kind = Literal["script", "style", "image"]
_AT_ONCE = 6
_MOST = 200
_FITTING: dict[Kind, tuple[str, ...]] = {
    "script": ("text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript"),
    "style": ("text/css",),
    "image": ("image/",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One file that a page names: its answer, or why there is none."""

    kind: Kind
    url: str
    answer: Answer | None
    problem: str = ""

    @property
    def fault(self) -> str:
        """What is wrong with it, or ``""``."""
        name = f"{self.kind} {excerpt(urlsplit(self.url).path, 80)}"
        if self.answer is None:
            return f"{name}: {self.problem}"
        if self.answer.status != 200:
            return f"{name} answered {self.answer.status}"
        if not self.answer.content_type.startswith(_FITTING[self.kind]):
            named = excerpt(self.answer.content_type, 40)
            return f"{name} came {f'as {named}' if named else 'without a Content-Type'}"
        return f"{name} is empty" if not self.answer.body else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page and its assets; `total_ms` runs until the last of them had come."""

    answer: Answer
    assets: tuple[Asset, ...]
    total_ms: float

    @property
    def faults(self) -> list[str]:
        """What is wrong with its assets."""
        return [asset.fault for asset in self.assets if asset.fault]

    @property
    def size_bytes(self) -> int:
        """All bodies together."""
        return len(self.answer.body) + sum(len(a.answer.body) for a in self.assets if a.answer)


def load(client: Client, request: Request | str, *, fresh: bool = False) -> Page:
    """The page and its scripts, styles and images, six at a time. NoAnswer when the page itself does not come.

    What a stylesheet or a script would fetch in turn is not seen.
    """
    began = time.perf_counter()
    answer = client.send(request, follow=True, fresh=fresh)
    wanted = named_in(answer.text, answer.url)[:_MOST]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="page") as pool:
        coming = [pool.submit(_fetch, client, kind, url) for kind, url in wanted]
        assets = tuple(future.result() for future in coming)
    return Page(answer=answer, assets=assets, total_ms=(time.perf_counter() - began) * 1000)


def named_in(html: str, url: str) -> list[tuple[Kind, str]]:
    """(kind, absolute URL) of every script, style and image in `html`, each once and in order; no embedded data."""
    found = _Names()
    found.feed(html)
    found.close()
    base = web_address(url, found.base) or url
    absolute = ((kind, web_address(base, address)) for kind, address in found.names)
    return list(dict.fromkeys((kind, address) for kind, address in absolute if address))


def _fetch(client: Client, kind: Kind, url: str) -> Asset:
    try:
        return Asset(kind=kind, url=url, answer=client.fetch(url))
    except NoAnswer as error:
        return Asset(kind=kind, url=url, answer=None, problem=str(error))


class _Names(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.names: list[tuple[Kind, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "base" and not self.base:
            self.base = given.get("href", "")
        elif tag == "script" and given.get("src"):
            self.names.append(("script", given["src"]))
        elif tag == "img" and given.get("src"):
            self.names.append(("image", given["src"]))
        elif tag == "link" and given.get("href"):
            kind = _kind_of_link(given)
            if kind:
                self.names.append((kind, given["href"]))


def _kind_of_link(given: dict[str, str]) -> Kind | None:
    relations = given.get("rel", "").lower().split()
    if "stylesheet" in relations and "alternate" not in relations:
        return "style"
    if "icon" in relations:
        return "image"
    if "modulepreload" in relations or ("preload" in relations and given.get("as") == "script"):
        return "script"
    return None
