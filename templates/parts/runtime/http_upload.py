"""Routes that take files: a form (`multipart/form-data`) whose files are on disk before anybody is called.

    upload("/v1/files", CreateFileRequest, stack.files.create_file, stack.files.spool)

Nothing of a file is held in memory but the piece that is being written; a client that stops, leaves or sends too much
leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import TypeVar, get_args

from pydantic import BaseModel

from .context import Context
from .errors import StackError
from .http_app import Route
from .http_form import Form, boundary_of
from .http_request import Incoming, parameters, too_large, validate_merged
from .provider_data import Format, read_provider_data
from .reply import Answer
from .upload import Spool, Upload

R = TypeVar("R", bound=BaseModel)

FORM_BYTES = 1024 * 1024
"""What a form may hold beside its file: the other fields, headers, boundaries."""


def upload(
    path: str,
    model: type[R],
    method: Callable[[R, Context], Awaitable[BaseModel]],
    spool: Spool,
    *,
    verb: str = "POST",
    provider_data: Mapping[str, Format] | None = None,
    public: bool = False,
) -> Route:
    """A form in, beside parameters or none, an object out. provider_data: as for `download`."""
    read = parameters(model)
    files = frozenset(field.alias or name for name, field in model.model_fields.items() if _is_file(field.annotation))

    async def answer(incoming: Incoming) -> Answer[BaseModel]:
        if provider_data is not None:
            incoming.ctx.provider_data = read_provider_data(incoming.headers, provider_data)
        with ExitStack() as open_files:
            form = Form(boundary_of(incoming.headers), spool, files, open_files)
            await _receive(incoming, form, spool.max_file_bytes + FORM_BYTES)
            content = {**form.content(), **read(incoming.query), **incoming.params}
            request = validate_merged(model, content)
            return Answer.of(await method(request, incoming.ctx))

    return Route(verb, path, answer, public)


def _is_file(annotation: object) -> bool:
    return annotation is Upload or Upload in get_args(annotation)


async def _receive(incoming: Incoming, form: Form, limit: int) -> None:
    """The whole form. Raises StackError, ClientLeft; cancelled where the client is silent for too long."""
    declared = incoming.headers.get(b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    left, more = limit, True
    try:
        while more:
            piece, more = await incoming.piece()
            left -= len(piece)
            if left < 0:
                raise too_large(limit)
            await form.feed(piece)
            incoming.hear()
        await form.finish()
    except StackError:
        # A client that is still sending would lose the answer with its connection: it is heard out, up to the limit.
        while more and left >= 0:
            piece, more = await incoming.piece()
            left -= len(piece)
            incoming.hear()
        raise
    incoming.listen()
