"""What the model reads: a conversation in its chat template's form, or a text as it is, as tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from jinja2 import TemplateError

from ....runtime.errors import BadRequest
from .loading import Tensors

Document: TypeAlias = Mapping[str, Any]


class Prompts:
    """Makes prompts for one model. template: Jinja, None where the model has none."""

    def __init__(self, tokenizer: Tensors, template: str | None) -> None:
        self._tokenizer = tokenizer
        self._encode = tokenizer.backend_tokenizer.encode
        self.template = template

    def chat(self, document: Document, tools: Sequence[Document]) -> list[int]:
        """The tokens of a conversation. tools: those that the model is shown. Raises BadRequest."""
        options = document.get("chat_template_kwargs") or {}
        if not isinstance(options, Mapping):
            raise BadRequest("chat_template_kwargs must be an object", param="chat_template_kwargs")
        try:
            text = self._tokenizer.apply_chat_template(
                [self._message(each, number) for number, each in enumerate(document["messages"])],
                tools=list(tools) or None,
                chat_template=self.template,
                add_generation_prompt=True,
                tokenize=False,
                **{key: value for key, value in options.items() if key not in _OURS},
            )
        except TemplateError as error:
            raise BadRequest(
                f"the model's chat template refuses the messages: {error}",
                code="chat_template_failed",
                param="messages",
            ) from None
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise BadRequest(
                f"the messages do not fit the model's chat template: {error}",
                code="chat_template_failed",
                param="messages",
            ) from None
        return list(self._encode(text, add_special_tokens=False).ids)

    def texts(self, prompt: object, vocabulary: int) -> list[list[int]]:
        """The tokens of each prompt of a completion. Raises BadRequest."""
        if prompt is None or isinstance(prompt, str):
            return [self._tokens(prompt or "")]
        if not isinstance(prompt, Sequence) or not prompt:
            raise BadRequest("the prompt must be a text, tokens, or a list of either", param="prompt")
        if all(isinstance(each, int) for each in prompt):
            return [_checked(prompt, vocabulary)]
        return [self._tokens(each) if isinstance(each, str) else _checked(each, vocabulary) for each in prompt]

    def _tokens(self, text: str) -> list[int]:
        found = list(self._encode(text, add_special_tokens=True).ids)
        if found:
            return found
        # From nothing, a model begins after its first token, or after what ended the text before.
        first = self._tokenizer.bos_token_id
        first = self._tokenizer.eos_token_id if first is None else first
        if first is None:
            raise BadRequest("the prompt is empty, and the model has no token to begin with", param="prompt")
        return [first]

    def _message(self, message: Document, number: int) -> dict[str, Any]:
        """One message as templates know it: its content a text, its calls' arguments objects."""
        where = f"messages[{number}]"
        role = message.get("role")
        if role not in ("system", "developer", "user", "assistant", "tool"):
            raise BadRequest(f"{where} has the role {role!r}, which the model does not know", param="messages")
        found = {key: value for key, value in message.items() if value is not None}
        # Templates older than the word know it as what it took the place of.
        if role == "developer" and "developer" not in (self.template or ""):
            found["role"] = "system"
        found["content"] = _text(message.get("content"), where)
        if "tool_calls" in found:
            found["tool_calls"] = [_call(call) for call in found["tool_calls"]]
        return found


_OURS = ("conversation", "tools", "chat_template", "add_generation_prompt", "tokenize", "return_tensors", "return_dict")


def _checked(tokens: Sequence[object], vocabulary: int) -> list[int]:
    found = [each for each in tokens if isinstance(each, int) and 0 <= each < vocabulary]
    if len(found) != len(tokens) or not found:
        raise BadRequest(f"the prompt's tokens must be from 0 to {vocabulary - 1}", param="prompt")
    return found


def _text(content: object, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, Sequence):
        raise BadRequest(f"{where} has no text", param="messages")
    found = []
    for part in content:
        kind = part.get("type")
        text = part.get("text") if kind == "text" else part.get("refusal") if kind == "refusal" else None
        if not isinstance(text, str):
            raise BadRequest(
                f"{where} has a part of type {kind!r}; this model reads text",
                code="unsupported_content",
                param="messages",
            )
        found.append(text)
    return "\n".join(found)


def _call(call: Document) -> dict[str, Any]:
    function = dict(call.get("function") or {})
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            function["arguments"] = json.loads(arguments)
        except ValueError:
            # Then as the model wrote them.
            function["arguments"] = arguments
    return {**call, "function": function}
