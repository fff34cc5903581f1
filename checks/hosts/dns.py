"""A name resolves to the addresses that it should.

Why: after a move half of the hosts may still talk to the old database, by a forgotten line in /etc/hosts.
When it fails: compare `getent ahosts NAME` with `dig NAME` there: /etc/hosts, resolv.conf, cache, zone.
"""

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.resolved_name import WITHIN_S, ResolvedName
from golive.targets.hosts.questions.written import Texts
from golive.targets.network import addresses_of


class Params(CheckParams):
    host: HostRef
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$", max_length=253)]
    asked_on: Annotated[tuple[Literal["host", "runner"], ...], Field(min_length=1)] = Field(
        ("host",), description="where the name is looked up: on the host, on the machine that this runs on, or on both"
    )
    addresses: Texts = Field((), description="addresses that must be among the answers")
    only: bool = Field(False, description="true: there may be no other answers")
    resolves: bool = Field(True, description="false: the name may not resolve")

    def asks(self) -> tuple[Question[object], ...]:
        """One question, if the host is asked."""
        return (ResolvedName(name=self.name),) if "host" in self.asked_on else ()

    def asserts_nothing(self) -> str | None:
        if self.addresses and not self.resolves:
            return "what does not resolve has no addresses"
        if self.only and not self.addresses:
            return "'only' needs 'addresses'"
        for address in self.addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                return f"{address!r} is no address"
        return None


def test_name_resolves_to_the_addresses_that_it_should(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    for place in criterion.asked_on:
        where = f"on host {host.name}" if place == "host" else "here"
        try:
            found, trouble = _found(criterion.name, host if place == "host" else None)
        except CouldNotLook as problem:
            measure.unknown(str(problem))
            continue
        evidence(f"{criterion.name} {where}", ", ".join(found) or trouble)
        _judge(criterion, found, trouble, f"{criterion.name} {where}", measure)


def _found(name: str, host: Host | None) -> tuple[Sequence[str], str]:
    if host is None:
        return addresses_of(name, within_s=WITHIN_S), "no such name"
    answer = host.answer(ResolvedName(name=name))
    return answer.addresses, answer.trouble


def _judge(criterion: Params, found: Sequence[str], trouble: str, subject: str, measure: Measure) -> None:
    if not criterion.resolves:
        if found:
            measure.fail(f"{subject} resolves to {', '.join(found)}")
        elif trouble == "no such name":
            measure.note(f"{subject}: {trouble}")
        else:
            measure.unknown(f"{subject}: {trouble}")
        return
    if not found:
        measure.fail(f"{subject} does not resolve: {trouble}")
        return
    wanted = [str(ipaddress.ip_address(address)) for address in criterion.addresses]
    missing = [address for address in wanted if address not in found]
    others = [address for address in found if address not in wanted] if criterion.only else []
    if missing:
        measure.fail(f"{subject} resolves to {', '.join(found)}, {', '.join(missing)} needed")
    if others:
        measure.fail(f"{subject} resolves to {', '.join(others)} too")
    if not missing and not others:
        measure.note(f"{subject} resolves to {', '.join(found)}")
