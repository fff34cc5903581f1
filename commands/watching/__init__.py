"""Commands over a whole watch: keep it, judge it, sign it, tell it."""
