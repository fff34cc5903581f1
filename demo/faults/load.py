"""What only a load shows: a request here and there that breaks down, and a bottleneck behind which all others wait."""

from __future__ import annotations

from demo.faults._model import Fault
from demo.services.misbehave import ERROR_EVERY, ONE_AT_A_TIME_S

LOAD_ERRORS = Fault(
    name="load-errors",
    says=f"every {ERROR_EVERY}th look at something of a store answers 500; the others are as always",
    incident="the pool now and then gives a connection that the other side has closed",
)

THROUGHPUT_CAPPED = Fault(
    name="throughput-capped",
    says=f"requests of stores are served one after the other, {ONE_AT_A_TIME_S * 1000:.0f} ms each",
    incident="a lock that was meant for one order is held around all of them",
)
