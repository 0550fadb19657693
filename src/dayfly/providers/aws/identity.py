"""Who asks: AWS's own chain of credentials, and a role assumed on top of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aiobotocore.credentials import (
    AioAssumeRoleCredentialFetcher,
    AioDeferredRefreshableCredentials,
)
from aiobotocore.session import AioSession
from botocore.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from dayfly.providers.aws.config import Config

_SESSION_NAME: Final = "dayfly"
_LOUD: Final = (
    "aiobotocore.credentials", "aiobotocore.tokens", "botocore.credentials", "botocore.tokens",
)  # fmt: skip


async def make_session(config: Config, client_config: Any) -> AioSession:
    """A session of botocore's; nothing is asked of AWS yet.

    Raises:
        BotoCoreError: The profile is not there, or there is nobody to assume the role.
    """
    # They log a traceback for what comes back as an error anyway.
    for logger in _LOUD:
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    base = AioSession(profile=config.profile or None)
    if not config.role_arn:
        return base
    source = await base.get_credentials()
    if source is None:
        raise NoCredentialsError

    def sts(service: str, **options: Any) -> Any:
        return base.create_client(
            service,
            region_name=config.region or None,
            endpoint_url=config.endpoint_url or None,
            config=client_config,
            **options,
        )

    fetcher = AioAssumeRoleCredentialFetcher(
        client_creator=sts,
        source_credentials=source,
        role_arn=config.role_arn,
        extra_args={"RoleSessionName": _SESSION_NAME},
    )
    assumed = AioSession(profile=config.profile or None)
    # Models are read once for both.
    assumed.register_component("data_loader", base.get_component("data_loader"))
    # There is no public way to give a session credentials that renew themselves.
    assumed._credentials = AioDeferredRefreshableCredentials(  # noqa: SLF001
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return assumed
