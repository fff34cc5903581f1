"""Tokens that are accepted and should not be, or are seen where they should not be."""

from __future__ import annotations

from demo.faults._model import Demo, Fault

ALG_NONE = Fault(
    name="token-alg-none",
    says="a token whose header says `alg: none` needs no signature",
    incident="the token library was asked to accept the algorithm that the token names",
)

SIGNATURE_UNCHECKED = Fault(
    name="token-signature-unchecked",
    says="tokens are read without looking at their signature",
    incident="`verify=False` from a debugging session went live",
)

EXPIRED_ACCEPTED = Fault(
    name="token-expired-accepted",
    says="expired tokens are accepted",
    incident="expiry was switched off for an import that ran overnight",
)

OTHER_KEY_ACCEPTED = Fault(
    name="token-other-key-accepted",
    says="tokens signed with another key are accepted",
    incident="during a change of keys the fallback took whatever key the token came with",
)

ROLE_CHANGE_ACCEPTED = Fault(
    name="token-role-change-accepted",
    says="role and store of a token may be changed without breaking its signature",
    incident="the signature was narrowed to user and session, so that roles could be changed without a new login",
)

ALIVE_AFTER_LOGOUT = Fault(
    name="token-alive-after-logout",
    says="a token goes on working after its user logged out",
    incident="logging out only deletes the browser's copy",
    heal=Demo.end_sessions,
)

IN_LOG = Fault(
    name="token-in-log",
    says="the API prints the whole token of every request into its log",
    incident="request headers were added to the log to find an error, all of them",
    needs_new_deployment=True,
)
