"""What the API answers: accounts and sessions, orders, reports, health, metrics."""
