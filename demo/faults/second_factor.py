"""Ways around the second factor."""

from __future__ import annotations

from demo.faults._model import Fault

BYPASSED = Fault(
    name="second-factor-bypassed-by-second-endpoint",
    says="POST /api/auth/pin gives a token for a password alone",
    incident="the login of the old tills was switched on again for one store and never off",
)

EMPTY_CODE = Fault(
    name="second-factor-empty-code",
    says="an empty code is accepted",
    incident="a refactoring took `if code` for `if code is not None`",
)

REUSED_CODE = Fault(
    name="second-factor-reused-code",
    says="a code is accepted twice",
    incident="the memory of used codes was dropped as it seemed to slow down logins",
)

ANY_CODE = Fault(
    name="second-factor-any-code",
    says="any code is accepted",
    incident="the switch that turns off the check in development was on in the release",
)

NOT_LOGGED = Fault(
    name="second-factor-not-logged",
    says="the log says nothing about second factors",
    incident="the log level of the module was raised to save space",
)
