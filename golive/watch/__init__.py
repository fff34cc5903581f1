"""Keeping watch over a deployment: when it is looked at, whether it answers in between, and what is deployed."""
