"""What users do from end to end works, step by step.

Why: every part can be healthy and the sale still not go through.
When it fails: the step that is named broke, those before it worked; repeat it by hand with the same account.
"""

from collections.abc import Callable

from pydantic import Field, model_validator

from fixtures.journey import Journey, Step, unknown_names
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams
from golive.targets.accounts import Account


class Params(CheckParams):
    account: AccountRef = Field(alias="as", description="logs in first; its session carries every step")
    fresh_login: bool = Field(False, description="log in for this journey alone, as one that logs out must")
    steps: tuple[Step, ...] = Field(description="in order; a step that fails ends the journey")
    cleanup: tuple[Step, ...] = Field((), description="always run afterwards, so that nothing is left behind")

    @model_validator(mode="after")
    def _knows_its_names(self) -> "Params":
        problem = unknown_names(self.steps, self.cleanup)
        if problem:
            raise ValueError(problem)
        return self

    def asserts_nothing(self) -> str | None:
        return None if self.steps else "'steps' is empty"


def test_journey_works_from_end_to_end(
    criterion: Params,
    account: Account,
    account_named: Callable[[str], Account],
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    login = account.fresh() if criterion.fresh_login else account.login()
    journey = Journey(account, login, account_named)
    try:
        problem = journey.go(criterion.steps)
        if problem:
            measure.fail(problem)
        else:
            measure(journey.took_ms, unit="ms", name="journey", detail=f"{len(criterion.steps)} steps")
    finally:
        for leftover in journey.clean_up(criterion.cleanup):
            measure.fail(leftover)
        evidence("journey", "\n".join(journey.told))
