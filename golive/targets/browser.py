"""A real browser (Chromium through playwright) that opens pages and says what a user would see.

Needs the `browser` extra and a Chromium or Chrome on this machine; without either,
`why_not` says what is missing.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from golive.model import CouldNotLook
from golive.targets.http import Client
from golive.targets.wire.answer import excerpt

Wish = Literal["auto", "never", "required"]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)
_WATCH = """
window.__golive = {lcp: null, cls: 0};
new PerformanceObserver(l => { for (const e of l.getEntries()) window.__golive.lcp = e.startTime; })
    .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) window.__golive.cls += e.value; })
    .observe({type: 'layout-shift', buffered: true});
"""
_TIMING = """() => {
    const n = performance.getEntriesByType('navigation')[0];
    return {ttfb: n.responseStart, load: n.loadEventEnd, lcp: window.__golive.lcp, cls: window.__golive.cls};
}"""
_NEEDED = ("stylesheet", "script", "font")
"""What Chromium gives up ("aborts") when the server sends something else in its place, such as a page that says 404."""
_MOST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One cold-cache load of a page. Times in milliseconds from the start of the navigation.

    `texts` holds the text of each selector that was asked for, None where nothing visible matched.
    """

    status: int
    html: str
    ttfb_ms: float
    load_ms: float
    lcp_ms: float | None
    cls: float
    console_errors: tuple[str, ...]
    failed_requests: tuple[str, ...]
    texts: Mapping[str, str | None]
    screenshot: Path | None


def find(environ: Mapping[str, str]) -> Path | None:
    """The browser to use: `$GOLIVE_CHROMIUM`, or else the first one in PATH."""
    named = environ.get("GOLIVE_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    found = (shutil.which(name, path=environ.get("PATH")) for name in _NAMES)
    return next((Path(path) for path in found if path), None)


def why_not(environ: Mapping[str, str]) -> str | None:
    """Why no browser can be used here, or None when one can."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed (the 'browser' extra)"
    if find(environ) is None:
        return "no Chromium or Chrome was found ($GOLIVE_CHROMIUM or PATH)"
    return None


class Browser:
    """One browser process, started by the first visit. Screenshots are put into the folder `screenshots`."""

    def __init__(self, executable: Path, *, user_agent: str, screenshots: Path) -> None:
        self._executable = executable
        self._user_agent = user_agent
        self._screenshots = screenshots
        self._playwright: Any = None
        self._chromium: Any = None

    def visit(
        self,
        client: Client,
        path: str,
        *,
        storage: Mapping[str, str] | None = None,
        selectors: Sequence[str] = (),
        screenshot: str = "",
    ) -> Visit:
        """Open `path` of an endpoint with an empty cache.

        `storage` is put into the page's local and session storage first, where single-page applications keep
        their token. `screenshot` is the name of the picture, if one is wanted. CouldNotLook when the browser does
        not start or the page cannot be opened.
        """
        picture = self._screenshots / f"{re.sub(r'[^A-Za-z0-9._-]', '_', screenshot)}.png" if screenshot else None
        with self._page(client, storage or {}) as page:
            return _looked(page, client, path, selectors, picture)

    def close(self) -> None:
        """End the browser."""
        if self._playwright is not None:
            self._chromium.close()
            self._playwright.stop()
            self._playwright = self._chromium = None

    def _page(self, client: Client, storage: Mapping[str, str]) -> _OpenPage:
        self._start()
        context = self._chromium.new_context(
            user_agent=f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {self._user_agent}",
            ignore_https_errors=not client.section.tls.verify,
        )
        context.set_default_timeout(client.section.timeout * 1000)
        context.add_init_script(_WATCH)
        if storage:
            context.add_init_script(_storing(client.url, storage))
        if client.section.headers:
            context.route(lambda url: client.is_own(url), _adding(client.section.headers))
        return _OpenPage(context)

    def _start(self) -> None:
        if self._chromium is not None:
            return
        api = importlib.import_module("playwright.sync_api")
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        playwright = api.sync_playwright().start()
        try:
            self._chromium = playwright.chromium.launch(
                executable_path=str(self._executable), headless=True, args=[*_QUIET, *sandbox]
            )
        except api.Error as error:
            playwright.stop()
            raise CouldNotLook(f"{self._executable} did not start: {excerpt(error.message, 160)}") from None
        self._playwright = playwright


class _OpenPage:
    """A page in a context of its own, and what goes wrong in it.

    A page may move on at once to another one, such as a login. What it had asked for by then is given up and is missed
    by nobody, so each request is kept with the document that asked for it, counted from 1.
    """

    def __init__(self, context: Any) -> None:
        self.context = context
        self.console_errors: list[str] = []
        self._failures: list[tuple[int | None, str]] = []
        self._document = 0
        self._asked_by: dict[Any, int] = {}
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.console_errors.append(excerpt(str(error), 200)))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    @property
    def failed_requests(self) -> list[str]:
        """What the page that is shown at the end did not get, and whatever went wrong on the way to it."""
        return [told for document, told in self._failures if document in (None, self._document)]

    def __enter__(self) -> _OpenPage:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.console_errors.append(excerpt(message.text, 200))

    def _asked(self, request: Any) -> None:
        self._asked_by[request] = self._document

    def _failed(self, request: Any) -> None:
        told = f"{request.method} {excerpt(request.url, 120)}"
        if request.failure != "net::ERR_ABORTED":
            self._failures.append((None, f"{told}: {request.failure}"))
        elif request.resource_type in _NEEDED:
            why = f"given up by the browser: missing, or no {request.resource_type}"
            self._failures.append((self._asked_by.get(request), f"{told}: {why}"))

    def _response(self, response: Any) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self._document += 1
        told, kind = f"{request.method} {excerpt(response.url, 120)}", request.resource_type
        if response.status >= 400:
            self._failures.append((None, f"{told} answered {response.status}"))
        elif kind in _NEEDED and response.headers.get("content-type", "").startswith("text/html"):
            self._failures.append((None, f"{told} answered a page in place of a {kind}"))


def _looked(opened: _OpenPage, client: Client, path: str, selectors: Sequence[str], screenshot: Path | None) -> Visit:
    api = importlib.import_module("playwright.sync_api")
    page = opened.page
    try:
        response = page.goto(client.url + path, wait_until="load")
        texts = {selector: _text(page, selector, api, client.section.timeout) for selector in selectors}
        page.wait_for_load_state("networkidle")
        html = page.content()[: client.section.max_body]
        timing = page.evaluate(_TIMING)
        if screenshot is not None:
            screenshot.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(screenshot))
    except api.Error as error:
        raise CouldNotLook(f"{client.name}: the browser could not open {path}: {excerpt(error.message, 160)}") from None
    return Visit(
        status=response.status if response is not None else 0,
        html=html,
        ttfb_ms=timing["ttfb"],
        load_ms=timing["load"],
        lcp_ms=timing["lcp"],
        cls=timing["cls"],
        console_errors=tuple(opened.console_errors[:_MOST]),
        failed_requests=tuple(opened.failed_requests[:_MOST]),
        texts=texts,
        screenshot=screenshot,
    )


def _text(page: Any, selector: str, api: Any, timeout_s: float) -> str | None:
    """The text of the first match once it is visible and holds a digit, or whatever it holds when the wait is over."""
    found = page.locator(selector).first
    try:
        found.wait_for(state="visible", timeout=timeout_s * 1000)
    except api.TimeoutError:
        return None
    for _ in range(20):
        text: str = found.inner_text()
        if any(mark.isdigit() for mark in text):
            break
        page.wait_for_timeout(100)
    return excerpt(text, 200)


def _storing(url: str, storage: Mapping[str, str]) -> str:
    """A script that fills the storage of the endpoint's own origin, and of no other that the page may embed."""
    return (
        f"if (location.origin === new URL({json.dumps(url)}).origin) "
        f"for (const [k, v] of Object.entries({json.dumps(dict(storage))})) "
        "{ localStorage.setItem(k, v); sessionStorage.setItem(k, v); }"
    )


def _adding(headers: Mapping[str, str]) -> Callable[[Any], None]:
    def go_on(route: Any) -> None:
        route.continue_(headers={**route.request.headers, **headers})

    return go_on
