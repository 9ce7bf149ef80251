"""What a response answers: its own items, what came before them, and what the model is told first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ...contracts.conversations.requests import CreateConversationItemsRequest, ListConversationItemsRequest
from ...contracts.prompts.requests import RetrievePromptRequest
from ...runtime.errors import BadRequest, NotFound
from ..conversations.items import kept
from ..prompts.text import filled

if TYPE_CHECKING:
    from ...contracts.conversations import Conversations
    from ...contracts.prompts import Prompts
    from ...contracts.shared.items import ItemInclude
    from ...runtime.context import Context
    from .asked import Asked
    from .store import ResponseStore

Item = dict[str, Any]
"""JSON."""

_PAGE = 100
_AT_ONCE = 20
_ALL: list[ItemInclude] = [
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]


@dataclass(frozen=True, slots=True)
class History:
    """before: the items that came before. own: those of the request, with ids. tools: of the response before, where it
    goes on from one.
    """

    before: Sequence[Item]
    own: Sequence[Item]
    tools: Sequence[Item] | None = field(default=None)


async def history(
    asked: Asked,
    ids: Callable[[str], str],
    store: ResponseStore,
    conversations: Conversations | None,
    ctx: Context,
) -> History:
    """Raises NotFound for what is named and not there, BadRequest."""
    before: list[Item] = []
    tools: Sequence[Item] | None = None
    if (previous := asked.said.get("previous_response_id")) is not None:
        chain = await store.chain(previous, ctx)
        before = [item for each in chain for item in each.items]
        tools = chain[-1].response["tools"]
    elif asked.conversation is not None:
        before = await _conversation(asked.conversation, conversations, ctx)
    own = await _own(asked.input, before, ids, store, ctx)
    return History(before, own, tools)


async def _own(
    said: list[Item], before: Sequence[Item], ids: Callable[[str], str], store: ResponseStore, ctx: Context
) -> list[Item]:
    """The request's items, with those that it refers to in their places."""
    wanted = [each["id"] for each in said if _is_reference(each)]
    known = {each["id"]: each for each in before}
    known |= await store.items([each for each in wanted if each not in known], ctx)
    own: list[Item] = []
    for place, item in enumerate(said):
        if not _is_reference(item):
            own.append(kept(item, place, at="input", name=ids))
        elif (found := known.get(item["id"])) is None:
            where = f"input.{place}.id"
            raise NotFound(f"{where}: there is no item {item['id'][:100]!r}", code="item_not_found", param=where)
        # What came before is read where it stands.
        elif all(found is not each for each in before):
            own.append(found)
    return own


def _is_reference(item: Item) -> bool:
    return item.get("type") == "item_reference" or ("role" not in item and item.get("type") is None)


async def _conversation(conversation: str, conversations: Conversations | None, ctx: Context) -> list[Item]:
    """All items of a conversation, the oldest first."""
    items: list[Item] = []
    after: str | None = None
    while True:
        request = ListConversationItemsRequest(
            conversation_id=conversation, limit=_PAGE, order="asc", after=after, include=_ALL
        )
        page = from_json((await _there(conversations).list_conversation_items(request, ctx)).body)
        items += page["data"]
        if not page["has_more"]:
            return items
        after = page["last_id"]


async def add_to_conversation(
    conversation: str, items: Sequence[Item], conversations: Conversations | None, ctx: Context
) -> None:
    """Adds what was said. items: none of which is in it."""
    for start in range(0, len(items), _AT_ONCE):
        request = CreateConversationItemsRequest.model_validate(
            {"conversation_id": conversation, "items": items[start : start + _AT_ONCE]}
        )
        await _there(conversations).create_conversation_items(request, ctx)


def _there(conversations: Conversations | None) -> Conversations:
    if conversations is None:
        raise BadRequest("this server has no conversations", code="no_conversations", param="conversation")
    return conversations


async def instructions(asked: Asked, prompts: Prompts | None, ctx: Context) -> list[str]:
    """What the model is told first: the prompt, and the instructions."""
    said = [await _prompt(asked.said["prompt"], prompts, ctx)] if "prompt" in asked.said else []
    if text := asked.said.get("instructions"):
        said.append(text)
    return said


async def _prompt(prompt: Item, prompts: Prompts | None, ctx: Context) -> str:
    if prompts is None:
        raise BadRequest("this server has no prompts", code="no_prompts", param="prompt")
    version = prompt.get("version")
    if version is not None and not (version.isdecimal() and int(version[:9]) > 0 and len(version) < 10):
        raise BadRequest("prompt.version: expected a number from 1 on", param="prompt.version")
    request = RetrievePromptRequest(prompt_id=prompt["id"], version=None if version is None else int(version))
    found = await prompts.retrieve_prompt(request, ctx)
    values = {name: _value(name, each) for name, each in (prompt.get("variables") or {}).items()}
    return filled(found.prompt or "", values)


def _value(name: str, value: object) -> str:
    if isinstance(value, dict) and value.get("type") == "input_text":
        value = value.get("text")
    if not isinstance(value, str):
        where = f"prompt.variables.{name[:100]}"
        raise BadRequest(f"{where}: expected a text; images and files can be given as input", param=where)
    return value
