"""TLS in front of the PostgreSQL server of the tests, which was built without it.

It answers a client's question for TLS as PostgreSQL does, and passes on what is said within.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from real_servers import HOST, Database

_ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")
"""The message SSLRequest. https://www.postgresql.org/docs/current/protocol-message-formats.html"""


@dataclass
class Front:
    """tls: how many connections spoke it. plain: how many did not."""

    port: int = 0
    tls: int = 0
    plain: int = 0
    silent: set[int] = field(default_factory=set)
    connections: int = 0

    def silence(self) -> None:
        """Passes on nothing more of the connections that there are, and closes none."""
        self.silent |= set(range(self.connections))


@asynccontextmanager
async def tls_front(database: Database, context: ssl.SSLContext) -> AsyncIterator[Front]:
    """A port where the server speaks TLS with the certificate of `context`, or not, as the client asks."""
    front = Front()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        number = front.connections
        front.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(8)
            behind, upstream = await asyncio.open_connection(database.host, database.port)
            if first == _ASKS_FOR_TLS:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(context)
                front.tls += 1
            else:
                front.plain += 1
                upstream.write(first)
            await asyncio.gather(pass_on(number, reader, upstream), pass_on(number, behind, writer))
        writer.close()
        if upstream is not None:
            upstream.close()

    async def pass_on(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if number not in front.silent:
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
