"""Finding credentials that are written out in the text of a YAML file, without ever repeating them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from golive.model import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """Where something that looks like a credential stands, and what it looks like. Never its value."""

    place: Place
    what: str


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("sshpass", r"\bsshpass\s"),
        ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("password in a URL", r"(?i)[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:(?!\$\{|[{<*])[^\s/@'\"]+@"),
        ("access token", r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,})"),
        ("access token", r"\b(xox[abprs]-[\w-]{10,}|[sr]k_(live|test)_\w{16,}|AIza[\w-]{35})"),
        ("access token", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
        ("password in a command", r"\bPGPASSWORD=(?!\$)\S+|\s(-u|--user)[ =][^\s:]+:(?![\s$])\S+"),
        ("password in a command", r"\s--?pass(word)?[= ](?![$-])[^\s$]+"),
        (
            "password in a comment",
            r"(?i)#.*\b(password|passwd|pwd|passphrase)\b\s*[:=]\s*(?!['\"]?\$)(?=\S*[\d!@#%^&*])\S{6,}",
        ),
    )
)
_PASSWORD = re.compile(
    r"password|passwd|passphrase|\bpwd|secret|api_?key|private_?key|access_?key|credential", re.IGNORECASE
)
_TOKEN_KEY = re.compile(r"token|bearer|cookie|auth(orization)?$", re.IGNORECASE)
# A key that names where to find a credential, or one that must not work, holds none.
_HARMLESS_KEY = re.compile(
    r"^(wrong|invalid|bad|no|without|reject\w*|min|max)[_-]|[_-](field|name|path|file|header|env|ref|id|length|policy|days|age)$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$\{[a-z]+:[^}]*\}|\{[a-z_]+\}|<[^<>]*>|\*{3,}")
_NO_VALUE = re.compile(r"|~|null|true|false|yes|no|none|\d{1,3}( ?[a-z]+)?", re.IGNORECASE)
_TOKEN = re.compile(r"(?<![\w/+.=-])[A-Za-z0-9_+/=-]{24,}(?![\w/+.=-])")
_PART = re.compile(r"[_/-]+")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{12,}")
_ENTROPY_BITS = 3.5


def written_credentials(name: str, text: str) -> list[Written]:
    """Every line of `text` that looks as if it held a credential, each once; `name` is the file's, for the places."""
    found: dict[int, str] = dict(_by_key(text))
    for number, line in enumerate(text.splitlines(), 1):
        if number not in found and (what := _in_line(line)):
            found[number] = what
    return [Written(place=Place(file=name, line=number), what=what) for number, what in sorted(found.items())]


def _in_line(line: str) -> str | None:
    for what, pattern in _SURE:
        if pattern.search(line):
            return what
    bare = _REFERENCE.sub(" ", line)
    return "high-entropy text" if any(_is_random(token) for token in _TOKEN.findall(bare)) else None


def _is_random(token: str) -> bool:
    """Paths and names of constants are made of words and numbers; a random text mixes them within a part."""
    return any(_MIXED.fullmatch(part) and _entropy_bits(part) >= _ENTROPY_BITS for part in _PART.split(token))


def _entropy_bits(text: str) -> float:
    """Shannon entropy per character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def _by_key(text: str) -> Iterator[tuple[int, str]]:
    """(line, what) of every literal value under a key that is named like a credential."""
    try:
        documents = list(yaml.compose_all(text, Loader=_LOADER))
    except (yaml.YAMLError, RecursionError):
        return
    waiting, seen = [node for node in documents if node is not None], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value]
            yield from _in_mapping(node)


def _in_mapping(node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    pairs = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    # `name: DB_PASSWORD` beside `value: …` is a pair written the long way.
    label, value = pairs.get("name"), pairs.get("value")
    if isinstance(label, yaml.ScalarNode) and value is not None:
        pairs[str(label.value)] = value
    for key, held in pairs.items():
        if isinstance(held, yaml.ScalarNode) and (what := _literal(str(key), str(held.value))):
            yield held.start_mark.line + 1, what


def _literal(key: str, value: str) -> str | None:
    rest = _REFERENCE.sub("", value).strip()
    if _HARMLESS_KEY.search(key) or _NO_VALUE.fullmatch(rest):
        return None
    if _PASSWORD.search(key):
        return f"literal {key[:40]}"
    looks_random = len(rest) >= 16 and any(c.isdigit() for c in rest) and _entropy_bits(rest) >= 3
    return f"literal {key[:40]}" if _TOKEN_KEY.search(key) and looks_random and " " not in rest else None
