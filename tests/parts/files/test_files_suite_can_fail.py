"""A contract suite is worth what it finds: each way to break the contract fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parts.providers.files.keeping import KeptFiles
from parts.runtime.context import Context
from parts.runtime.errors import NotFound, StackError
from parts.runtime.wiring import Health
from parts.testing.files import FilesSuite
from places import local

Flaw = Callable[[KeptFiles, pytest.MonkeyPatch], None]


class Suite(FilesSuite[KeptFiles]):
    def __init__(self, folder: Path, flaw: Flaw, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.flaw, self.patch = folder, flaw, patch

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[KeptFiles]:
        async with local(self.folder) as files:
            self.flaw(files, self.patch)
            yield files


def answers(method: str, change: Callable[[Any, Any], Any]) -> Flaw:
    """What a method answers, changed. change: takes the request and the answer."""

    def flaw(files: KeptFiles, patch: pytest.MonkeyPatch) -> None:
        sound = getattr(files, method)

        async def flawed(request: Any, ctx: Context) -> Any:
            return change(request, await sound(request, ctx))

        patch.setattr(files, method, flawed)

    return flaw


def asks(method: str, change: Callable[[Any, Context], tuple[Any, Context]]) -> Flaw:
    """What a method is asked for, changed."""

    def flaw(files: KeptFiles, patch: pytest.MonkeyPatch) -> None:
        sound = getattr(files, method)

        async def flawed(request: Any, ctx: Context) -> Any:
            return await sound(*change(request, ctx))

        patch.setattr(files, method, flawed)

    return flaw


def said(**more: object) -> Callable[[Any, Any], Any]:
    return lambda request, answer: answer.model_copy(update=more)


def without(name: str) -> Callable[[Any, Any], Any]:
    return lambda request, answer: replace(answer, **{name: type(getattr(answer, name))()})


def loses_bytes(request: Any, answer: Any) -> Any:
    async def cut() -> Any:
        try:
            async for piece in answer.pieces:
                yield piece[:-1] or piece
        finally:
            await answer.aclose()

    return replace(answer, pieces=cut())


def begins_late(request: Any, answer: Any) -> Any:
    return replace(answer, part=lambda start, stop: answer.part(start + 1, stop))


def as_if_ours(request: Any, ctx: Context) -> tuple[Any, Context]:
    return request.model_copy(update={"file": replace(request.file, by_server=True)}), ctx


def anyone(request: Any, ctx: Context) -> tuple[Any, Context]:
    return request, replace(ctx, principal=None)


def deletes_nothing(files: KeptFiles, patch: pytest.MonkeyPatch) -> None:
    from parts.contracts.files.responses import DeleteFileResponse

    async def flawed(request: Any, ctx: Context) -> Any:
        return DeleteFileResponse(id=request.file_id, object="file", deleted=True)

    patch.setattr(files, "delete_file", flawed)


def crashes_on_strange_ids(files: KeptFiles, patch: pytest.MonkeyPatch) -> None:
    sound = files.retrieve_file

    async def flawed(request: Any, ctx: Context) -> Any:
        try:
            return await sound(request, ctx)
        except NotFound:
            raise StackError("a database error") from None

    patch.setattr(files, "retrieve_file", flawed)


def takes_any_size(files: KeptFiles, patch: pytest.MonkeyPatch) -> None:
    sound = files.create_file

    async def flawed(request: Any, ctx: Context) -> Any:
        fits = replace(request.file, size=min(request.file.size, files.spool.max_file_bytes))
        return await sound(request.model_copy(update={"file": fits}), ctx)

    patch.setattr(files, "create_file", flawed)


def is_ill(files: KeptFiles, patch: pytest.MonkeyPatch) -> None:
    async def health() -> Health:
        return Health("Error", "ill")

    patch.setattr(files, "health", health)


def ignores(name: str, value: object) -> Callable[[Any, Context], tuple[Any, Context]]:
    return lambda request, ctx: (request.model_copy(update={name: value}), ctx)


FLAWS: list[tuple[str, Flaw]] = [
    ("test_what_is_uploaded_is_described_and_given_back", answers("create_file", said(bytes=1))),
    ("test_what_is_uploaded_is_described_and_given_back", answers("retrieve_file", said(filename="x"))),
    ("test_what_is_uploaded_is_described_and_given_back", answers("download_file", loses_bytes)),
    ("test_a_download_says_what_it_is", answers("download_file", without("filename"))),
    ("test_a_download_says_what_it_is", answers("create_file", said(filename="na_ve"))),
    ("test_a_download_may_be_left", answers("download_file", loses_bytes)),
    ("test_every_purpose_is_taken", answers("create_file", said(purpose="batch"))),
    ("test_what_the_server_makes_is_no_client_s_to_upload", asks("create_file", as_if_ours)),
    ("test_a_part_of_a_download_is_that_part", answers("download_file", begins_late)),
    ("test_a_file_expires_when_it_is_told_to", asks("create_file", ignores("expires_after", None))),
    ("test_files_that_come_together_stay_apart", answers("create_file", said(id="file-one"))),
    ("test_a_deleted_file_is_gone", deletes_nothing),
    ("test_it_is_healthy", is_ill),
    ("test_pages_have_every_file_once_in_order", asks("list_files", ignores("order", "desc"))),
    ("test_pages_have_every_file_once_in_order", answers("list_files", said(has_more=False))),
    ("test_pages_have_every_file_once_in_order", answers("list_files", said(last_id="file-x"))),
    ("test_pages_have_every_file_once_in_order", asks("list_files", ignores("limit", 10_000))),
    ("test_a_purpose_narrows_the_list", asks("list_files", ignores("purpose", None))),
    ("test_a_list_does_not_go_on_after_what_is_not_there", asks("list_files", ignores("after", None))),
    ("test_an_id_that_no_file_has", crashes_on_strange_ids),
    ("test_another_s_file_is_not_there", asks("list_files", anyone)),
    ("test_another_s_file_is_not_there", asks("download_file", anyone)),
    ("test_another_s_file_is_not_there", asks("delete_file", anyone)),
    ("test_another_s_file_is_not_there", asks("create_file", anyone)),
    ("test_a_file_that_is_too_large", takes_any_size),
]


@pytest.mark.parametrize(("test", "flaw"), FLAWS)
def test_a_flaw_is_found(test: str, flaw: Flaw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite: Any = Suite(tmp_path, flaw, monkeypatch)
    with pytest.raises((AssertionError, StackError)):
        getattr(suite, test)()


def test_each_claim_has_a_flaw_that_breaks_it() -> None:
    claims = {name for name in dir(FilesSuite) if name.startswith("test_")}
    assert claims == {test for test, _ in FLAWS}
