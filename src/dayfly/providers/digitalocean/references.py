"""Settings that refer to secrets. No message shows a value: it may be the secret itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dayfly.contract.errors import InvalidField
from dayfly.sdk.secrets import check_reference

#: Hosts that a registry's credentials may be given for.
REGISTRIES: Final = ("docker.io", "ghcr.io")
_PORTABLE: Final = "secret://"
_STORE: Final = "Store the token, and refer to it; its value is taken nowhere here."
#: What an API token of DigitalOcean's looks like, of today and of before.
_TOKEN: Final = re.compile(r"\bdo[a-z]_v\d_[0-9a-f]{8}|\b[0-9a-f]{64}\b")


def refuse_tokens(document: Mapping[str, object]) -> None:
    """Before anything else is said of a setting: a token in the wrong place is never shown.

    Raises:
        InvalidField: Naming the setting alone.
    """
    for key, value in document.items():
        if isinstance(value, str) and _TOKEN.search(value):
            raise InvalidField(
                f"{key} has what looks like an API token in it", field=key, advice=_STORE
            )


def token_reference(document: Mapping[str, object], secrets: Mapping[str, str]) -> str:
    """The setting ``token``: a reference; empty where it is not given.

    Raises:
        InvalidField: It is none.
    """
    value = document.get("token", "")
    if not isinstance(value, str):
        # Not shown: it may be the token itself.
        raise InvalidField("token is no text", field="token")
    if value:
        try:
            _check_reference(value, "token", secrets)
        except InvalidField as error:
            error.advice = _STORE
            raise
    return value


def registry_references(
    document: Mapping[str, object], secrets: Mapping[str, str]
) -> dict[str, str]:
    """The table ``registry_credentials``: hosts to references.

    Raises:
        InvalidField: It is no such table.
    """
    table = document.get("registry_credentials", {})
    if not isinstance(table, Mapping):
        raise InvalidField(
            "registry_credentials is no table of registries to references",
            field="registry_credentials",
        )
    for host, reference in table.items():
        name = f"registry_credentials.{host}"
        if host not in REGISTRIES:
            raise InvalidField(f"{name}: allowed: {', '.join(REGISTRIES)}", field=name)
        if not isinstance(reference, str):
            raise InvalidField(f"{name} is no text", field=name)
        _check_reference(reference, name, secrets)
    return dict(table)


def _check_reference(reference: str, field: str, secrets: Mapping[str, str]) -> None:
    if not reference.startswith(_PORTABLE):
        check_reference(reference, field)
    elif (name := reference.removeprefix(_PORTABLE).partition("#")[0]) not in secrets:
        raise InvalidField(
            f"{field} is {_PORTABLE}{name}, which the table secrets does not have", field=field
        )
