"""One text for one piece of data, so that its digest means something: canonical JSON after RFC 8785.

Keys are sorted, nothing is indented, and a number has one form: 3 and 3.0 are both written `3`, whether they come
from memory, a database or a file. Beyond the RFC, a number that JSON does not know (NaN, infinity) is `null`, as in
`results.json`, and half of a surrogate pair is written as an escape.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_EXACT = 2**53
_MOST_DIGITS = 21
_FIRST_EXPONENT = -6


def canonical(data: Any) -> str:
    """JSON-ready `data` as its canonical text; TypeError for anything that JSON does not know."""
    if data is None or isinstance(data, bool):
        return {None: "null", True: "true", False: "false"}[data]
    if isinstance(data, str):
        return json.dumps(data.encode("utf-8", "backslashreplace").decode(), ensure_ascii=False)
    if isinstance(data, int | float):
        return _number(data)
    if isinstance(data, Mapping):
        # UTF-16 is the order of JavaScript, which the RFC was written for.
        pairs = sorted(data.items(), key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value)}" for key, value in pairs) + "}"
    if isinstance(data, list | tuple):
        return "[" + ",".join(map(canonical, data)) + "]"
    raise TypeError(f"{type(data).__name__} has no canonical form")


def digest(text: str) -> str:
    """SHA-256 of the text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(data: Any) -> str:
    """SHA-256 of the canonical text of JSON-ready `data`."""
    return digest(canonical(data))


def _number(value: float) -> str:
    """As ECMAScript writes numbers (`Number::toString`), which RFC 8785 prescribes."""
    if isinstance(value, int) and abs(value) <= _EXACT:
        return str(int(value))
    try:
        value = float(value)
    except OverflowError:
        return "null"
    if not math.isfinite(value):
        return "null"
    sign, figures, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + int(exponent)
    return ("-" if sign and digits != "0" else "") + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """The digits with their decimal point after the first `point` of them."""
    if digits == "0":
        return "0"
    if len(digits) <= point <= _MOST_DIGITS:
        return digits + "0" * (point - len(digits))
    if 0 < point <= _MOST_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if _FIRST_EXPONENT < point <= 0:
        return "0." + "0" * -point + digits
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
