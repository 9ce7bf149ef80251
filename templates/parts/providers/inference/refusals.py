"""What models inside the server refuse, or fail with, in the same words whichever library runs them."""

from __future__ import annotations

from ...runtime.errors import BadRequest, StackError, Unavailable

# What allocators and C++ say in a bare RuntimeError; that of a GPU may have a class of its own, which is one too.
_ALLOCATION = ("out of memory", "can't allocate memory", "not enough memory", "failed to allocate", "bad_alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory is what was wanting, on whatever device."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _ALLOCATION)


def no_memory(wanted: str = "the request") -> Unavailable:
    return Unavailable(f"there is not enough memory for {wanted}", code="out_of_memory")


MOST_WAITING = 4096
"""Requests, or answers where one asks for several, that wait for one model at most. The last of them waits for minutes
already; whoever comes then had better be told, and may be served by another replica.
"""


def overloaded() -> Unavailable:
    return Unavailable(f"{MOST_WAITING} others wait for this model", code="model_overloaded", retry_after=10)


def stopping() -> Unavailable:
    return Unavailable("the server is stopping; try again", code="server_stopping", retry_after=1)


def failed(error: BaseException) -> StackError:
    """What a failure of an engine means to the client whose request met it. The log is where its own words are."""
    if isinstance(error, StackError):
        return error
    if is_out_of_memory(error):
        return no_memory()
    return StackError(
        f"the model failed on the request ({type(error).__name__}); the server's log says more", code="inference_failed"
    )


def not_finite() -> StackError:
    """For infinities and what is no number: JSON has neither."""
    return StackError(
        "the model gave numbers that are not finite; in a wider dtype than float16 it may not", code="inference_failed"
    )


def too_long(context: object, tokens: object, param: str, *, holder: str = "the request") -> BadRequest:
    """tokens: those that `holder` has, by number or in words."""
    return BadRequest(
        f"this model's context is {context} tokens, and {holder} has {tokens}",
        code="context_length_exceeded",
        param=param,
    )


def unsupported(name: str) -> BadRequest:
    """A parameter that would be passed over in silence."""
    return BadRequest(f"{name} is not supported by this model's provider", code="unsupported_parameter", param=name)


def unknown_tool(name: object) -> BadRequest:
    return BadRequest(f"tool_choice names {name!r}, which is none of the tools", param="tool_choice")
