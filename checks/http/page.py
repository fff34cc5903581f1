"""A page is there with its text and everything it is made of.

Why: a page whose script or style is missing, or an error page sent with 200, is an outage that no status code shows.
When it fails: open the page in a browser; a missing file means an incomplete deployment of the front end.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, EndpointRef, Request
from golive.targets.http import Client
from golive.targets.page import Page, load


class Params(CheckParams):
    endpoint: EndpointRef
    request: Request = Request("GET", "/")
    contains: tuple[str, ...] = Field(description="texts that the page's HTML must hold")
    not_contains: tuple[str, ...] = Field(
        ("Internal Server Error", "Bad Gateway", "Service Unavailable", "Application error", "Traceback (most recent"),
        description="texts that it must not hold, in any case",
    )
    assets: bool = Field(True, description="whether its scripts, styles and images must be there as well")

    def asserts_nothing(self) -> str | None:
        if not all(self.contains):
            return "an empty text in 'contains' is on every page"
        return None if self.contains else "'contains' is empty, so an error page sent with 200 would pass"


def test_page_is_there_with_everything_it_is_made_of(
    criterion: Params, endpoint: Client, measure: Measure, evidence: EvidenceSink
) -> None:
    page = load(endpoint, criterion.request)
    answer = page.answer
    evidence("page", answer.shown)
    if answer.status != 200:
        measure.fail(f"{answer.told}, 200 needed")
    if answer.content_type != "text/html":
        measure.fail(f"{answer.told_as}, text/html needed")
    for text in criterion.contains:
        if text not in answer.text:
            measure.fail(f"{answer.told} without the text '{text}'")
    for text in criterion.not_contains:
        if text.lower() in answer.text.lower():
            measure.fail(f"{answer.told} with the text '{text}'")
    if criterion.assets:
        _judge_assets(page, measure)


def _judge_assets(page: Page, measure: Measure) -> None:
    for fault in page.faults:
        measure.fail(f"{page.answer.request}: {fault}")
    measure(len(page.assets), unit="files", name="scripts, styles and images")
