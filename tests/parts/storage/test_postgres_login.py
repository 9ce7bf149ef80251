"""Logging in to a PostgreSQL server, and being cancelled meanwhile."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from parts.providers.storage.postgres.login import Login


async def test_who_is_cancelled_while_it_connects_leaves_nothing_that_nobody_looks_at() -> None:
    """Whatever turn of the loop it is in. Stands for a server that restarts: it takes connections and closes them."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        login = Login(
            instance="sql_default",
            place="storage.sql_default",
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            database="d",
            user="u",
            password=None,
            tls="prefer",
            seconds=5,
        )
        for turns in range(40):
            task = asyncio.create_task(login.connect())
            for _ in range(turns):
                await asyncio.sleep(0)
            if not task.done():
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await asyncio.wait({task})
            assert task.cancelled() or task.exception() is not None
        # What those who were cancelled had begun comes to its end by itself.
        async with asyncio.timeout(10):
            while asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    del task
    gc.collect()
    assert told == []
