"""Users of a host: from the name service, so that directories such as LDAP count too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, number, pieces, told_nothing, words

Password = Literal["locked", "empty", "set"]

# Of a password only its kind leaves the host.
_SHELL = r"""
kinds() { awk -F: -v asked="$1" 'BEGIN { n = split(asked, a, " "); for (i = 1; i <= n; i++) want[a[i]] = 1 }
  $1 in want { print $1, ($2 == "" ? "empty" : ($2 ~ /^[!*]/ ? "locked" : "set")) }'; }
users() { if has getent; then getent passwd "$@"; [ $? -le 2 ]; else cat /etc/passwd; fi && piece known; }
# Names of groups may hold spaces: where there are more words than numbers, each number is looked up.
groups() { names=$(id -Gn "$1"); numbers=$(id -G "$1")
  if [ "$(echo $names | wc -w)" -eq "$(echo $numbers | wc -w)" ]; then printf '%s\n' $names
  else for number in $numbers; do getent group "$number"; done | cut -d: -f1; fi; }
passwords() { [ ! -r /etc/shadow ] || if has getent; then getent shadow "$@"; else cat /etc/shadow; fi | kinds "$*"; }
"""


@dataclass(frozen=True, kw_only=True)
class UserFacts:
    """An entry of `passwd`; `groups` and `password` are None where they were not asked for or not told."""

    uid: int
    gid: int
    home: str
    shell: str
    groups: tuple[str, ...] | None = None
    password: Password | None = None

    def is_in(self, group: str) -> bool:
        """Whether the user is a member."""
        return group in (self.groups or ())


@dataclass(frozen=True, kw_only=True)
class User(Question[UserFacts | None]):
    """A user by name, or None when there is none; its groups and what kind of password it has only if wanted."""

    name: str
    groups: bool = False
    password: bool = False

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `getent` for all users, one more for passwords, two `id` for each whose groups are wanted."""
        lines = [_SHELL, f"piece passwd; users {_names(asked)}"]
        if hidden := [question for question in asked if question.password]:
            lines += [f"piece shadow; passwords {_names(hidden)}"]
        lines += [f"piece groups {q.name}; groups {words(q.name)}" for q in asked if q.groups]
        return framed(frame, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, UserFacts | CouldNotLook | None]:
        """Whoever the name service does not name does not exist."""
        told = pieces(said, frame)
        if "known" not in told:
            return {question: told_nothing(f"user {question.name}") for question in asked}
        passwords = dict(line.split() for line in told["shadow"].splitlines() if len(line.split()) == 2)
        entries = [line.split(":") for line in told["passwd"].splitlines()]
        found: dict[Self, UserFacts | CouldNotLook | None] = {}
        for question in asked:
            entry = next((e for e in entries if e[0] == question.name and len(e) >= 7), None)
            groups = tuple(filter(None, told[f"groups {question.name}"].splitlines()))
            kind = _password(passwords.get(question.name, ""), entry)
            found[question] = None if entry is None else _facts(entry, groups or None, kind)
        return found


def _names(asked: Sequence[User]) -> str:
    return words(*dict.fromkeys(question.name for question in asked))


def _password(told: str, entry: Sequence[str] | None) -> Password | None:
    """From `shadow`, or from `passwd` itself where it does not refer there (`x`)."""
    if told in ("locked", "empty", "set"):
        return told  # type: ignore[return-value]  # narrowed by the line above
    field = "x" if entry is None else entry[1]
    if field == "x":
        return None
    return "empty" if not field else "locked" if field[0] in "!*" else "set"


def _facts(entry: Sequence[str], groups: tuple[str, ...] | None, password: Password | None) -> UserFacts | CouldNotLook:
    name, _, told_uid, told_gid, _, home, shell = entry[:7]
    uid, gid = number(told_uid), number(told_gid)
    if uid is None or gid is None:
        return CouldNotLook(f"user {name}: its entry in passwd is broken")
    return UserFacts(uid=uid, gid=gid, home=home, shell=shell.rstrip(), groups=groups, password=password)
