"""The criterion does not apply here, for a reason that still holds.

Why: what is left out must be left out on purpose, in writing.
When it fails: ask whether the reason still holds; then set a new date, or give the criterion a check.
"""

from datetime import datetime

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, Moment


class Params(CheckParams):
    reason: str = Field(min_length=3, description="why the criterion does not apply, as a sentence")
    review_by: Moment | None = Field(None, description="when the reason must be looked at again")


def test_criterion_does_not_apply(criterion: Params, now: datetime, measure: Measure) -> None:
    if criterion.review_by is not None:
        due = f"{criterion.review_by:%Y-%m-%d %H:%M} UTC"
        assert criterion.review_by > now, f"left out because '{criterion.reason}', which was to be reviewed by {due}"
    measure.note(criterion.reason)
