"""What can go wrong between our services and the servers they rest on."""


class UnreachableError(Exception):
    """A server does not answer in time; `what` is "database" or "redis"."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} unreachable: {why}")
        self.what = what
