"""Accounts that may log in, and groups whose members are as good as root."""

from __future__ import annotations

import re

from golive.discovery.found import HOST, Found
from golive.discovery.naming import item
from golive.discovery.proposal import Collected, Item, Rule

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+:$-]*")
_MOST = 20


def propose(found: Found, collected: Collected) -> None:
    """Each account with a login shell as it is, and the members of groups that lead to root."""
    logins = [login for login in found.survey.logins if _NAME.fullmatch(login.name)]
    collected.count(logins=len(found.survey.logins))
    if len(logins) > _MOST:
        collected.leave_out("accounts with a login shell", f"there are {len(logins)}: name those that matter")
    elif logins:
        collected.rules.append(
            Rule(
                area="accounts",
                name="logins",
                says="The account {item} is as it was found",
                check="hosts/user",
                severity="medium",
                keys={"host": HOST},
                items=tuple(
                    Item(
                        name=item(one.name),
                        keys={"user": one.name, "uid": one.uid, "shell": one.shell},
                        told="may log in",
                    )
                    for one in logins
                ),
                told=f"{len(logins)} accounts have a login shell",
            )
        )
    groups = [group for group in found.survey.groups if all(map(_NAME.fullmatch, (group.name, *group.members)))]
    if groups:
        collected.rules.append(
            Rule(
                area="accounts",
                name="groups",
                says="Nobody else is a member of {item}",
                check="hosts/group",
                severity="high",
                keys={"host": HOST},
                items=tuple(
                    Item(
                        name=item(group.name),
                        keys={"group": group.name, "members": list(group.members), "only": True},
                        told="who is in it is as good as root",
                    )
                    for group in groups
                ),
            )
        )
