"""How a system is pressed: locust makes load in processes of its own, and the runner starts, watches and ends them."""
