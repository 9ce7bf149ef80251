"""One client on one connection, which tells in how many HTTP chunks a stream came."""

from __future__ import annotations

import socket
import time
from typing import Self

from load import Wrong, request

_START_SECONDS = 300.0
_ANSWER_SECONDS = 120.0


class Client:
    """Connected as soon as a server listens on the port, which under valgrind takes its time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = _connect(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def get(self, path: str) -> None:
        self._ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())

    def chat(self, model: str, *, stream: bool) -> int:
        """In how many chunks the answer came; 0: whole."""
        return self._ask(request(self._port, model, stream=stream))

    def _ask(self, sent: bytes) -> int:
        self._socket.sendall(sent)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._receive()
        head, _, body = got.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Wrong(got.decode(errors="replace"))
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        if found:
            length = int(rest.partition(b"\r")[0])
            while len(body) < length:
                body += self._receive()
            return 0
        while not body.endswith(b"0\r\n\r\n"):
            body += self._receive()
        return count_chunks(body)

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise Wrong("the server closed the connection before its answer had ended")
        return data


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise Wrong(f"nothing listened on port {port} within {_START_SECONDS:g} s")


def count_chunks(body: bytes) -> int:
    """Of a whole body in chunked coding, its end not counted."""
    chunks = 0
    while (size := int(body.partition(b"\r\n")[0], 16)) > 0:
        body = body.partition(b"\r\n")[2][size + 2 :]
        chunks += 1
    return chunks
