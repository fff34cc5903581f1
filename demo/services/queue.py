"""The queue of report jobs: a Redis list of `{"report": uuid, "queued_at": unix seconds}`, oldest first."""

from __future__ import annotations

import json
import time

from demo.services.cache import Cache

QUEUE_KEY = "queue:reports"
STUCK_AFTER_S = 30.0


def depth_and_age(cache: Cache) -> tuple[int, float]:
    """How many jobs wait, and for how many seconds the oldest has. Raises UnreachableError."""
    depth = int(cache.run("LLEN", QUEUE_KEY))
    oldest = cache.run("LINDEX", QUEUE_KEY, 0)
    age_s = max(0.0, time.time() - float(json.loads(oldest)["queued_at"])) if oldest else 0.0
    return depth, age_s
