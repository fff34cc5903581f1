"""The section `load:` of an environment: profiles of load, what they may be aimed at, and the shape of each."""

from golive.environment.loads.feeds import Row, read_feed
from golive.environment.loads.section import (
    AbortOn,
    Caps,
    Feed,
    LoadSection,
    ProductionLoad,
    Profile,
    Scenario,
    Worker,
    fields_in,
)

# In the JSON Schema it has a name of its own: a check has steps, too.
from golive.environment.loads.section import LoadStep as Step
from golive.environment.loads.stages import Point, Stage
from golive.environment.loads.values import Hours, Level, Rate

__all__ = [
    "AbortOn",
    "Caps",
    "Feed",
    "Hours",
    "Level",
    "LoadSection",
    "Point",
    "ProductionLoad",
    "Profile",
    "Rate",
    "Row",
    "Scenario",
    "Stage",
    "Step",
    "Worker",
    "fields_in",
    "read_feed",
]
