"""No password, key or token is written into the environment's files.

Why: what is written down in a repository is known to everybody who ever had a copy of it.
When it fails: change the credential at once, then replace it by a reference (${env:NAME}, ${file:PATH}, ${cmd:…}).
"""

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams
from golive.environment.problems import shown_path
from golive.environment.written import Written, written_credentials
from golive.model import CouldNotLook

_TOLD = 10


class Params(CheckParams):
    """Nothing to set: the files are those that the environment was read from."""


def test_no_credential_is_written_out(criterion: Params, context: RunContext, measure: Measure) -> None:
    del criterion
    files = tuple(dict.fromkeys(context.environment.files))
    if not files:
        raise CouldNotLook("it is not known from which files the environment was read")
    found: list[Written] = []
    for file in files:
        try:
            found += written_credentials(shown_path(file), file.read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            measure.unknown(f"{shown_path(file)} cannot be read: {type(error).__name__}")
    told = ", ".join(f"{hit.place} ({hit.what})" for hit in found[:_TOLD])
    measure(
        len(found),
        unit="credentials",
        name="written credentials",
        critical=0,
        inclusive=True,
        detail=told or f"{len(files)} files read",
    )
