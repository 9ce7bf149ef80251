"""What goes wrong with a model in torch: before it is loaded, and while it works."""

from __future__ import annotations

from ....runtime.errors import BadRequest, StackError, Unavailable

# What torch's allocators say in a bare RuntimeError; on CUDA there is torch.OutOfMemoryError, a RuntimeError too.
_ALLOCATION = ("out of memory", "can't allocate memory", "not enough memory", "failed to allocate", "bad_alloc")


class BadModel(Exception):
    """The model cannot be had; the message says why, and names it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory is what was wanting, on whatever device."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _ALLOCATION)


def refusal(error: BaseException) -> StackError:
    """What a failure of the engine means to the client whose request met it."""
    if isinstance(error, StackError):
        return error
    if is_out_of_memory(error):
        return Unavailable("there is not enough memory for the request", code="out_of_memory")
    return StackError("the generation failed; the server's log has the reason", code="generation_failed")


def too_long(context: int, tokens: int, param: str) -> BadRequest:
    return BadRequest(
        f"this model's context is {context} tokens, and the request has {tokens}",
        code="context_length_exceeded",
        param=param,
    )
