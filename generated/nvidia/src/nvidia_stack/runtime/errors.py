"""What can go wrong with a request, as exceptions that know their HTTP status.

    raise NotFound("model 'gpt-9' is not served here", code="model_not_found", param="model")

A provider or router raises one of these; the HTTP layer turns it into the error shape of the API's own
clients. Anything else that escapes is a fault of ours: it is logged, and answered as a bare 500.

SettingsError is of no request: it ends a start, and is told to whoever runs the server.
"""

from __future__ import annotations

from collections.abc import Iterable


class SettingsError(Exception):
    """Everything that is wrong with the settings; `problems` holds a line each, never a secret."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class StackError(Exception):
    """An answer that is an error.

    message: shown to the client, so never a secret and never a stack trace.
    code, param: as in OpenAI's error object; None where there is nothing to say.
    retry_after: seconds, sent as the Retry-After header.
    """

    status = 500
    type = "server_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.retry_after = retry_after


class BadRequest(StackError):
    """400: the request is malformed, of the wrong type, or not possible with this model."""

    status = 400
    type = "invalid_request_error"


class Unauthenticated(StackError):
    """401: no credential, or one that is not accepted."""

    status = 401
    type = "authentication_error"


class Forbidden(StackError):
    """403: known, and not allowed."""

    status = 403
    type = "permission_error"


class NotFound(StackError):
    """404: no such route or resource."""

    status = 404
    type = "invalid_request_error"


class MethodNotAllowed(StackError):
    """405: the path exists, the method does not."""

    status = 405
    type = "invalid_request_error"


class ClientTimeout(StackError):
    """408: the client began a request and did not go on with it."""

    status = 408
    type = "invalid_request_error"


class Conflict(StackError):
    """409: the resource exists, or has changed meanwhile."""

    status = 409
    type = "invalid_request_error"


class TooLarge(StackError):
    """413: the body is over the server's limit."""

    status = 413
    type = "invalid_request_error"


class Unprocessable(StackError):
    """422: an upstream refused the content of a well-formed request."""

    status = 422
    type = "invalid_request_error"


class RateLimited(StackError):
    """429: too many requests, here or upstream."""

    status = 429
    type = "rate_limit_error"


class UpstreamError(StackError):
    """502: an upstream refused the connection, failed, or answered what is no answer."""

    status = 502
    type = "upstream_error"


class Unavailable(StackError):
    """503: named in the distribution, and at present not able to serve; the message says why."""

    status = 503
    type = "service_unavailable"


class UpstreamTimeout(StackError):
    """504: an upstream did not answer in time."""

    status = 504
    type = "timeout_error"
