"""Health endpoints that mislead, and pages that are not what they should be."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

from demo.faults._model import Demo, Fault, wait_for

_ERROR_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Error</title></head>
<body><h1>An error occurred</h1><p>The page you are looking for is currently unavailable.</p></body></html>
"""
_SLOWEST_ASSET_S = 3.4
_SLOW_FROM_S = 1.0


def _wait_until_healthy(demo: Demo) -> None:
    wait_for(lambda: demo.request("GET", "/health")[1].startswith(b'{"status":"ok"'), "/health to be as before")


def _replace_index(demo: Demo) -> None:
    index = demo.settings.web / "index.html"
    shutil.copy(index, demo.keep("error-page-with-200") / index.name)
    index.write_text(_ERROR_PAGE, encoding="utf-8")


def _take_away(name: str, fault: str) -> Callable[[Demo], None]:
    def take_away(demo: Demo) -> None:
        (demo.settings.web / name).replace(demo.keep(fault) / name)

    return take_away


def _put_back(name: str, fault: str) -> Callable[[Demo], None]:
    def put_back(demo: Demo) -> None:
        kept = demo.keep(fault) / name
        if kept.exists():
            kept.replace(demo.settings.web / name)

    return put_back


def _limit_rate(demo: Demo) -> None:
    """Have nginx send files so slowly that the largest takes some seconds. (It sends one second's worth at once.)"""
    path = demo.directory / "nginx" / "nginx.conf"
    shutil.copy(path, demo.keep("slow-page") / path.name)
    largest = max(file.stat().st_size for file in demo.settings.web.glob("*.*s"))
    limit = f"location / {{ limit_rate {int(largest / (_SLOWEST_ASSET_S + 1))};"
    path.write_text(path.read_text(encoding="utf-8").replace("location / {", limit), encoding="utf-8")
    demo.supervisor.signal("frontend", "HUP")
    wait_for(lambda: _page_takes_s(demo) > _SLOW_FROM_S, "nginx to become slow")


def _lift_limit(demo: Demo) -> None:
    kept = demo.keep("slow-page") / "nginx.conf"
    if not kept.exists():
        return
    kept.replace(demo.directory / "nginx" / "nginx.conf")
    demo.supervisor.signal("frontend", "HUP")
    wait_for(lambda: _page_takes_s(demo) < _SLOW_FROM_S, "nginx to become fast again")


def _page_takes_s(demo: Demo) -> float:
    began = time.monotonic()
    demo.request("GET", "/index.html", url=demo.settings.web_url)
    return time.monotonic() - began


DEGRADED = Fault(
    name="health-degraded-inside-200",
    says='/health answers 200 with {"status": "degraded"}',
    incident="a part is in trouble, and the status code was left at 200 for the load balancer's sake",
)

HTML = Fault(
    name="health-is-html",
    says="/health answers 200 with a page instead of JSON",
    incident="a proxy in front answers with its start page",
)

TIMES_OUT = Fault(
    name="health-times-out",
    says="/health answers only after 30 s",
    incident="a check inside the health endpoint waits for a host that is gone",
    heal=_wait_until_healthy,
)

ENDLESS = Fault(
    name="health-endless",
    says="/health sends a body that never ends",
    incident="a captive portal, or a stream that was mounted on the wrong path",
    heal=_wait_until_healthy,
)

LOGIN_BROKEN = Fault(
    name="login-broken",
    says="logging in gives 500",
    incident="a template that the release forgot",
    needs_new_deployment=True,
)

ERROR_PAGE = Fault(
    name="error-page-with-200",
    says="index.html is an error page, answered with 200",
    incident="a build that failed was deployed with its error page",
    break_=_replace_index,
    heal=_put_back("index.html", "error-page-with-200"),
)

ASSET_MISSING = Fault(
    name="asset-missing",
    says="style.css, which every page needs, is not there",
    incident="the page and its assets were deployed one after the other, and the second copy failed",
    break_=_take_away("style.css", "asset-missing"),
    heal=_put_back("style.css", "asset-missing"),
    needs_new_deployment=True,
)

DASHBOARD_NAN = Fault(
    name="dashboard-shows-nan",
    says="the dashboard's sales are not a number",
    incident="a division by the number of orders, on a day without any",
)

SLOW_PAGE = Fault(
    name="slow-page",
    says="the page's assets take seconds to arrive",
    incident="a limit of bandwidth per connection was set against a downloader",
    break_=_limit_rate,
    heal=_lift_limit,
)
