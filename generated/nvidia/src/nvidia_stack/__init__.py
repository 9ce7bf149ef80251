"""The server of the distribution `nvidia`.

NVIDIA NIM, hosted or your own.

`python -m nvidia_stack` starts it. Read on from __main__.py: settings.py, wiring.py, app.py.
"""
