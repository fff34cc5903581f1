"""Text that came from a target, made harmless and short for people to read.

Nothing a target answers may steer a terminal, turn the reading direction or fill a
report: characters that act instead of showing are written as escapes, and every
text has a limit.
"""

from __future__ import annotations

import re

MESSAGE_LIMIT = 2_000
EVIDENCE_LIMIT = 16_000
LINE_LIMIT = 300

# Control characters, soft hyphen, zero-width and bidirectional marks, line separators, surrogates, tags.
_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """`text` with acting characters as escapes (`\\x1b`); tabs and line feeds stay."""
    return _ACTING.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    """`text` as one visible line of at most `limit` characters."""
    return clipped(visible(" ".join(text[: 4 * limit].split())), limit)


def clipped(text: str, limit: int) -> str:
    """`text` ended with `…` where it is longer than `limit`."""
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + "…"


def bounded(text: str, limit: int) -> str:
    """`text` cut in the middle to about `limit` characters, saying how much is left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def first_sentence(text: str) -> str:
    """The first sentence of running text; a dot inside a word or before a small letter ends none."""
    whole = " ".join(text.split())
    return re.split(r"(?<=[.!?])\s+(?=[^a-z\s])", whole, maxsplit=1)[0]


def duration(seconds: float) -> str:
    """Seconds for people: `430 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    for size, unit, small, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // small)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {part}" if rest else "")
    raise AssertionError("every duration of a minute or more has a unit")


def plural(count: int, one: str, many: str) -> str:
    """`1 criterion`, `2 criteria`."""
    return f"{count} {one if count == 1 else many}"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
