"""A page has loaded within its limit.

Why: people leave, or press the button twice, when a page takes seconds.
When it fails: compare time to first byte (server) with load (size and number of files); look for a missing cache or
compression.
"""

from collections.abc import Callable
from statistics import median
from typing import Annotated, TypeVar

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, EndpointRef, Milliseconds, Request
from golive.model import CouldNotLook, Measurement
from golive.targets.browser import Browser, Visit, Wish
from golive.targets.http import Client
from golive.targets.page import Page, load

T = TypeVar("T")


class Params(CheckParams):
    endpoint: EndpointRef
    request: Request = Request("GET", "/")
    samples: Annotated[int, Field(ge=1, le=20)] = Field(3, description="cold loads, of which the median is judged")
    contains: tuple[str, ...] = Field(
        (), description="texts that tell the page from an error page, whose load time means nothing"
    )
    warning: Milliseconds | None = None
    critical: Milliseconds
    browser: Wish = Field(
        "auto", description="auto: a browser if there is one; never: fetch the HTML and its files; required: a browser"
    )


def test_page_has_loaded_within_its_limit(
    criterion: Params, endpoint: Client, browser: Browser | None, measure: Measure
) -> None:
    if browser is None:
        pages = _loads(criterion, lambda: _fetched(criterion, endpoint), lambda page: page.total_ms)
        times = [page.total_ms for page in pages]
        told = f"no browser: the HTML and its {len(pages[0].assets)} files, fetched as one would"
    else:
        visits = _loads(criterion, lambda: _visited(criterion, browser, endpoint), lambda visit: visit.load_ms)
        times = [visit.load_ms for visit in visits]
        told = "load event in a browser with a cold cache"
    measure(
        median(times),
        unit="ms",
        name="page load",
        warning=criterion.warning,
        critical=criterion.critical,
        samples=len(times),
        detail=f"{told}, median of {len(times)}",
    )
    if browser is not None:
        _record(visits, measure)


def _loads(criterion: Params, load_once: Callable[[], T], time_of: Callable[[T], float]) -> list[T]:
    """The loads of which the median is judged; no further ones when most would be too slow in any case."""
    done: list[T] = []
    while len(done) < criterion.samples:
        done.append(load_once())
        if sum(time_of(one) >= criterion.critical for one in done) * 2 > criterion.samples:
            break
    return done


def _fetched(criterion: Params, endpoint: Client) -> Page:
    page = load(endpoint, criterion.request, fresh=True)
    _demand_the_page(criterion, endpoint, page.answer.status, page.answer.text)
    if page.faults:
        told = "; ".join(page.faults[:3])
        raise CouldNotLook(f"{criterion.request} at {endpoint.name} does not load completely: {told}")
    return page


def _visited(criterion: Params, browser: Browser, endpoint: Client) -> Visit:
    visit = browser.visit(endpoint, criterion.request.path)
    _demand_the_page(criterion, endpoint, visit.status, visit.html)
    if visit.failed_requests:
        told = "; ".join(visit.failed_requests[:3])
        raise CouldNotLook(f"{criterion.request} at {endpoint.name} does not load completely: {told}")
    return visit


def _demand_the_page(criterion: Params, endpoint: Client, status: int, html: str) -> None:
    told = f"{criterion.request} at {endpoint.name} answered {status}"
    if status >= 400:
        raise CouldNotLook(f"{told}, so the time of its load means nothing")
    for text in criterion.contains:
        if text not in html:
            raise CouldNotLook(f"{told} without the text '{text}', so it was another page that loaded")


def _record(visits: list[Visit], measure: Measure) -> None:
    """The other measures of a page load, without limits."""
    found = {
        "time to first byte": ([visit.ttfb_ms for visit in visits], "ms"),
        "largest contentful paint": ([visit.lcp_ms for visit in visits if visit.lcp_ms is not None], "ms"),
        "layout shift": ([visit.cls for visit in visits], ""),
    }
    for name, (values, unit) in found.items():
        if values:
            measure.measurements.append(Measurement(name=name, value=median(values), unit=unit))
