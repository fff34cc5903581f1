"""What runs in locust's processes: users, arrivals, the shape, and what they measured. Never imported by pytest."""
