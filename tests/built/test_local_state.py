"""What `local` keeps: all of it below SQLITE_STORE_DIR, and there after a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openai import OpenAI

from .conftest import Built
from .servers import Running

pytestmark = pytest.mark.slow


def client(server: Running) -> OpenAI:
    return OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def test_all_of_it_lies_in_one_folder_and_survives_a_crash(build: Callable[[str], Built], tmp_path: Path) -> None:
    home, state = tmp_path / "home", tmp_path / "state"
    home.mkdir()
    environ = {"HOME": str(home), "SQLITE_STORE_DIR": str(state), "FILES_STORAGE_DIR": "/nowhere"}
    with build("local").serve(environ) as server, client(server) as sdk:
        conversation = sdk.conversations.create(metadata={"topic": "cheese"})
        file = sdk.files.create(file=("a.txt", b"Gouda"), purpose="user_data")
        server.process.kill()
        server.process.wait()
    assert list(home.iterdir()) == []
    assert {"files", "kvstore.db", "sql_store.db"} <= {path.name for path in state.iterdir()}
    with build("local").serve(environ) as server, client(server) as sdk:
        assert sdk.conversations.retrieve(conversation.id).metadata == {"topic": "cheese"}
        assert sdk.files.content(file.id).read() == b"Gouda"
