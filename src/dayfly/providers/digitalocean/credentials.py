"""The API token: from the environment, or from where a reference points. Never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DayflyError, Unauthenticated
from dayfly.sdk.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.digitalocean.config import Config
    from dayfly.sdk.secrets import SecretResolver

#: As pydo and doctl name them, in this order.
VARIABLES: Final = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")


async def find_token(config: Config, environ: Mapping[str, str], resolver: SecretResolver) -> str:
    """The token, hidden from all that this process says from now on.

    Raises:
        Unauthenticated: There is none, or it is no token that a header can carry.
    """
    if config.token:
        try:
            token = (await resolver.resolve({"token": config.token}))["token"]
        except DayflyError as error:
            raise Unauthenticated(
                error.message.replace("secrets.token", "token"), advice=error.advice, field="token"
            ) from error
        where = "the setting token"
    else:
        names = (config.token_env,) if config.token_env else VARIABLES
        found = [(name, environ[name]) for name in names if environ.get(name)]
        if not found:
            raise Unauthenticated(
                f"there is no API token: the plugin's environment has no {' and no '.join(names)}",
                field="token",
                advice="Set DIGITALOCEAN_TOKEN, or the setting token to a reference. A variable of "
                "another name must be in pass_env of the provider's configuration too.",
            )
        where, token = found[0]
    token = token.strip()
    hide(token)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unauthenticated(f"{where} holds no token", field="token")
    return token
