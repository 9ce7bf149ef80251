"""What is kept of a prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parts.contracts.prompts.requests import CreatePromptRequest
from parts.providers.prompts.builtin import open_prompts
from parts.providers.prompts.document import LARGEST
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest
from parts.testing.prompts.asking import Asking


async def test_who_made_it_is_kept_with_it(tmp_path: Path) -> None:
    ctx = Context(request_id="test", principal="ann", attributes={"teams": ("red", "blue")})
    async with (
        open_kv_sqlite(KvSqliteConfig(db_path=str(tmp_path / "kv.db")), instance="kv_default") as kv,
        open_prompts(store=kv) as provider,
    ):
        made = await provider.create_prompt(CreatePromptRequest(prompt="text"), ctx)
        kept = json.loads(await kv.namespace("prompts").get(made.prompt_id) or b"")
    assert (kept["owner"], json.loads(kept["attributes"])) == ("ann", {"teams": ["red", "blue"]})


async def test_a_prompt_grows_until_it_is_too_large(tmp_path: Path) -> None:
    text = "x" * (LARGEST // 4)
    async with (
        open_kv_sqlite(KvSqliteConfig(db_path=str(tmp_path / "kv.db")), instance="kv_default") as kv,
        open_prompts(store=kv) as provider,
    ):
        ask = Asking(provider)
        prompt_id = (await ask.create(text)).prompt_id
        await ask.update(prompt_id, 1, text)
        await ask.update(prompt_id, 2, text)
        with pytest.raises(BadRequest, match="with its 4 versions"):
            await ask.update(prompt_id, 3, text)
        assert (await ask.retrieve(prompt_id)).version == 3
        assert (await ask.update(prompt_id, 3, "short")).version == 4
