"""The database has connections left while the load lasts.

Why: when all are in use, the next request that needs one waits or fails, and most do so under load.
When it fails: see who holds them (`database/connections` tells); size the pools by what the server allows.
"""

from pydantic import Field

from fixtures.load_params import Loaded, WatchedParams, cut_short, require_looks
from fixtures.load_watched import DatabaseUse, Seen, Watched
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count, DatabaseRef, Percent
from golive.judge.limits import number

_IN_A_ROW = 2


class Params(WatchedParams):
    database: DatabaseRef
    warning: Percent | None = None
    critical: Percent = Field(80.0, description="in percent of the connections that are not reserved; the highest look")
    min_looks: Count = Field(3, ge=1, description="looks that it takes, one a second")

    def watched(self) -> Watched:
        return DatabaseUse(self.database)

    def broken(self, seen: Seen) -> str | None:
        last = [value for _, value in seen.values.get("connections", ())[-_IN_A_ROW:]]
        if len(last) < _IN_A_ROW or min(last) < self.critical:
            return None
        return f"{number(last[-1])} % of the connections of {self.database} in use, below {self.critical:g} % needed"


def test_connections_are_left_under_load(
    criterion: Params, load_run: Loaded, measure: Measure, evidence: EvidenceSink
) -> None:
    seen = load_run.watched(criterion)
    points = seen.values.get("connections", [])
    shown = ", ".join(f"{at - load_run.result.began_at:.0f} s {number(value)}" for at, value in points)
    evidence("connections in use in % by second", shown or "none")
    require_looks(seen, len(points), criterion.min_looks, load_run.result)
    measure(
        max(value for _, value in points),
        unit="%",
        name="connections in use under load",
        warning=criterion.warning,
        critical=criterion.critical,
        samples=len(points),
        detail=f"highest of {len(points)} looks{cut_short(load_run.result)}",
    )
