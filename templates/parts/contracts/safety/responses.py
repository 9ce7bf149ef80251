"""What the answers of the safety API are made of.

Generated from apis/safety.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.violation import SafetyViolation
from ..wire import WireModel


class RunShieldResponse(WireModel):
    """What a shield found."""

    violation: SafetyViolation | None
    """Null where the messages may pass."""


class ModerationCategories(WireModel):
    """Which categories the input falls into; OpenAI's, and the provider's own."""

    hate: bool
    """Hatred of people for what they are: origin, religion, sex, disability and the like."""
    hate_threatening: Annotated[bool, Field(alias="hate/threatening")]
    """Such hatred with violence or harm in view."""
    harassment: bool
    """Words that harass somebody."""
    harassment_threatening: Annotated[bool, Field(alias="harassment/threatening")]
    """Harassment with violence or harm in view."""
    illicit: bool | None
    """Help with wrongdoing."""
    illicit_violent: Annotated[bool | None, Field(alias="illicit/violent")]
    """Help with wrongdoing that is violent, or with getting a weapon."""
    self_harm: Annotated[bool, Field(alias="self-harm")]
    """Harm to oneself, shown or encouraged."""
    self_harm_intent: Annotated[bool, Field(alias="self-harm/intent")]
    """The speaker means to harm themselves."""
    self_harm_instructions: Annotated[bool, Field(alias="self-harm/instructions")]
    """How to harm oneself."""
    sexual: bool
    """What is meant to arouse."""
    sexual_minors: Annotated[bool, Field(alias="sexual/minors")]
    """Sexual content with somebody under 18."""
    violence: bool
    """Death, violence or injury."""
    violence_graphic: Annotated[bool, Field(alias="violence/graphic")]
    """The same in detail."""


class ModerationScores(WireModel):
    """From 0 to 1, how sure the provider is; 1 and 0 where it says no more than yes and no."""

    hate: float
    hate_threatening: Annotated[float, Field(alias="hate/threatening")]
    harassment: float
    harassment_threatening: Annotated[float, Field(alias="harassment/threatening")]
    illicit: float
    illicit_violent: Annotated[float, Field(alias="illicit/violent")]
    self_harm: Annotated[float, Field(alias="self-harm")]
    self_harm_intent: Annotated[float, Field(alias="self-harm/intent")]
    self_harm_instructions: Annotated[float, Field(alias="self-harm/instructions")]
    sexual: float
    sexual_minors: Annotated[float, Field(alias="sexual/minors")]
    violence: float
    violence_graphic: Annotated[float, Field(alias="violence/graphic")]


ModerationInputTypeList: TypeAlias = list[Literal["text", "image"]]


ModerationTextOnly: TypeAlias = list[Literal["text"]]


class ModerationInputTypes(WireModel):
    """What of the input was judged for a category; nothing for one that the provider does not know."""

    hate: ModerationTextOnly
    hate_threatening: Annotated[ModerationTextOnly, Field(alias="hate/threatening")]
    harassment: ModerationTextOnly
    harassment_threatening: Annotated[ModerationTextOnly, Field(alias="harassment/threatening")]
    illicit: ModerationTextOnly
    illicit_violent: Annotated[ModerationTextOnly, Field(alias="illicit/violent")]
    self_harm: Annotated[ModerationInputTypeList, Field(alias="self-harm")]
    self_harm_intent: Annotated[ModerationInputTypeList, Field(alias="self-harm/intent")]
    self_harm_instructions: Annotated[ModerationInputTypeList, Field(alias="self-harm/instructions")]
    sexual: ModerationInputTypeList
    sexual_minors: Annotated[ModerationTextOnly, Field(alias="sexual/minors")]
    violence: ModerationInputTypeList
    violence_graphic: Annotated[ModerationInputTypeList, Field(alias="violence/graphic")]


class ModerationResult(WireModel):
    """What was found in one input."""

    flagged: bool
    """Whether the input is not to pass."""
    categories: ModerationCategories
    category_scores: ModerationScores
    category_applied_input_types: ModerationInputTypes
    user_message: str | None = None
    """What may be told to the user."""
    metadata: dict[str, Any] | None = None
    """What else the provider found."""


class CreateModerationResponse(WireModel):
    """What a shield found."""

    id: str
    """Of this answer."""
    model: str
    """The shield, as the request named it."""
    results: list[ModerationResult]
