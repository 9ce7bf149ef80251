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
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from .context import Context
from .errors import BadRequest
from .http_app import App, Plain, Route
from .http_request import Incoming, check_json, parameters, validate, validate_merged
from .metrics import Accounts
from .provider_data import Format, read_provider_data
from .reply import Answer, Events

__all__ = ["App", "Http"]

R = TypeVar("R", bound=BaseModel)
Typed = Callable[[R, Context], Awaitable[BaseModel | None]]
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
        self,
        path: str,
        model: type[R],
        method: Relay[R],
        *,
        verb: str = "POST",
        query: bool = False,
        provider_data: bool = False,
        public: bool = False,
    ) -> Route:
        """A JSON body in, with GET and DELETE only parameters; the provider's bytes or its stream of events out.

        query: whether there are parameters in the query beside a body.
        """
        if verb in ("GET", "DELETE"):
            return self._bare_relay(verb, path, model, method, provider_data, public)
        read = parameters(model) if query else None

        async def answer(incoming: Incoming) -> Answer[Any] | Events[Any]:
            check_json(incoming.headers)
            if provider_data:
                incoming.ctx.provider_data = read_provider_data(incoming.headers, self._formats)
            body = incoming.ctx.body = await incoming.read_body(self._max_body_bytes)
            if not body or body.isspace():
                raise BadRequest("the request has no body; expected a JSON object", code="invalid_json")
            if incoming.params or read is not None:
                params = {**read(incoming.query), **incoming.params} if read is not None else incoming.params
                return await method(validate_merged(model, params, body), incoming.ctx)
            return await method(validate(model, body), incoming.ctx)

        return Route(verb, path, answer, public, model.model_rebuild)

    def get(
        self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False, public: bool = False
    ) -> Route:
        """Only parameters in, an object out; answers HEAD too."""
        return self._bare("GET", path, model, method, provider_data, public)

    def delete(
        self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False, public: bool = False
    ) -> Route:
        """Only parameters in, an object out, or nothing."""
        return self._bare("DELETE", path, model, method, provider_data, public)

    def post(
        self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False, public: bool = False
    ) -> Route:
        """A JSON body in, beside parameters or none, an object out."""
        return self._bodied("POST", path, model, method, provider_data, public)

    def put(
        self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False, public: bool = False
    ) -> Route:
        """As `post`."""
        return self._bodied("PUT", path, model, method, provider_data, public)

    def patch(
        self, path: str, model: type[R], method: Typed[R], *, provider_data: bool = False, public: bool = False
    ) -> Route:
        """As `post`."""
        return self._bodied("PATCH", path, model, method, provider_data, public)

    def document(self, path: str, content: bytes | Path, *, content_type: bytes = JSON) -> Route:
        """The same bytes for everyone; a file is read here, once."""
        body = content if isinstance(content, bytes) else content.read_bytes()

        async def answer(incoming: Incoming) -> Plain:
            return Plain(body, content_type)

        return Route("GET", path, answer, public=True)

    def metrics(self, path: str) -> Route:
        """The server's accounts, as Prometheus reads them."""

        async def answer(incoming: Incoming) -> Plain:
            content, content_type = self._accounts.exposition()
            return Plain(content, content_type.encode())

        return Route("GET", path, answer, public=True)

    def _bare(self, verb: str, path: str, model: type[R], method: Typed[R], provider_data: bool, public: bool) -> Route:
        read = parameters(model)

        async def answer(incoming: Incoming) -> Answer[BaseModel] | None:
            if provider_data:
                incoming.ctx.provider_data = read_provider_data(incoming.headers, self._formats)
            incoming.listen()
            request = validate_merged(model, {**read(incoming.query), **incoming.params})
            return _said(await method(request, incoming.ctx))

        return Route(verb, path, answer, public)

    def _bare_relay(
        self, verb: str, path: str, model: type[R], method: Relay[R], provider_data: bool, public: bool
    ) -> Route:
        read = parameters(model)

        async def answer(incoming: Incoming) -> Answer[Any] | Events[Any]:
            if provider_data:
                incoming.ctx.provider_data = read_provider_data(incoming.headers, self._formats)
            incoming.listen()
            request = validate_merged(model, {**read(incoming.query), **incoming.params})
            return await method(request, incoming.ctx)

        return Route(verb, path, answer, public)

    def _bodied(
        self, verb: str, path: str, model: type[R], method: Typed[R], provider_data: bool, public: bool
    ) -> Route:
        read = parameters(model)

        async def answer(incoming: Incoming) -> Answer[BaseModel] | None:
            if provider_data:
                incoming.ctx.provider_data = read_provider_data(incoming.headers, self._formats)
            body = incoming.ctx.body = await incoming.read_body(self._max_body_bytes)
            if body:
                check_json(incoming.headers)
            request = validate_merged(model, {**read(incoming.query), **incoming.params}, body or b"{}")
            return _said(await method(request, incoming.ctx))

        return Route(verb, path, answer, public)


def _said(value: BaseModel | None) -> Answer[BaseModel] | None:
    return None if value is None else Answer.of(value)
