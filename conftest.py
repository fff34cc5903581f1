"""The suite is two plugins: what checks have in hand, and what is told of them."""

pytest_plugins = ["fixtures.plugin", "reports.plugin"]
