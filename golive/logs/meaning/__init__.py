"""What lines mean: attempts at access, durations, events of security, templates, and what is known and accepted."""
