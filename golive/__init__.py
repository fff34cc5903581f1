"""The library: environments, criteria, targets, judgements. Nothing of pytest in it."""

__version__ = "0.1.0"
