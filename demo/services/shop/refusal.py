"""How the API says no: a status, one word for the caller and one reason for the log."""

from __future__ import annotations

from collections.abc import Mapping


class RefusalError(Exception):
    """Ends a request. `error` goes to the caller, `reason` only to the log; `extra` joins the JSON body."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        reason: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error
        self.reason = reason or error
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def bad_value(field: str, wanted: str) -> RefusalError:
    """400: a field of the request is missing or wrong."""
    return RefusalError(400, "invalid_request", reason=f"invalid {field}", extra={"field": field, "expected": wanted})


def not_found(what: str) -> RefusalError:
    """404: there is no such thing in this store."""
    return RefusalError(404, "not_found", extra={"what": what})
