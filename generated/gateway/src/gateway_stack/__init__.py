"""The server of the distribution `gateway`.

Remote inference and nothing else, the smallest server. A service is there when its key or its URL is set.

`python -m gateway_stack` starts it. Read on from __main__.py: settings.py, wiring.py, app.py.
"""
