"""The dashboard shows its figures.

Why: managers look at it first; "NaN", an empty box or a script error there is what they will tell everybody.
When it fails: open it in a browser with the console open; compare with the answer of its data request.
"""

import json
import re
from typing import Annotated, Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, EndpointRef, Request
from golive.targets.accounts import Account
from golive.targets.browser import Browser, Wish
from golive.targets.expectations import Rule, breaches
from golive.targets.http import Client
from golive.targets.page import load
from golive.targets.paths import MISSING, value_at

_BROKEN = re.compile(r"\b(nan|undefined|null|infinity)\b|\[object", re.IGNORECASE)


class Params(CheckParams):
    endpoint: EndpointRef
    account: AccountRef = Field(alias="as")
    page: Request = Request("GET", "/dashboard.html")
    data: Request = Field(description="the request that the dashboard takes its figures from")
    numbers: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="dotted paths in the data at which there must be a number"
    )
    selectors: tuple[str, ...] = Field((), description="CSS selectors that must be visible with a number in them")
    storage: dict[str, str] = Field(
        {"token": "{token}"},
        description="what a browser's local and session storage hold after a login; '{token}' and dotted paths in the "
        "login's JSON, such as '{user}', are filled in",
    )
    browser: Wish = "auto"

    def asserts_nothing(self) -> str | None:
        if self.browser == "required" and not self.selectors:
            return "'selectors' is empty, so a browser would have nothing to look for"
        return None


def test_dashboard_shows_its_figures(
    criterion: Params,
    endpoint: Client,
    account: Account,
    browser: Browser | None,
    criterion_id: str,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    _judge_data(criterion, endpoint, account, measure, evidence)
    if browser is not None and criterion.selectors:
        _judge_view(criterion, endpoint, account, browser, criterion_id, measure, evidence)
        return
    page = load(endpoint, criterion.page)
    if not page.answer.ok or page.answer.content_type != "text/html":
        measure.fail(f"{page.answer.told_as}, a page with 200 needed")
    for fault in page.faults:
        measure.fail(f"{criterion.page}: {fault}")
    measure.note(f"no browser looked: the page, its {len(page.assets)} files and its figures were fetched")


def _judge_data(
    criterion: Params, endpoint: Client, account: Account, measure: Measure, evidence: EvidenceSink
) -> None:
    answer = endpoint.send(criterion.data, headers=account.headers)
    evidence("figures", answer.shown)
    if not answer.ok:
        measure.fail(f"{answer.told} to {account.name}")
        return
    for breach in breaches(answer.json(), dict.fromkeys(criterion.numbers, Rule(type="number"))):
        measure.fail(f"{criterion.data}: {breach}")


def _judge_view(
    criterion: Params,
    endpoint: Client,
    account: Account,
    browser: Browser,
    name: str,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    visit = browser.visit(
        endpoint,
        criterion.page.path,
        storage=_storage(criterion, account),
        selectors=criterion.selectors,
        screenshot=name,
    )
    seen = [f"{selector}: {text}" for selector, text in visit.texts.items()]
    evidence("dashboard", "\n".join([*seen, f"screenshot: {visit.screenshot}", *visit.console_errors]))
    for selector, text in visit.texts.items():
        if text is None:
            measure.fail(f"{selector} is not visible on {criterion.page.path}")
        elif _BROKEN.search(text) or not any(mark.isdigit() for mark in text):
            measure.fail(f"{selector} shows '{text}', a number needed")
    for error in visit.console_errors[:3]:
        measure.fail(f"console error: {error}")
    for failed in visit.failed_requests[:3]:
        measure.fail(f"failed request: {failed}")
    measure.note(f"a browser shows {', '.join(seen)}")


def _storage(criterion: Params, account: Account) -> dict[str, str]:
    login = account.login()
    known: dict[str, Any] = {"token": login.token}
    return {key: _stored(text, login.answer.json(), known) for key, text in criterion.storage.items()}


def _stored(text: str, said: Any, known: dict[str, Any]) -> str:
    """One value of the storage; what is not text in the login's answer is stored as JSON."""
    if not (text.startswith("{") and text.endswith("}")):
        return text
    value = known.get(text[1:-1], value_at(said, text[1:-1]))
    assert value is not MISSING, f"the login's answer has nothing at '{text[1:-1]}'"
    return value if isinstance(value, str) else json.dumps(value)
