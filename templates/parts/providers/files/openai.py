"""Files at OpenAI, or at a service with the same Files API: they keep the bytes, and the ids are theirs.

There an upload is named after its row here, `file-…-name.jsonl`, since its id is known only once it has been answered:
what a crash leaves between the two is found by that name, and removed.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import from_json

from ...runtime.errors import Forbidden, NotFound, StackError, Unauthenticated, Unavailable, UpstreamError
from ...runtime.upload import Spool
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .settings import FilesConfig

if TYPE_CHECKING:
    from ...contracts.files.requests import CreateFileRequest
    from ...runtime.secret import Secret
    from ...runtime.sql import Sql
    from .keeping import KeptFiles, Placed

HEALTH_SECONDS = 3.0
_PAGE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIFilesConfig(FilesConfig):
    """base_url: what `/files` is appended to. api_key: whose files they are there."""

    base_url: str
    api_key: Secret
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_openai_files(config: OpenAIFilesConfig, *, metadata_store: Sql) -> AsyncIterator[KeptFiles]:
    """Raises SettingsError for a network that cannot be."""
    from .keeping import keeping

    spool = Spool(folder=Path(tempfile.gettempdir()), max_file_bytes=config.max_file_bytes)
    async with open_upstream(config.base_url, config.network) as upstream:
        blobs = OpenAIBlobs(upstream, config.api_key)
        place = f"openai/{upstream.host}"
        async with keeping(metadata_store, blobs, config, place=place, spool=spool) as files:
            yield files


class OpenAIBlobs:
    """The service's files (`keeping.Blobs`)."""

    part = None
    """Whether the service gives parts is not written anywhere."""

    def __init__(self, upstream: Upstream, key: Secret) -> None:
        self._upstream = upstream
        self._key = key

    async def put(self, id: str, request: CreateFileRequest) -> Placed:
        from .keeping import Placed
        from .rows import SECOND

        head, tail, kind = _form(id, request)

        async def body() -> AsyncIterator[bytes]:
            yield head
            async for piece in request.file.pieces():
                yield piece
            yield tail

        length = len(head) + request.file.size + len(tail)
        headers = {**self._authorized, "Content-Type": kind, "Content-Length": str(length)}
        # Not tried again: a file that has arrived, though nobody heard so, would be there twice.
        said = await self._fetch(Call("POST", "files", body, headers, secrets=(self._key,), retries=0))
        found, expires = said.get("id"), said.get("expires_at")
        if not isinstance(found, str) or not found:
            raise self._nonsense()
        return Placed(found, expires * SECOND if isinstance(expires, int) and expires else None)

    async def get(self, id: str) -> AsyncGenerator[bytes, None]:
        call = Call("GET", f"files/{id}/content", headers=self._authorized, secrets=(self._key,))
        try:
            reply = await self._upstream.open(call)
        except StackError as error:
            raise self._ours(error) from None
        try:
            while piece := await reply.chunk():
                yield piece
        finally:
            reply.close()

    async def delete(self, id: str) -> None:
        try:
            await self._delete(id)
        except NotFound:
            async for each in self._left_by(id):
                await self._delete(each)

    async def health(self) -> Health:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._list({"limit": "1"}, retries=0)
        except TimeoutError:
            return Health("Error", f"{self._upstream.host} did not answer within {HEALTH_SECONDS:g} s")
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    @property
    def _authorized(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._key.reveal()}"}

    async def _delete(self, id: str) -> None:
        await self._fetch(Call("DELETE", f"files/{id}", headers=self._authorized, secrets=(self._key,)))

    async def _left_by(self, id: str) -> AsyncIterator[str]:
        """The ids of files there that were sent for a row here, and of which it was never told."""
        query = {"limit": str(_PAGE), "order": "desc"}
        while True:
            page = await self._list(query)
            files = [each for each in page if isinstance(each.get("id"), str)]
            for each in files:
                if str(each.get("filename")).startswith(f"{id}-"):
                    yield str(each["id"])
            if len(files) < _PAGE:
                return
            query["after"] = str(files[-1]["id"])

    async def _list(self, query: Mapping[str, str], retries: int | None = None) -> list[dict[str, object]]:
        call = Call("GET", "files", None, self._authorized, query, (self._key,), retries)
        data = (await self._fetch(call)).get("data")
        if not isinstance(data, list):
            raise self._nonsense()
        return [each for each in data if isinstance(each, dict)]

    async def _fetch(self, call: Call) -> dict[str, object]:
        """The object that is answered. Raises StackError."""
        try:
            said = from_json(await self._upstream.fetch(call))
        except StackError as error:
            raise self._ours(error) from None
        except ValueError:
            raise self._nonsense() from None
        if not isinstance(said, dict):
            raise self._nonsense()
        return said

    def _ours(self, error: StackError) -> StackError:
        """A refusal of the key is no doing of the client's, who has sent none."""
        if isinstance(error, Unauthenticated | Forbidden):
            return Unavailable(f"{self._upstream.host} refuses the server's key", code="storage_unavailable")
        return error

    def _nonsense(self) -> UpstreamError:
        host = self._upstream.host
        return UpstreamError(f"{host} answered what is no answer of a Files API", code="upstream_invalid_answer")


def _form(id: str, request: CreateFileRequest) -> tuple[bytes, bytes, str]:
    """What stands before and after the file's bytes, and the content type."""
    boundary = secrets.token_hex(16)
    # There too the service alone makes outputs; of what clients may send, it gives back what is for batches.
    purpose = "batch" if request.purpose == "batch_output" else request.purpose
    fields: dict[str, str] = {"purpose": purpose}
    if request.expires_after is not None:
        fields["expires_after[anchor]"] = request.expires_after.anchor
        fields["expires_after[seconds]"] = str(request.expires_after.seconds)
    texts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    filename = f"{id}-{request.file.filename}".replace("\\", "\\\\").replace('"', "%22")
    texts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    tail = f"\r\n--{boundary}--\r\n"
    return "".join(texts).encode("utf-8", "replace"), tail.encode(), f"multipart/form-data; boundary={boundary}"
