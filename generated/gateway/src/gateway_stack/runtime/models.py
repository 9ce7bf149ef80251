"""What an inference provider says of one model it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol

ModelType = Literal["llm", "embedding", "rerank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderModel:
    """A model under the name its provider knows it by.

    created: Unix seconds, 0 where the provider does not say. metadata: what else it said, as JSON values.
    """

    id: str
    model_type: ModelType = "llm"
    created: int = 0
    owned_by: str = ""
    metadata: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


class ModelSource(Protocol):
    """The side of an inference provider that the models table sees.

    lists_all: whether `list_models` names everything the provider serves; where it does, a name that is not in the list
        is not served.
    allowed_models: the only names to offer, None for all. refresh_models: whether to ask again in the background.
    """

    @property
    def lists_all(self) -> bool: ...

    @property
    def allowed_models(self) -> tuple[str, ...] | None: ...

    @property
    def refresh_models(self) -> bool: ...

    async def list_models(self) -> list[ProviderModel]: ...
