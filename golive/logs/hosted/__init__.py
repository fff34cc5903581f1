"""Logs that lie on a host: what is asked there in shell text, how it is understood, and how much is counted there."""
