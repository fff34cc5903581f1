"""Everybody who must be reached in an emergency can be.

Why: at three in the morning nobody should have to look for a number.
When it fails: fill in the role that is named, under `contacts` in the environment's file.
"""

import re
from typing import Annotated

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams
from golive.environment.sections import Contact

_PHONE = re.compile(r"\+[1-9]\d{6,14}")  # ITU-T E.164
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PLACEHOLDER = re.compile(
    r"_{2,}|\?{2,}|\.{3}|…|\bx{3,}\b|<[^>]*>|\$\{|\b(tbd|tba|tbc|todo|n/?a|none|unknown|example|changeme|change me|"
    r"placeholder|dummy|foo|bar|your name|name here|firstname|lastname|john doe|jane doe)\b|@(.*\.)?(invalid|test)$",
    re.IGNORECASE,
)
_INVENTED = re.compile(r"(\d)\1{6,}|12345678")


class Params(CheckParams):
    roles: Annotated[tuple[str, ...], Field(min_length=1)]


def test_contacts_are_complete(criterion: Params, contacts: tuple[Contact, ...], measure: Measure) -> None:
    by_role = {contact.role.strip().casefold(): contact for contact in contacts}
    for role in criterion.roles:
        contact = by_role.get(role.strip().casefold())
        if contact is None:
            measure.fail(f"{role}: nobody is named")
            continue
        for fault in _faults(contact):
            measure.fail(f"{role}: {fault}")
    measure.note(f"{len(criterion.roles)} roles have name, phone and e-mail")


def _faults(contact: Contact) -> list[str]:
    faults = []
    name, phone, email = (text.strip() for text in (contact.name, contact.phone, contact.email))
    if not name or _PLACEHOLDER.search(name) or not any(c.isalpha() for c in name):
        faults.append(f"{name[:60]!r} is nobody's name")
    digits = re.sub(r"[ ().-]", "", phone)
    if not _PHONE.fullmatch(digits) or _INVENTED.search(digits):
        faults.append(f"{phone[:40]!r} is no phone number with country code (E.164), as in +62 21 5550 0142")
    if not _EMAIL.fullmatch(email) or _PLACEHOLDER.search(email) or len(email) > 254:
        faults.append(f"{email[:60]!r} is no e-mail address of a person")
    return faults
