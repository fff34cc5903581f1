"""Slowness of the API, and of one query."""

from __future__ import annotations

from demo.faults._model import Demo, Fault

_NAP_S = 0.8
_VIEW = "orders_summary"


def _slow_view(demo: Demo) -> None:
    """Let the view look at something that takes its time first."""
    with demo.database("warungin") as database:
        row = database.execute("SELECT pg_get_viewdef(%s::regclass) AS text", [_VIEW]).fetchone()
    text = "" if row is None else str(row["text"]).rstrip(" ;")
    (demo.keep("slow-query") / "view.sql").write_text(text, encoding="utf-8")
    _define(demo, f"SELECT v.* FROM (SELECT pg_sleep({_NAP_S})) AS nap, ({text}) AS v")  # noqa: S608  our own view


def _fast_view(demo: Demo) -> None:
    kept = demo.keep("slow-query") / "view.sql"
    if kept.exists():
        _define(demo, kept.read_text(encoding="utf-8"))
        kept.unlink()


def _define(demo: Demo, text: str) -> None:
    with demo.database("warungin") as database:
        database.execute(f"CREATE OR REPLACE VIEW {_VIEW} AS {text}".encode())


SLOW_TAIL = Fault(
    name="slow-tail",
    says="every tenth request of a route takes 1.5 s longer; the median is as always",
    incident="one of ten threads runs into a lock of the file system",
)

SLOW_API = Fault(
    name="slow-api",
    says="every request takes 250 ms longer",
    incident="each request asks a name server that is far away",
)

SLOW_QUERY = Fault(
    name="slow-query",
    says=f"counting the rows of the view {_VIEW} takes {_NAP_S} s",
    incident="an index was dropped, and the table grew",
    break_=_slow_view,
    heal=_fast_view,
    needs_earlier_look=True,
)

SLOW_LEAK = Fault(
    name="slow-leak",
    says="the worker keeps 256 KiB more of memory every second, up to 128 MiB, and works as ever",
    incident="every report leaves its rows in a cache that nobody empties",
)
