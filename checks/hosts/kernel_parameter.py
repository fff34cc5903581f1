"""A kernel parameter has the value that it should.

Why: what was tuned by hand with `sysctl` is gone after the next boot, and with it connections, memory or a protection.
When it fails: write it to a file in /etc/sysctl.d, load it with `sysctl --system`, and see what set it otherwise.
"""

from typing import Annotated

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, HostRef
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.kernel_parameter import KernelParameter
from golive.targets.shell import plain


class Params(CheckParams):
    host: HostRef
    parameter: Annotated[str, Field(pattern=r"^[a-z][\w:-]*([./][\w:-]+(\.[\w:-]+)*)+$")] = Field(
        description="as sysctl names it: net.core.somaxconn"
    )
    equals: str | int | None = Field(None, description="the value; several numbers as text, with spaces between them")
    at_least: int | None = None
    at_most: int | None = None

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (KernelParameter(name=self.parameter),)

    def asserts_nothing(self) -> str | None:
        wishes = (self.equals, self.at_least, self.at_most)
        return "write 'equals', 'at_least' or 'at_most'" if all(wish is None for wish in wishes) else None


def test_kernel_parameter_has_the_value_that_it_should(criterion: Params, host: Host, measure: Measure) -> None:
    value = host.answer(KernelParameter(name=criterion.parameter))
    subject = f"{criterion.parameter} of host {host.name}"
    assert value is not None, f"{subject}: its kernel has no such parameter"
    if criterion.equals is not None:
        wanted = " ".join(str(criterion.equals).split())
        assert value == wanted, f"{subject} is {plain(value) or 'empty'}, {wanted} needed"
        measure.note(f"{subject} is {plain(value)}")
    if criterion.at_least is None and criterion.at_most is None:
        return
    try:
        number = int(value)
    except ValueError:
        raise CouldNotLook(f"{subject} is {plain(value)!r}, which is not one number") from None
    if criterion.at_least is not None:
        measure(number, unit="", subject=subject, name="value", critical=criterion.at_least, better="higher")
    if criterion.at_most is not None:
        name = "value" if criterion.at_least is None else "most"
        measure(number, unit="", subject=subject, name=name, critical=criterion.at_most, inclusive=True)
