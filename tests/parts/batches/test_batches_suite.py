"""The contract suite of batches over the provider that there is, with files in a real folder; and providers with one
flaw each, which it finds.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from batch_stand_ins import Upstream, open_batches
from parts.contracts.batches.requests import CancelBatchRequest, RetrieveBatchRequest
from parts.contracts.batches.responses import Batch, BatchRequestCounts
from parts.providers.batches.jobs import finishing, service, validating
from parts.providers.files.localfs import LocalFsConfig, open_localfs
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.context import Context
from parts.testing.batches import BatchesSuite, Bureau
from sqlalchemy import true


@asynccontextmanager
async def bureau() -> AsyncIterator[Bureau]:
    with tempfile.TemporaryDirectory() as folder:
        database = SqlSqliteConfig(db_path=f"{folder}/db")
        async with (
            open_sql_sqlite(database, instance="sql_default") as sql,
            open_localfs(LocalFsConfig(storage_dir=f"{folder}/files"), metadata_store=sql) as files,
            open_batches(sql, files, Upstream(Path(folder) / "calls")) as batches,
        ):
            yield Bureau(batches, files)


class TestReference(BatchesSuite):
    chat_model = "m"

    def opens(self) -> AbstractAsyncContextManager[Bureau]:
        return bureau()


Flaw = Callable[[pytest.MonkeyPatch], None]


def otherwise(target: object, name: str, change: Callable[[Any], Any]) -> Flaw:
    """target.name is made of what it was."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(target, name, change(getattr(target, name)))

    return apply


def shown(change: Callable[[Batch], Batch]) -> Flaw:
    return otherwise(service, "_batch", lambda sound: lambda row: change(sound(row)))


def without_codes(batch: Batch) -> Batch:
    for error in batch.errors.data if batch.errors else ():
        error.code = "wrong"
    return batch


def without_counts(batch: Batch) -> Batch:
    return batch.model_copy(update={"request_counts": BatchRequestCounts(total=0, completed=0, failed=0)})


def shuffled(patch: pytest.MonkeyPatch) -> None:
    async def blocks(lease: Any, kind: Any, state: str) -> AsyncIterator[bytes]:
        whole = b"".join([block async for block in sound(lease, kind, state)])
        if whole:
            yield b"".join(reversed(whole.splitlines(keepends=True)))

    sound = finishing._blocks
    patch.setattr(finishing, "_blocks", blocks)


async def never_cancelled(self: Any, request: CancelBatchRequest, ctx: Context) -> Batch:
    found = await self.retrieve_batch(RetrieveBatchRequest(batch_id=request.batch_id), ctx)
    return found.model_copy(update={"status": "cancelling"})


async def any_file(self: Any, id: str, ctx: Context) -> None:
    return None


FLAWS: dict[str, tuple[Flaw, str]] = {
    "files are in no order": (shuffled, "test_requests_are_answered_in_their_order"),
    "nothing is counted": (shown(without_counts), "test_requests_are_answered_in_their_order"),
    "faults have other codes": (shown(without_codes), "test_a_file_with_a_fault_is_not_run"),
    "an unknown model is not noticed": (
        otherwise(validating._Reading, "_unknown", lambda _: AsyncMock(return_value=None)),
        "test_a_file_with_a_fault_is_not_run",
    ),
    "an empty file is said to be something else": (shown(without_codes), "test_a_file_without_requests_fails"),
    "any file will do": (
        otherwise(service.BatchesService, "_check_file", lambda _: any_file),
        "test_what_cannot_be_a_batch_is_refused",
    ),
    "keys are not looked at": (
        otherwise(service, "_key", lambda _: lambda key, ctx: None),
        "test_a_key_stands_for_one_batch",
    ),
    "keys stand for whatever comes": (
        otherwise(service, "_fingerprint", lambda _: lambda request: "the same"),
        "test_a_key_stands_for_one_batch",
    ),
    "everybody sees everything": (
        otherwise(service, "seen_by", lambda _: lambda column, ctx: true()),
        "test_one_user_asking_for_anothers_batch",
    ),
    "a page never ends the list": (
        otherwise(
            service.BatchesService,
            "list_batches",
            lambda sound: lambda self, request, ctx: sound(self, request.model_copy(update={"after": None}), ctx),
        ),
        "test_batches_are_listed_page_by_page",
    ),
    "cancelling is said and not done": (
        otherwise(service.BatchesService, "cancel_batch", lambda _: never_cancelled),
        "test_a_batch_can_be_cancelled",
    ),
}


@pytest.mark.parametrize(("flaw", "finds"), FLAWS.values(), ids=FLAWS)
def test_the_suite_finds(flaw: Flaw, finds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flaw(monkeypatch)
    with pytest.raises(AssertionError):
        getattr(TestReference(), finds)()
