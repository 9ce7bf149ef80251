"""What every provider of the Files API does.

    class TestAcmeFiles(FilesSuite[AcmeFiles]):
        def opens(self):
            return open_acme_files(AcmeFilesConfig(…), metadata_store=…)

A provider may hold files from before: the suites look at their own only. It takes files of 2 MiB at least.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from dataclasses import replace
from typing import get_args

from ...contracts.files.requests import (
    CreateFileRequest,
    DeleteFileRequest,
    DownloadFileRequest,
    FilePurpose,
    RetrieveFileRequest,
)
from ...runtime.upload import PIECE, Upload
from ..suite import Suite, refused
from .asking import F, brought, caller, content_of, every_page, listed, uploaded

OUTPUTS = ("assistants_output", "batch_output", "fine-tune-results")
"""Purposes of what a server makes."""

STRANGE = (
    "file-none",
    "../../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a\x00b",
    "' OR '1'='1",
    "'; DROP TABLE files; --",
    "%",
    "_" * 48,
    "x" * 5000,
    "ünïcode 📄",
    "{file_id}",
)
"""Ids that no file has."""


class FilesContentSuite(Suite[F]):
    """What comes in goes out."""

    def test_what_is_uploaded_is_described_and_given_back(self) -> None:
        async def test(provider: F) -> None:
            for content in (b"", b"\x00", b"one line\r\n", os.urandom(2 * PIECE - 1)):
                file = await uploaded(provider, content, "data.bin")
                assert file.object == "file", "a file says that it is one"
                assert (file.bytes, file.filename, file.purpose) == (len(content), "data.bin", "assistants")
                assert await provider.retrieve_file(RetrieveFileRequest(file_id=file.id), caller()) == file
                assert await content_of(provider, file.id) == content, "what goes out is what came in"

        self.run(test)

    def test_a_download_says_what_it_is(self) -> None:
        async def test(provider: F) -> None:
            file = await uploaded(provider, b"12345", "naïve 文件 📄.txt")
            assert file.filename == "naïve 文件 📄.txt", "a name is any text"
            download = await provider.download_file(DownloadFileRequest(file_id=file.id), caller())
            assert (download.size, download.filename) == (5, "naïve 文件 📄.txt"), "size and name are told"
            assert [piece async for piece in download], "what it holds comes in pieces"
            await download.aclose()

        self.run(test)

    def test_a_download_may_be_left(self) -> None:
        async def test(provider: F) -> None:
            file = await uploaded(provider, b"x" * PIECE)
            download = await provider.download_file(DownloadFileRequest(file_id=file.id), caller())
            async for piece in download:
                assert piece
                break
            await download.aclose()
            assert len(await content_of(provider, file.id)) == PIECE, "the next one is whole again"

        self.run(test)

    def test_every_purpose_is_taken(self) -> None:
        async def test(provider: F) -> None:
            for purpose in set(get_args(FilePurpose)) - set(OUTPUTS):
                assert (await uploaded(provider, b"{}", "a.jsonl", purpose=purpose)).purpose == purpose

        self.run(test)

    def test_what_the_server_makes_is_no_client_s_to_upload(self) -> None:
        async def test(provider: F) -> None:
            for purpose in OUTPUTS:
                error = await refused(uploaded(provider, b"{}", "a.jsonl", purpose=purpose))
                assert (error.status, error.param) == (400, "purpose"), f"{purpose} is not for clients"
            async with brought(provider, b"{}", "a.jsonl") as upload:
                ours = replace(upload, by_server=True)
                file = await provider.create_file(CreateFileRequest(file=ours, purpose="batch_output"), caller())
            assert file.purpose == "batch_output", "the server's own files are taken"
            assert await content_of(provider, file.id) == b"{}"

        self.run(test)

    def test_a_part_of_a_download_is_that_part(self) -> None:
        async def test(provider: F) -> None:
            content = os.urandom(PIECE + 1000)
            file = await uploaded(provider, content)
            download = await provider.download_file(DownloadFileRequest(file_id=file.id), caller())
            await download.aclose()
            if download.part is None:
                return
            for start, stop in ((0, 1), (0, len(content)), (7, PIECE), (PIECE - 1, PIECE + 1), (PIECE, len(content))):
                async with aclosing(download.part(start, stop)) as pieces:
                    found = b"".join([piece async for piece in pieces])
                assert found == content[start:stop], "a part begins and ends where it is said to"

        self.run(test)

    def test_a_file_expires_when_it_is_told_to(self) -> None:
        async def test(provider: F) -> None:
            file = await uploaded(provider, b"x", expires_after={"anchor": "created_at", "seconds": 3600})
            assert file.expires_at == file.created_at + 3600, "the time it has is counted from its making"

        self.run(test)

    def test_files_that_come_together_stay_apart(self) -> None:
        async def test(provider: F) -> None:
            contents = [b"%d" % number * 1000 for number in range(8)]
            files = await asyncio.gather(*(uploaded(provider, content) for content in contents))
            assert len({file.id for file in files}) == len(files), "each has an id of its own"
            found = await asyncio.gather(*(content_of(provider, file.id) for file in files))
            assert found == contents, "each has what was sent for it"

        self.run(test)

    def test_a_deleted_file_is_gone(self) -> None:
        async def test(provider: F) -> None:
            file, kept = await uploaded(provider, b"1"), await uploaded(provider, b"2")
            answer = await provider.delete_file(DeleteFileRequest(file_id=file.id), caller())
            assert (answer.id, answer.object, answer.deleted) == (file.id, "file", True)
            ids = await every_page(provider)
            assert file.id not in ids, "it is not listed any more"
            assert kept.id in ids, "others stay"
            for call in (
                provider.retrieve_file(RetrieveFileRequest(file_id=file.id), caller()),
                content_of(provider, file.id),
                provider.delete_file(DeleteFileRequest(file_id=file.id), caller()),
            ):
                assert (await refused(call)).status == 404, "nobody finds it any more"
            assert await content_of(provider, kept.id) == b"2", "others keep what they hold"

        self.run(test)

    def test_it_is_healthy(self) -> None:
        async def test(provider: F) -> None:
            health = await provider.health()
            assert health.status != "Error", f"it serves, and calls itself ill: {health.message}"

        self.run(test)


class FilesListingSuite(Suite[F]):
    """Lists, page by page."""

    def test_pages_have_every_file_once_in_order(self) -> None:
        async def test(provider: F) -> None:
            made = [(await uploaded(provider, b"x", f"{number}.txt")).id for number in range(7)]
            for limit in (1, 2, 7, 10_000):
                newest = [each for each in await every_page(provider, limit=limit) if each in made]
                assert newest == made[::-1], "without an order, the newest comes first"
                oldest = [each for each in await every_page(provider, limit=limit, order="asc") if each in made]
                assert oldest == made, "the other order is the opposite one"

        self.run(test)

    def test_a_purpose_narrows_the_list(self) -> None:
        async def test(provider: F) -> None:
            batch = (await uploaded(provider, b"{}", "a.jsonl", purpose="batch")).id
            other = (await uploaded(provider, b"{}", "a.jsonl", purpose="user_data")).id
            found = await every_page(provider, purpose="batch", limit=1)
            assert batch in found, "files of the purpose are listed"
            assert other not in found, "files of other purposes are not"
            for strange in ("", "nonsense", "' OR '1'='1", "a\x00b"):
                assert await every_page(provider, purpose=strange) == [], "no file has a purpose that there is not"

        self.run(test)

    def test_a_list_does_not_go_on_after_what_is_not_there(self) -> None:
        async def test(provider: F) -> None:
            for strange in STRANGE:
                error = await refused(listed(provider, after=strange))
                assert (error.status, error.param) == (404, "after"), "the cursor is what is not there"

        self.run(test)


class FilesRefusingSuite(Suite[F]):
    """Who is refused, and what."""

    def test_an_id_that_no_file_has(self) -> None:
        async def test(provider: F) -> None:
            for strange in STRANGE:
                for call in (
                    provider.retrieve_file(RetrieveFileRequest(file_id=strange), caller()),
                    content_of(provider, strange),
                    provider.delete_file(DeleteFileRequest(file_id=strange), caller()),
                ):
                    assert (await refused(call)).status == 404, f"{strange!r} is nobody's id"

        self.run(test)

    def test_another_s_file_is_not_there(self) -> None:
        async def test(provider: F) -> None:
            alice, bob = caller("alice"), caller("bob")
            mine = (await uploaded(provider, b"mine", ctx=alice)).id
            shared = (await uploaded(provider, b"all's")).id
            assert mine in await every_page(provider, alice)
            theirs = await every_page(provider, bob)
            assert mine not in theirs, "nobody lists another's files"
            assert shared in theirs, "what nobody owns everybody sees"
            assert (await refused(listed(provider, bob, after=mine))).status == 404, "nor goes on after them"
            for call in (
                provider.retrieve_file(RetrieveFileRequest(file_id=mine), bob),
                content_of(provider, mine, bob),
                provider.delete_file(DeleteFileRequest(file_id=mine), bob),
            ):
                assert (await refused(call)).status == 404, "and whoever asks for one is not told that it is there"
            assert await content_of(provider, mine, alice) == b"mine", "its owner has it still"
            assert await content_of(provider, shared, bob) == b"all's"

        self.run(test)

    def test_a_file_that_is_too_large(self) -> None:
        async def test(provider: F) -> None:
            before = await every_page(provider)
            async with brought(provider, b"", "a") as small:
                large = Upload(file=small.file, size=provider.spool.max_file_bytes + 1, filename="a")
                error = await refused(provider.create_file(CreateFileRequest(file=large, purpose="batch"), caller()))
            assert error.status == 413, "a file over the limit is refused"
            assert await every_page(provider) == before, "and nothing of it is left"

        self.run(test)


class FilesSuite(FilesContentSuite[F], FilesListingSuite[F], FilesRefusingSuite[F]):
    """All of it."""
