"""Hosts: how they are reached, what is asked of them in one visit, and what they answered."""
