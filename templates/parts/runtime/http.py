"""The HTTP side of a generated server: routes, each bound to the contract method that answers it.

    async def serve(settings: Settings, process: Process) -> None:
        async with open_stack(settings) as stack:
            http = Http(process.accounts, max_body_bytes=settings.server.max_body_bytes, provider_data=PROVIDER_DATA)
            await process.serve(create_app(stack, http))

    def create_app(stack: Stack, http: Http) -> App:
        return http.app(
            [
                http.relay("/v1/chat/completions", CreateChatCompletionRequest, stack.inference.create_chat_completion),
                http.get("/v1/models/{model:path}", RetrieveModelRequest, stack.models.retrieve_model),
                http.document("/openapi.json", OPENAPI),
                http.metrics("/metrics"),
            ]
        )

Pure ASGI: a route knows its model and its method from the start, so that a request costs one look-up, one validation
straight from bytes, and the method. `{name}` in a path takes a segment, `{name:path}` the rest of it, slashes included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from .context import Context
from .http_app import App, Plain, Route
from .http_request import Incoming, check_json, parameters, validate, validate_merged
from .metrics import Accounts
from .provider_data import Format, read_provider_data
from .reply import Answer, Events

R = TypeVar("R", bound=BaseModel)
Typed = Callable[[R, Context], Awaitable[BaseModel]]
Relay = Callable[[R, Context], Awaitable[Answer[Any] | Events[Any]]]

JSON = b"application/json"


class Http:
    """Builds the routes of one server.

    accounts: where every request is counted. max_body_bytes: the largest body that is read. provider_data: the names
    that clients may send in the provider-data header, and what each must look like.
    """

    def __init__(
        self, accounts: Accounts, *, max_body_bytes: int, provider_data: Mapping[str, Format] | None = None
    ) -> None:
        self._accounts = accounts
        self._max_body_bytes = max_body_bytes
        self._formats = dict(provider_data or {})

    def app(self, routes: Iterable[Route]) -> App:
        """The ASGI application of these routes; the first that matches a path and verb answers."""
        return App(tuple(routes), self._accounts)

    def relay(
        self, path: str, model: type[R], method: Relay[R], *, verb: str = "POST", provider_data: bool = False
    ) -> Route:
        """A JSON body in, the provider's bytes or its stream of events out."""

        async def answer(incoming: Incoming) -> Answer[Any] | Events[Any]:
            request = await self._request(incoming, model, provider_data)
            return await method(request, incoming.ctx)

        return Route(verb, path, answer)

    def body(
        self, path: str, model: type[R], method: Typed[R], *, verb: str = "POST", provider_data: bool = False
    ) -> Route:
        """A JSON body in, with the path's and query's parameters beside its own; an object out."""

        async def answer(incoming: Incoming) -> Answer[BaseModel]:
            request = await self._request(incoming, model, provider_data)
            return Answer.of(await method(request, incoming.ctx))

        return Route(verb, path, answer)

    def get(self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False) -> Route:
        """Only parameters in, an object out; answers HEAD too."""
        return self._bare("GET", path, model, method, provider_data)

    def delete(self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False) -> Route:
        """Only parameters in, an object out."""
        return self._bare("DELETE", path, model, method, provider_data)

    def document(self, path: str, content: bytes, *, content_type: bytes = JSON) -> Route:
        """The same bytes for everyone."""

        async def answer(incoming: Incoming) -> Plain:
            return Plain(content, content_type)

        return Route("GET", path, answer)

    def metrics(self, path: str) -> Route:
        """The server's accounts, as Prometheus reads them."""

        async def answer(incoming: Incoming) -> Plain:
            content, content_type = self._accounts.exposition()
            return Plain(content, content_type.encode())

        return Route("GET", path, answer)

    def _bare(self, verb: str, path: str, model: type[R], method: Typed[R], provider_data: bool) -> Route:
        read = parameters(model)

        async def answer(incoming: Incoming) -> Answer[BaseModel]:
            if provider_data:
                incoming.ctx.provider_data = read_provider_data(incoming.headers, self._formats)
            request = validate_merged(model, {**read(incoming.query), **incoming.params})
            return Answer.of(await method(request, incoming.ctx))

        return Route(verb, path, answer)

    async def _request(self, incoming: Incoming, model: type[R], provider_data: bool) -> R:
        check_json(incoming.headers)
        if provider_data:
            incoming.ctx.provider_data = read_provider_data(incoming.headers, self._formats)
        body = incoming.ctx.body = await incoming.read_body(self._max_body_bytes)
        if incoming.params:
            return validate_merged(model, incoming.params, body)
        return validate(model, body)
