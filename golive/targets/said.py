"""What servers say, made fit for one line of a report."""

from __future__ import annotations


def gist(text: str, limit: int = 240) -> str:
    """The first line that says something, without control characters, cut to `limit` characters."""
    first = next((line.strip() for line in text[: 20 * limit].splitlines() if line.strip()), "")
    return shortened("".join(c if c.isprintable() else "?" for c in first), limit)


def shortened(text: str, limit: int) -> str:
    """`text` cut to `limit` characters, the last one then being an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
