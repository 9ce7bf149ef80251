"""A Weaviate server: its REST API for what is written, GraphQL for what is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....runtime.errors import StackError, UpstreamError
from ....runtime.relay import read_json
from ....runtime.upstream import Call
from ....runtime.upstream_errors import mask
from ..services import gone, told
from .where import graphql

if TYPE_CHECKING:
    from ....runtime.secret import Secret
    from ....runtime.upstream import Upstream
    from .where import Where

Found = Mapping[str, object]

_THERE_OR_NOT = frozenset({404})
_AGAIN = frozenset({422})


class Server:
    """key: an API key, None where the server asks for none."""

    def __init__(self, upstream: Upstream, key: Secret | None) -> None:
        self._upstream = upstream
        self._secrets = () if key is None else (key,)
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key.reveal()}"

    async def has(self, store: str) -> bool:
        status, _ = await self._ask("GET", f"v1/schema/{class_of(store)}", expected=_THERE_OR_NOT)
        return status != 404

    async def create(self, store: str, description: Mapping[str, object]) -> None:
        described = {"class": class_of(store), **description}
        status, answer = await self._ask("POST", "v1/schema", described, expected=_AGAIN)
        # 422 is also what it says where another process was quicker.
        if status == 422 and not await self.has(store):
            raise UpstreamError(f"{self._upstream.host}: {self._reason(answer)}")

    async def drop(self, store: str) -> None:
        if await self.has(store):
            await self._ask("DELETE", f"v1/schema/{class_of(store)}")

    async def put(self, store: str, objects: Sequence[Mapping[str, object]]) -> None:
        """Each is there under its id, or one has failed and this raises."""
        named = [{"class": class_of(store), **each} for each in objects]
        _, answer = await self._ask("POST", "v1/batch/objects", {"objects": named})
        results = [each.get("result") for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []
        if len(results) != len(objects):
            raise self._strange()
        for result in results:
            errors = result.get("errors") if isinstance(result, dict) else None
            if errors or not isinstance(result, dict) or result.get("status") not in (None, "SUCCESS"):
                raise UpstreamError(f"{self._upstream.host}: {self._reason(errors)}")

    async def remove(self, store: str, where: Where) -> None:
        body = {"match": {"class": class_of(store), "where": where}, "output": "minimal"}
        while True:
            _, answer = await self._ask("DELETE", "v1/batch/objects", body)
            results = answer.get("results") if isinstance(answer, dict) else None
            if not isinstance(results, dict):
                raise self._strange()
            matches, done, failed = (results.get(key, 0) for key in ("matches", "successful", "failed"))
            if failed or not isinstance(matches, int) or not isinstance(done, int):
                raise UpstreamError(f"{self._upstream.host}: {failed} objects could not be removed")
            # It removes so many at a time and no more.
            if not done or done >= matches:
                return

    async def get(self, store: str, asked: Mapping[str, object], fields: str) -> list[Found]:
        """The objects that GraphQL's `Get` finds. asked: its arguments. Raises NotFound where there is no store."""
        name = class_of(store)
        arguments = ", ".join(f"{key}: {graphql(value)}" for key, value in asked.items())
        query = {"query": f"{{ Get {{ {name}({arguments}) {{ {fields} }} }} }}"}
        status, answer = await self._ask("POST", "v1/graphql", query, expected=_AGAIN)
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if status == 422 or errors:
            # What is wrong is said in words alone, with the status 200: a class that is gone is a field it has not.
            if not await self.has(store):
                raise gone(store)
            raise UpstreamError(f"{self._upstream.host}: {self._reason(errors or answer)}")
        try:
            found = answer["data"]["Get"][name]  # type: ignore[index]
        except (KeyError, TypeError):
            raise self._strange() from None
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._strange()
        return found

    async def check(self) -> None:
        await self._ask("GET", "v1/meta")

    def strange(self) -> UpstreamError:
        return self._strange()

    async def _ask(
        self, method: str, path: str, body: object = None, *, expected: frozenset[int] = frozenset()
    ) -> tuple[int, object]:
        """Status, and the JSON of the body; None for an empty one."""
        data = None if body is None else to_json(body)
        call = Call(method, path, data, self._headers, secrets=self._secrets, expected=expected)
        host = self._upstream.host
        try:
            reply = await self._upstream.open(call)
            try:
                text = await reply.read()
            finally:
                reply.close()
            return reply.status, read_json(host, text) if text.strip() else None
        except StackError as error:
            raise told(error, host, None) from None

    def _reason(self, said: object) -> str:
        """The first message in an answer, wherever it stands."""
        message = _message(said) or "it refuses without a reason"
        return mask(message, self._secrets)[:1000]

    def _strange(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is no answer of Weaviate"
        return UpstreamError(message, code="upstream_invalid_answer")


def class_of(store: str) -> str:
    """Classes begin with a capital letter."""
    return f"Stackgen_{store}"


def _message(said: object) -> str | None:
    if isinstance(said, list):
        return next((found for each in said if (found := _message(each))), None)
    if isinstance(said, dict):
        message = said.get("message")
        return message if isinstance(message, str) else _message(said.get("error"))
    return None
