"""Whatever an earlier checkpoint found wrong, somebody wrote down what was done about it.

Why: an issue that went away by itself comes back by itself.
When it fails: write it down: `golive note --env=… --by NAME --checkpoint=4h "what was done"`, and run this again.
"""

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams
from golive.judge import wording
from golive.model import Note


class Params(CheckParams):
    """Nothing to set: it is about every checkpoint before this one."""


def test_actions_are_written_down(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    del criterion
    earlier = [c for c in day.course.checkpoints if day.standing(c).word == "held" and c.label != day.own_checkpoint]
    unnoted = day.issues_without_note()
    if not earlier and not unnoted:
        measure.not_applicable("no checkpoint of this watch was held before this run")
    with_issues = day.issues_before()
    evidence("notes", "\n".join(_line(note) for note in sorted(day.record.notes, key=lambda note: note.at)))
    for label, issues in unnoted.items():
        # A person's word that is not there yet leaves it open, as everywhere.
        measure.unknown(
            f"{label} had issues ({wording.criteria(o.criterion for o in issues)}), and nobody has written "
            f"what was done: golive note --checkpoint={label}"
        )
    measure(
        len(with_issues) - len(unnoted),
        unit="checkpoints",
        name="issues written down",
        detail=f"of {len(with_issues)} with issues, {len(earlier)} held before{day.trial}",
    )


def _line(note: Note) -> str:
    about = " ".join(filter(None, (note.checkpoint, note.criterion)))
    return f"{wording.moment(note.at)} {note.by}{f' ({about})' if about else ''}: {note.text}"
