"""A client of the Model Context Protocol, as much of it as tools need, over the upstream that every provider uses.

pool.py holds sessions; a session (session.py) speaks JSON-RPC (protocol.py) over one of two transports (streamable.py,
old_sse.py). Who may be talked to says endpoints.py; what a caller shows there, credentials.py.
"""
