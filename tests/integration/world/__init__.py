"""A production of its own for tests: Warungin as eight containers under compose, on a host that is reached over SSH."""
