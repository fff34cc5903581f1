"""What is read: the two visits to a host, its logs, and the knocks at its ports; and what is chosen to be read."""
