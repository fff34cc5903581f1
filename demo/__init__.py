"""Warungin: a small point-of-sale system that is real enough to be verified, and to be broken on purpose.

Eight services run under supervisord on free loopback ports. `demo.control` starts and stops them. Nothing here imports
the other rooms, and importing this package costs nothing.
"""
