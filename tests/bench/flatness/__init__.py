"""The tools of `flat.py`: distributions of any size, a service to put behind them, a client that asks, and what the
server in between used for it.
"""
