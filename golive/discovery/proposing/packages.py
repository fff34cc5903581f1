"""Packages of the programs that listen: none older than it was found."""

from __future__ import annotations

import re

from golive.discovery.found import HOST, Found
from golive.discovery.naming import item
from golive.discovery.proposal import Collected, Item, Rule

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+:$-]*")


def propose(found: Found, collected: Collected) -> None:
    """A rule of one item a package, where packages were asked for."""
    packages = [p for p in found.survey.packages or () if _NAME.fullmatch(p.name)]
    collected.count(packages=len(packages))
    if packages:
        collected.rules.append(
            Rule(
                area="packages",
                name="not-older",
                says="The package {item} is no older than it was found",
                check="hosts/package",
                severity="medium",
                keys={"host": HOST},
                items=tuple(Item(name=item(p.name), keys={"package": p.name, "at_least": p.version}) for p in packages),
                told="packages of the programs that listen",
            )
        )
