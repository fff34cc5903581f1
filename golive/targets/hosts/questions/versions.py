"""Which of two package versions is newer, by the rules of each package manager. Pure.

What the wanted version does not name is not compared: an epoch (`1:`) that the distribution
put before the version, or the revision (`-2+deb12u1`, `-r0`, `-1.el9`) behind it. Otherwise
`9.0` would be reached by every version that has an epoch.
"""

from __future__ import annotations

import re
from itertools import zip_longest

_DIGITS_OR_NOT = re.compile(r"(\D*)(\d*)")
_RPM_PART = re.compile(r"\d+|[A-Za-z]+|[~^]")
_APK = re.compile(
    r"(?P<numbers>\d+(?:\.\d+)*)(?P<letter>[a-z]?)(?P<suffixes>(?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(?P<revision>\d+))?"
)
_APK_SUFFIXES = ("alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p")


def compared(manager: str, installed: str, wanted: str) -> int:
    """Below, at or above 0 as `installed` is older than, the same as, or newer than `wanted`.

    ValueError when a version is none by the manager's rules.
    """
    if manager == "apk":
        return _apk(installed, wanted)
    part = _debian_part if manager == "dpkg" else _rpm_part
    epochs, versions, revisions = zip(_split(installed), _split(wanted), strict=True)
    if epochs[1] is not None and (order := int(epochs[0] or 0) - int(epochs[1])):
        return order
    order = part(versions[0] or "", versions[1] or "")
    return order if order or revisions[1] is None else part(revisions[0] or "", revisions[1])


def _split(version: str) -> tuple[str | None, str, str | None]:
    """Epoch, version and revision (or release)."""
    found = re.fullmatch(r"(?:(?P<epoch>\d+):)?(?P<version>\S+?)(?:-(?P<revision>[^-\s]+))?", version, re.ASCII)
    if not found:
        raise ValueError(f"{version!r} is no version")
    return found["epoch"], found["version"], found["revision"]


def _debian_part(ours: str, theirs: str) -> int:
    """deb-version(7): runs without digits sort letters before signs and `~` before all, digits are numbers."""
    pairs = zip_longest(_DIGITS_OR_NOT.findall(ours), _DIGITS_OR_NOT.findall(theirs), fillvalue=("", ""))
    for (text, number), (other_text, other_number) in pairs:
        for sign, other in zip_longest(text, other_text, fillvalue=""):
            if order := _debian_rank(sign) - _debian_rank(other):
                return order
        if order := int(number or 0) - int(other_number or 0):
            return order
    return 0


def _debian_rank(sign: str) -> int:
    if sign == "~":
        return -1
    if not sign:
        return 0
    return ord(sign) if sign.isalpha() else ord(sign) + 0x10000


def _rpm_part(ours: str, theirs: str) -> int:
    """rpm-version(7): parts of digits or letters; `~` sorts before the end, `^` after it and before anything else."""
    for part, other in zip_longest(_RPM_PART.findall(ours), _RPM_PART.findall(theirs), fillvalue=""):
        if part == other:
            continue
        kinds = _rpm_rank(part), _rpm_rank(other)
        if kinds[0] != kinds[1]:
            return kinds[0] - kinds[1]
        if part.isdigit():
            if order := int(part) - int(other):
                return order
        else:
            return 1 if part > other else -1
    return 0


def _rpm_rank(part: str) -> int:
    if part in ("~", "", "^"):
        return ("~", "", "^").index(part)
    return 4 if part.isdigit() else 3


def _apk(installed: str, wanted: str) -> int:
    """As apk-tools: numbers, a letter, suffixes such as `_rc1` before and `_p1` after the release, the revision."""
    ours, theirs = _APK.fullmatch(installed), _APK.fullmatch(wanted)
    if not ours or not theirs:
        raise ValueError(f"{(wanted if ours else installed)!r} is no version of Alpine's")
    if order := _apk_numbers(ours["numbers"].split("."), theirs["numbers"].split(".")):
        return order
    if ours["letter"] != theirs["letter"]:
        return 1 if ours["letter"] > theirs["letter"] else -1
    pairs = zip_longest(_apk_suffixes(ours["suffixes"]), _apk_suffixes(theirs["suffixes"]), fillvalue=(4, 0))
    for suffix, other in pairs:
        if suffix != other:
            return 1 if suffix > other else -1
    return 0 if theirs["revision"] is None else int(ours["revision"] or 0) - int(theirs["revision"])


def _apk_numbers(ours: list[str], theirs: list[str]) -> int:
    for place, (part, other) in enumerate(zip(ours, theirs, strict=False)):
        # Behind a point a number with a leading zero is a fraction: 1.05 is older than 1.1.
        if place and "0" in (part[0], other[0]) and part != other:
            return 1 if part > other else -1
        if order := int(part) - int(other):
            return order
    return len(ours) - len(theirs)


def _apk_suffixes(text: str) -> list[tuple[int, int]]:
    found = []
    for name, number in re.findall(r"_([a-z]+)(\d*)", text):
        if name not in _APK_SUFFIXES:
            raise ValueError(f"_{name} is no suffix of Alpine's")
        found.append((_APK_SUFFIXES.index(name), int(number or 0)))
    return found
