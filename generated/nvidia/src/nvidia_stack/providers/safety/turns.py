"""What is to be judged, in one form whoever wrote it: turns of a user and an assistant, each with text and images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...runtime.errors import BadRequest

if TYPE_CHECKING:
    from ...contracts.safety.requests import (
        CreateModerationRequest,
        ModerationPart,
        ShieldContentPart,
        ShieldImageSource,
        ShieldMessage,
    )

MOST_CHARACTERS = 1_000_000
"""Of all texts of a request together. What is longer is refused: cut, the rest of it would pass unseen."""

MOST_IMAGE_CHARACTERS = 32 * 1024 * 1024
"""Of all addresses and `data:` URLs of images together."""

Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side said until the other spoke.

    The assistant is the model; everything else is what a model is told, so the user's: instructions and what tools
    answer can bring harm as well. images: URLs, also `data:` ones.
    """

    speaker: Speaker
    text: str
    images: tuple[str, ...] = ()


def turns_of(messages: Sequence[ShieldMessage]) -> list[Turn]:
    """A conversation, at least one turn. Raises BadRequest for what is too long, says nothing, or is not to be read."""
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        turn = _turn(message, f"messages.{number}")
        if turns and turns[-1].speaker == turn.speaker:
            before = turns.pop()
            text = "\n\n".join(filter(None, (before.text, turn.text)))
            turn = Turn(speaker=turn.speaker, text=text, images=before.images + turn.images)
        turns.append(turn)
    _check_size(turns, "messages")
    return turns


def inputs_of(request: CreateModerationRequest) -> list[list[Turn]]:
    """The inputs of a moderation, each as the only turn of a user. Raises BadRequest for what is too long."""
    said = request.input
    if isinstance(said, str):
        turns = [_said(said)]
    else:
        texts = [each for each in said if isinstance(each, str)]
        parts = [each for each in said if not isinstance(each, str)]
        turns = [_said(each) for each in texts] if texts else [_together(parts)]
    _check_size(turns, "input")
    return [[turn] for turn in turns]


def _said(text: str) -> Turn:
    return Turn(speaker="user", text=text)


def _together(parts: Sequence[ModerationPart]) -> Turn:
    texts = [each.text for each in parts if each.type == "text"]
    images = tuple(each.image_url.url for each in parts if each.type == "image_url")
    return Turn(speaker="user", text="\n".join(texts), images=images)


def _turn(message: ShieldMessage, at: str) -> Turn:
    content = message.content
    parts = content if isinstance(content, list) else [] if content is None or isinstance(content, str) else [content]
    texts = [content] if isinstance(content, str) else []
    texts += [text for part in parts if (text := _text(part)) is not None]
    texts += [message.refusal] if message.refusal else []
    texts += [json.dumps(call, ensure_ascii=False) for call in message.tool_calls or ()]
    speaker: Speaker = "assistant" if message.role == "assistant" else "user"
    return Turn(speaker=speaker, text="\n".join(texts), images=tuple(_images(parts, f"{at}.content")))


def _text(part: ShieldContentPart) -> str | None:
    if part.type == "text":
        return part.text
    return part.refusal if part.type == "refusal" else None


def _images(parts: Sequence[ShieldContentPart], at: str) -> Iterator[str]:
    for part in parts:
        if part.type == "image_url":
            yield part.image_url.url
        elif part.type == "image":
            yield _address(part.image, at)


def _address(image: ShieldImageSource, at: str) -> str:
    if image.url is not None:
        return image.url.uri
    if not image.data:
        raise BadRequest(f"{at}: an image has neither url nor data", param=at)
    return f"data:{_kind(image.data)};base64,{image.data}"


def _kind(data: str) -> str:
    """Of an image in base64, by its first bytes."""
    beginnings = {"/9j/": "image/jpeg", "iVBORw0K": "image/png", "R0lGOD": "image/gif", "UklGR": "image/webp"}
    return next((kind for start, kind in beginnings.items() if data.startswith(start)), "image/png")


def _check_size(turns: Sequence[Turn], param: str) -> None:
    """Raises BadRequest."""
    size = sum(len(turn.text) for turn in turns)
    if size > MOST_CHARACTERS:
        message = f"{param} hold {size} characters, and at most {MOST_CHARACTERS} can be judged at once"
        raise BadRequest(message, code="input_too_long", param=param)
    if sum(len(image) for turn in turns for image in turn.images) > MOST_IMAGE_CHARACTERS:
        message = f"the images of {param} take more than {MOST_IMAGE_CHARACTERS} characters"
        raise BadRequest(message, code="input_too_long", param=param)
