"""The papers that one needs in an emergency are at hand, and say something.

Why: a guide that is missing, empty or a placeholder is found out when it is needed most.
When it fails: put the document that is named where the environment says it is, or correct `documents`.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, DocumentRef, Duration, Size
from golive.model import CouldNotLook

_READ = 100_000
_PLACEHOLDER = re.compile(
    r"\b(tbd|tba|todo|to be (written|done|defined|added)|coming soon|placeholder|lorem ipsum|work in progress|"
    r"under construction|fill (this )?in|wip)\b",
    re.IGNORECASE,
)
_WORDS_OF_A_REAL_PAPER = 40


class Params(CheckParams):
    documents: Annotated[tuple[DocumentRef, ...], Field(min_length=1)]
    at_least: Size = Field(100, description="least size of each")
    timeout: Duration = Field(10.0, description="longest that fetching one from a URL may take")


def test_documents_are_at_hand(
    criterion: Params, documents: Mapping[str, str], context: RunContext, measure: Measure
) -> None:
    for name in criterion.documents:
        try:
            place = documents[name]
            text = _fetched(place, criterion.timeout, context) if _is_url(place) else _read(place)
        except _NotAtHand as fault:
            measure.fail(f"{name}: {fault}")
            continue
        except CouldNotLook as problem:
            measure.unknown(f"{name}: {problem}")
            continue
        measure(len(text), unit="B", name=name, critical=criterion.at_least, better="higher")
        if _says_nothing(text.decode("utf-8", "replace")):
            measure.fail(f"{name}: a placeholder, it does not say anything yet")


class _NotAtHand(Exception):
    """The document is not where it should be: a finding."""


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _read(place: str) -> bytes:
    path = Path(place)
    if not path.is_file():
        raise _NotAtHand(f"{place} is no file" if path.exists() else f"there is no file {place}")
    try:
        with path.open("rb") as file:
            return file.read(_READ)
    except OSError as error:
        raise CouldNotLook(f"{place} cannot be read: {error.strerror}") from None


def _fetched(url: str, timeout_s: float, context: RunContext) -> bytes:
    """The beginning of the document; a server that cannot be reached leaves it open whether it is there."""
    import requests

    until, text = time.monotonic() + timeout_s, b""
    try:
        with requests.get(url, timeout=timeout_s, stream=True, headers={"User-Agent": context.user_agent}) as answer:
            if answer.status_code != 200:
                raise _NotAtHand(f"{url} answers {answer.status_code}, 200 needed")
            for chunk in answer.iter_content(16_384):
                text += chunk
                if len(text) >= _READ or time.monotonic() > until:
                    break
    except (requests.RequestException, OSError) as error:
        raise CouldNotLook(f"{url} cannot be fetched: {type(error).__name__}") from None
    return text


def _says_nothing(text: str) -> bool:
    """Whether what remains without headings, tags and rules is only an announcement of what is to come."""
    body = re.sub(r"^\s*(#.*|=+|-+)$|<[^>]*>", " ", text, flags=re.MULTILINE)
    words = re.findall(r"\w{2,}", body)
    return not words or (len(words) < _WORDS_OF_A_REAL_PAPER and _PLACEHOLDER.search(body) is not None)
