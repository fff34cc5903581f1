"""The services of Warungin that are our own: each is started as `python -m demo.services.NAME`.

The rest of the eight (postgres, redis, frontend) are the real servers. `shop/` holds what the API answers.
"""
