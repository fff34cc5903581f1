"""The packages that the programs which listen were installed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.discovery.questions import Survey


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """An installed package and its version."""

    name: str
    version: str


@dataclass(frozen=True)
class Packages(Survey[tuple[Package, ...]]):
    """Packages of the executables of all processes with a listening TCP socket (dpkg, rpm or apk)."""

    def text(self, frame: str) -> str:
        """A row a package."""
        return rf"""
ask() {{ printf '{frame}\tpackage\t%s\t%s\n' "$2" "$1"; }}
listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" {{ print "socket:[" $10 "]" }}' | sort -u)
ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v wanted="$listening" '
  BEGIN {{ n = split(wanted, each, "\n"); for (i = 1; i <= n; i++) is[each[i]] = 1 }}
  /^\/proc\/[0-9]+\/fd:$/ {{ folder = substr($0, 1, length($0) - 4); next }}
  is[$NF] && !told[folder]++ {{ print folder }}' |
  while read -r folder; do readlink "$folder/exe" 2>/dev/null; done | sort -u | head -n 40 | while IFS= read -r file; do
    [ -f "$file" ] || continue
    if command -v dpkg-query >/dev/null 2>&1; then
      name=$(dpkg-query -S "$file" 2>/dev/null | sed -n '1s/:.*//p')
      [ -n "$name" ] || name=$(dpkg-query -S "${{file#/usr}}" 2>/dev/null | sed -n '1s/:.*//p')
      [ -z "$name" ] || ask "$name" "$(dpkg-query -W -f '${{Version}}' "$name" 2>/dev/null)"
    elif command -v rpm >/dev/null 2>&1; then
      whole=$(rpm -qf --qf '%{{NAME}} %{{VERSION}}-%{{RELEASE}}\n' "$file" 2>/dev/null | head -n 1)
      case $whole in *' '*' '*|'') ;; *) ask "${{whole%% *}}" "${{whole#* }}" ;; esac
    elif command -v apk >/dev/null 2>&1; then
      whole=$(apk info -qW "$file" 2>/dev/null | head -n 1)
      name=$(printf %s "$whole" | sed 's/-[0-9][^-]*-r[0-9]*$//')
      [ -z "$name" ] || ask "$name" "${{whole#"$name"-}}"
    fi
done
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[Package, ...]:
        """Each package once."""
        pairs = {row[2]: row[1] for row in rows if row[0] == "package" and len(row) == 3 and row[1]}
        return tuple(Package(name=name, version=pairs[name]) for name in sorted(pairs))
