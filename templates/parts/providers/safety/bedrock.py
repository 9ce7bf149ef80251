"""Guardrails of Amazon Bedrock.

botocore finds the credentials, as AWS's own tools do, and signs; the requests are made as to any other upstream.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic_core import to_json

from ...runtime.aws import AwsIdentity, AwsSigner, open_signer
from ...runtime.context import Context
from ...runtime.errors import BadRequest, StackError, Unavailable
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .guard import Asked, Guard
from .remote import nonsense, object_in, ours, reachable, usual
from .turns import Turn
from .verdict import PASS, Verdict

SERVICE = "bedrock"
"""By which name requests to it are signed."""

_VERSION = re.compile(r"DRAFT|[1-9][0-9]{0,7}")
_IMAGE = re.compile(r"data:image/(png|jpeg);base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockSafetyConfig:
    """region_name: None for what the machine is set to. aws_access_key_id and the rest: None for what it has.
    endpoint_url: None for AWS.
    """

    region_name: str | None = None
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    aws_session_token: Secret | None = None
    profile_name: str | None = None
    endpoint_url: str | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)


class BedrockSafety(Guard):
    """The guardrails of one region; a shield's name there is a guardrail's id or ARN, its version one of the params."""

    def __init__(self, upstream: Upstream, base_url: str, signer: AwsSigner) -> None:
        self._upstream = upstream
        self._base = base_url.rstrip("/")
        self._signer = signer

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        version = str(asked.params.get("guardrailVersion", "DRAFT"))
        if not _VERSION.fullmatch(version):
            message = f"the shield's param guardrailVersion is {version[:40]!r}; expected DRAFT or a number"
            raise BadRequest(message, param="guardrailVersion")
        content = [block for turn in turns for block in _blocks(turn)]
        source = "OUTPUT" if turns[-1].speaker == "assistant" else "INPUT"
        # The HTTP client sends a colon as it is; what is signed has to be what is sent.
        path = f"guardrail/{quote(asked.shield, safe=':')}/version/{version}/apply"
        said = await self._ask(path, to_json({"content": content, "source": source}), ctx)
        match said.get("action"):
            case "NONE":
                return PASS
            case "GUARDRAIL_INTERVENED":
                return _intervened(said)
        raise nonsense(self._upstream)

    async def health(self) -> Health:
        return await reachable(self._upstream, Call("GET", "/"))

    async def _ask(self, path: str, body: bytes, ctx: Context) -> dict[str, object]:
        headers = await self._signed(f"{self._base}/{path}", body, usual(ctx))
        secrets = tuple(Secret(headers[name]) for name in ("Authorization", "X-Amz-Security-Token") if name in headers)
        try:
            said = await self._upstream.fetch(Call("POST", path, body, headers, secrets=secrets))
        except StackError as error:
            raise ours(error, self._upstream) from None
        return object_in(said, self._upstream)

    async def _signed(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers, with the signature's. Raises Unavailable where there are no credentials."""
        added = await self._signer.sign("POST", url, body)
        if added is None:
            message = f"there are no AWS credentials to ask {self._upstream.host} with"
            raise Unavailable(message, code="guard_unavailable")
        return {**headers, **added}


def _blocks(turn: Turn) -> list[dict[str, object]]:
    """A turn as Bedrock takes it. Raises BadRequest for an image that is not in the request itself."""
    blocks: list[dict[str, object]] = [{"text": {"text": turn.text}}] if turn.text else []
    return blocks + [_image(image) for image in turn.images]


def _image(url: str) -> dict[str, object]:
    start = _IMAGE.match(url)
    data = url[start.end() :] if start else ""
    try:
        known = bool(start) and bool(base64.b64decode(data, validate=True))
    except binascii.Error:
        known = False
    if start is None or not known:
        message = "Bedrock judges images that stand in the request as data: URLs, PNG or JPEG in base64"
        raise BadRequest(message, code="unsupported_input", param="messages")
    return {"image": {"format": start[1].lower(), "source": {"bytes": data}}}


def _intervened(said: Mapping[str, object]) -> Verdict:
    outputs, assessments = _objects(said.get("outputs")), _objects(said.get("assessments"))
    texts = [text for each in outputs if isinstance(text := each.get("text"), str)]
    found = frozenset(name for each in assessments for policy in each.values() for name in _names(policy))
    metadata = dict(assessments[0]) if len(assessments) == 1 else {"assessments": assessments}
    return Verdict(flagged=True, message=texts[-1] if texts else None, found=found, metadata=metadata)


def _names(policy: object) -> list[str]:
    """What a policy of an assessment found: `{"filters": [{"type": "HATE", …}]}`, `{"topics": [{"name": …}]}`."""
    groups = policy.values() if isinstance(policy, dict) else ()
    entries = [each for group in groups for each in _objects(group) if each.get("action") not in (None, "NONE")]
    return [name for each in entries if isinstance(name := each.get("name") or each.get("type"), str)]


def _objects(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@asynccontextmanager
async def open_bedrock_safety(config: BedrockSafetyConfig, *, instance: str) -> AsyncIterator[BedrockSafety]:
    """Raises SettingsError for half a credential, a region that nothing says, or a network that cannot be."""
    identity = AwsIdentity(
        access_key_id=config.aws_access_key_id,
        secret_access_key=config.aws_secret_access_key,
        session_token=config.aws_session_token,
        profile_name=config.profile_name,
    )
    signer = await open_signer(identity, SERVICE, config.region_name, at=f"providers.safety.{instance}")
    base_url = config.endpoint_url or f"https://bedrock-runtime.{signer.region}.amazonaws.com"
    async with open_upstream(base_url, config.network) as upstream:
        yield BedrockSafety(upstream, base_url, signer)
