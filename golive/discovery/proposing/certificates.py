"""Certificates in files that configurations name, and those that ports showed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from golive.discovery.found import HOST, Certificate, Found
from golive.discovery.naming import item
from golive.discovery.proposal import Collected, Item, Rule

_LEAST_DAYS, _WARNING_DAYS = 14, 30


def propose(found: Found, collected: Collected) -> None:
    """A rule of one item a file. What a port shows is told, since there is no check that reads it from there."""
    now = found.survey.looked_at
    for file in found.survey.certificates:
        if not file.readable:
            collected.leave_out(f"certificate {file.path}", "it may not be read by the user that the suite comes as")
    for path, certificate in found.certificates.items():
        if isinstance(certificate, str):
            collected.leave_out(f"certificate {path}", certificate)
    items = tuple(_items(found, now))
    collected.count(certificates=len(items) + sum(heard.certificate is not None for heard in found.heard))
    if items:
        collected.rules.append(
            Rule(
                area="certificates",
                name="files",
                says="The certificate in {item} outlives its margin",
                check="hosts/certificate_file",
                severity="critical",
                keys={"host": HOST},
                items=items,
            )
        )
    for heard in found.heard:
        if heard.certificate is not None:
            left = _days(heard.certificate, now)
            why = f"{left} days are left of it; a criterion over the file that it comes from watches that"
            collected.leave_out(f"certificate shown on port {heard.port}", why)


def _items(found: Found, now: datetime) -> Iterator[Item]:
    for path, certificate in found.certificates.items():
        if isinstance(certificate, str):
            continue
        left = _days(certificate, now)
        keys = {"path": path, "at_least": f"{_LEAST_DAYS} d"}
        if left > _WARNING_DAYS:
            keys["warning"] = f"{_WARNING_DAYS} d"
        off = None if left > _LEAST_DAYS else f"no more than {left} days are left: renew it"
        yield Item(
            name=item(path),
            keys=keys,
            told=f"{certificate.subject}: {left} days left",
            off=off or certificate.broken or None,
        )


def _days(certificate: Certificate, now: datetime) -> int:
    return int((certificate.not_after - now).total_seconds() // 86_400)
