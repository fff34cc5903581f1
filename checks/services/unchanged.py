"""What is deployed is what the watch began with.

Why: checkpoints over two different deployments add up to a watch over neither of them.
When it fails: find out who changed the named part; deploy properly, which begins a new watch, or begin one with
`golive watch restart`.
"""

from fixtures.context import RunContext
from fixtures.identity import read_target
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams
from golive.judge.identity import differences


class Params(CheckParams):
    """Nothing to set: it is about everything that is declared under `services`."""


def test_what_is_deployed_is_what_the_watch_began_with(
    criterion: Params, context: RunContext, measure: Measure, evidence: EvidenceSink
) -> None:
    del criterion
    if context.watch is None:
        measure.not_applicable("this run belongs to no watch, so there is nothing to compare with")
    found = context.target_identity or read_target(context)
    evidence("deployed", "\n".join(f"{part}: {value}" for part, value in found.items()))
    # The first run of a watch finds what all later ones are compared with.
    changed = differences(context.watch.target or found, found)
    measure(
        len(changed),
        unit=f"of {len(found)} parts",
        subject="not as at the beginning of the watch",
        name="changed",
        critical=0,
        inclusive=True,
        detail="; ".join(changed),
    )
