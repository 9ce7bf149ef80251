"""Requests to AWS: botocore finds who asks, as AWS's own tools do, and signs; another client sends.

    signer = await open_signer(AwsIdentity(profile_name="models"), "bedrock", "us-east-1", at="providers.safety.b")
    headers = await signer.sign("POST", url, body)      # None where there are no credentials

botocore blocks, so that it works in threads. It is imported with the first signature, or at the start where a config
says who asks.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import SettingsError, Unavailable
from .secret import Secret

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session

log = logging.getLogger(__name__)

CREDENTIALS_SECONDS = 10.0
"""They may have to be asked for on the network."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsIdentity:
    """Who asks. All None: whoever AWS's variables, files and the machine's role say.

    role_arn: a role to take. web_identity_token_file: what proves who takes it, read anew each time; None for the
    credentials that there are otherwise. role_seconds: how long one taking lasts.
    """

    access_key_id: Secret | None = None
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    profile_name: str | None = None
    role_arn: str | None = None
    web_identity_token_file: str | None = None
    role_session_name: str | None = None
    role_seconds: int | None = None


class AwsSigner:
    """Signs requests to a service of a region. Made by `open_signer`."""

    def __init__(self, identity: AwsIdentity, service: str, region: str, session: Session | None) -> None:
        self.region = region
        self._identity = identity
        self._service = service
        self._session = session
        self._credentials: Credentials | None = None

    async def sign(self, method: str, url: str, body: bytes | None) -> dict[str, str] | None:
        """The headers of the signature, of a body of JSON its type among them; None where there are no credentials.
        Raises Unavailable where AWS does not give them.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            async with asyncio.timeout(CREDENTIALS_SECONDS):
                return await asyncio.to_thread(self._sign, method, url, body)
        except (BotoCoreError, ClientError, OSError, TimeoutError) as error:
            # Its text may name files and accounts, which are no client's business.
            log.warning("no request to AWS can be signed: %s", error)
            raise Unavailable("this server cannot get its AWS credentials at present") from None

    def _sign(self, method: str, url: str, body: bytes | None) -> dict[str, str] | None:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        if self._credentials is None:
            if self._session is None:
                self._session = _session(self._identity)
            self._credentials = _credentials(self._session, self._identity, self.region)
        if self._credentials is None:
            return None
        request = AWSRequest(method, url, {} if body is None else {"Content-Type": JSON}, body)
        SigV4Auth(self._credentials.get_frozen_credentials(), self._service, self.region).add_auth(request)
        return {str(name): str(value) for name, value in request.headers.items()}


async def open_signer(identity: AwsIdentity, service: str, region: str | None, *, at: str) -> AwsSigner:
    """region: None for the one that the machine is set to. at: where the identity is configured, for messages.
    Raises SettingsError for half a credential, an unknown profile, or a region that nothing says.
    """
    if (identity.access_key_id is None) != (identity.secret_access_key is None):
        raise SettingsError([f"{at}: aws_access_key_id and aws_secret_access_key are given both or neither"])
    if identity.web_identity_token_file is not None and identity.role_arn is None:
        raise SettingsError([f"{at}.aws_web_identity_token_file needs {at}.aws_role_arn, the role to take with it"])
    if identity == AwsIdentity() and region is not None:
        return AwsSigner(identity, service, region, None)
    session, machines = await asyncio.to_thread(_told, identity, at)
    if not (region := region or machines):
        raise SettingsError([f"{at}.region_name is missing, and the machine is set to no region"])
    return AwsSigner(identity, service, region, session)


def _told(identity: AwsIdentity, at: str) -> tuple[Session, str | None]:
    """(who finds the credentials, the machine's region); blocks. Raises SettingsError."""
    from botocore.exceptions import BotoCoreError

    session = _session(identity)
    try:
        return session, session.get_config_variable("region")
    except BotoCoreError as error:
        raise SettingsError([f"{at}: {error}"]) from None


def _session(identity: AwsIdentity) -> Session:
    from botocore.session import Session

    session = Session(profile=identity.profile_name)
    key, secret, token = identity.access_key_id, identity.secret_access_key, identity.session_token
    if key is not None and secret is not None:
        session.set_credentials(key.reveal(), secret.reveal(), token.reveal() if token is not None else None)
    return session


def _credentials(session: Session, identity: AwsIdentity, region: str) -> Credentials | None:
    """Those of the session, or of the role that is taken with them; a role's are renewed before they end."""
    if identity.role_arn is None:
        return session.get_credentials()
    from botocore import credentials
    from botocore.utils import FileWebIdentityTokenLoader

    def client(service: str, **more: object) -> object:
        return session.create_client(service, region_name=region, **more)

    asked: dict[str, object] = {"RoleSessionName": identity.role_session_name or "stackgen"}
    if identity.role_seconds is not None:
        asked["DurationSeconds"] = identity.role_seconds
    if identity.web_identity_token_file is not None:
        loader = FileWebIdentityTokenLoader(identity.web_identity_token_file)
        fetcher = credentials.AssumeRoleWithWebIdentityCredentialFetcher(client, loader, identity.role_arn, asked)
    else:
        own = session.get_credentials()
        if own is None:
            return None
        fetcher = credentials.AssumeRoleCredentialFetcher(client, own, identity.role_arn, asked)
    return credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
