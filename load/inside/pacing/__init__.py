"""When there is how much load: its course, its arrivals, its shape for locust, and the cap on it."""
