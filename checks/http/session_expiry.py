"""Sessions end by themselves: when nobody uses them, and at the latest after a fixed time.

Why: a till that was left alone, or a token that was copied, must not stay open for ever.
When it fails: look at the expiry of the session's key in the store and at what renews it.
"""

from collections.abc import Callable

from fixtures.expiry import AGAIN, ExpiryParams, Trial
from fixtures.measure import EvidenceSink, Measure


class Params(ExpiryParams):
    pass


def test_sessions_end_by_themselves(
    session_trials: Callable[[], dict[str, Trial]], measure: Measure, evidence: EvidenceSink
) -> None:
    for name, trial in session_trials().items():
        evidence(f"{name} limit", "\n".join(trial.told))
        if trial.late:
            times = f"{AGAIN + 1} times"
            measure.unknown(f"{trial.account.name}: requests were too far apart, {times}, to tell which limit ended it")
        elif trial.breach:
            measure.fail(f"{trial.account.name}: {trial.breach}")
        else:
            measure.note(f"{name} limit: {trial.told[-1]}")
