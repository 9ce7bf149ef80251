"""What every provider of the inference API does: a suite for each capability, and one for who cannot serve."""

from .broken import BrokenChatSuite
from .chat import ChatSuite
from .completions import CompletionsSuite
from .vectors import EmbeddingsSuite, RerankSuite

__all__ = ["BrokenChatSuite", "ChatSuite", "CompletionsSuite", "EmbeddingsSuite", "RerankSuite"]
