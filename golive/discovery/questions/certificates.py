"""Certificate files that configurations and command lines refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.discovery.questions import Survey

_FOLDERS = "/etc/nginx /etc/apache2 /etc/httpd /etc/haproxy /etc/postfix /etc/dovecot /etc/caddy /etc/traefik"
_DIRECTIVES = "ssl_certificate|SSLCertificateFile|smtpd_tls_cert_file|ssl_cert|certFile|ssl_cert_file"
_USUAL = "/etc/letsencrypt/live/*/fullchain.pem"
_MOST = 40
_CHAIN = 6
"""A file with more certificates than a chain has is a list of authorities."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateFile:
    """A file that holds a certificate."""

    path: str
    readable: bool


@dataclass(frozen=True)
class CertificateFiles(Survey[tuple[CertificateFile, ...]]):
    """Of configurations and command lines nothing but paths that end like a certificate's is told."""

    def text(self, frame: str) -> str:
        """A row for each file that holds a certificate, or may not be read."""
        return rf"""
{{
  grep -rhsE '^[[:space:]]*({_DIRECTIVES})[[:space:]:=]' {_FOLDERS} 2>/dev/null | tr -s ' \t:=;<"' '\n'
  cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0=' '\n\n' | grep -aE '^/[^ ]+\.(crt|cer|pem)$'
  for file in {_USUAL}; do [ -f "$file" ] && printf '%s\n' "$file"; done
}} | grep -aE '^/' | sort -u | head -n {_MOST} | while IFS= read -r file; do
  [ -f "$file" ] || continue
  count=$(grep -cs -e '-----BEGIN CERTIFICATE-----' -- "$file")
  if [ ! -r "$file" ]; then printf '{frame}\tfile\tno\t%s\n' "$file"
  elif [ "$count" -gt 0 ] && [ "$count" -le {_CHAIN} ]; then printf '{frame}\tfile\tyes\t%s\n' "$file"; fi
done
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[CertificateFile, ...]:
        """In the order of their paths."""
        return tuple(
            CertificateFile(path=row[2], readable=row[1] == "yes") for row in rows if row[0] == "file" and len(row) == 3
        )
