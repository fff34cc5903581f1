"""What the API's routes hold in hand, made once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from demo.services.cache import Cache
from demo.services.database import Pool
from demo.services.journal import Journal
from demo.services.shop.metrics import Counters
from demo.services.shop.second_factor import SecondFactor
from demo.services.shop.sessions import Sessions
from demo.services.shop.throttle import LoginThrottle, RequestBrake
from demo.services.shop.tokens import Tokens
from demo.settings import Settings

EXTENSION = "warungin"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The API's connections, logs and counters."""

    settings: Settings
    journal: Journal
    database: Pool
    cache: Cache
    tokens: Tokens
    sessions: Sessions
    second_factor: SecondFactor
    throttle: LoginThrottle
    brake: RequestBrake
    counters: Counters


def make_parts(settings: Settings) -> Parts:
    """Connects to nothing yet, so that the API comes up whatever state its servers are in."""
    cache = Cache(settings)
    return Parts(
        settings=settings,
        journal=Journal("api", settings.logs),
        database=Pool(settings, "api"),
        cache=cache,
        tokens=Tokens(settings.secrets["token_key"]),
        sessions=Sessions(cache),
        second_factor=SecondFactor(cache),
        throttle=LoginThrottle(cache),
        brake=RequestBrake(),
        counters=Counters(),
    )


def parts() -> Parts:
    """Those of the application that answers the current request."""
    return cast(Parts, current_app.extensions[EXTENSION])
