"""A directory holds neither more nor less than it should.

Why: a spool that nobody empties fills the disk, and one that nobody fills means that its writer has died.
When it fails: see what lies there (`ls -ltr`), and which process should have read, written or rotated it.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, Duration, HostRef, Size
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.directory_size import DirectorySize
from golive.targets.hosts.questions.written import AbsolutePath


class Params(CheckParams):
    host: HostRef
    path: AbsolutePath = Field(description="the directory; what is mounted below it does not count")
    warning_size: Size | None = Field(None, description="size of all files together that warns")
    max_size: Size | None = Field(None, description="most that all files together may take")
    min_size: Size | None = Field(None, description="least that all files together must take")
    warning_files: Count | None = Field(None, description="number of files that warns")
    max_files: Count | None = Field(None, description="most files")
    min_files: Count | None = Field(None, description="fewest files")
    within: Duration = Field(5.0, le=25, description="longest that counting may take on the host")

    @property
    def question(self) -> DirectorySize:
        """What lies there."""
        return DirectorySize(path=self.path, within_s=self.within)

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (self.question,)

    def asserts_nothing(self) -> str | None:
        limits = (self.max_size, self.min_size, self.max_files, self.min_files, self.warning_size, self.warning_files)
        return "it has no limit of size or number" if all(limit is None for limit in limits) else None


def test_directory_holds_what_it_should(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(criterion.question)
    assert found is not None, f"host {host.name}: {criterion.path} is not there"
    evidence("regular files below", f"{found.files} files, {found.size_bytes} B")
    subject = f"{criterion.path} on host {host.name}"
    for value, unit, warning, most, least in (
        (found.size_bytes, "B", criterion.warning_size, criterion.max_size, criterion.min_size),
        (found.files, "files", criterion.warning_files, criterion.max_files, criterion.min_files),
    ):
        name = "size" if unit == "B" else unit
        measure(value, unit=unit, subject=subject, name=name, warning=warning, critical=most, inclusive=True)
        if least is not None:
            measure(value, unit=unit, subject=subject, name=f"least {name}", critical=least, better="higher")
