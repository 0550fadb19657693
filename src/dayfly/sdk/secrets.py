"""Secret references, resolved in the plugin's own process and nowhere else.

``env:NAME``, ``file:/path``, ``keyring:service/user``, and ``secret://name[#key]``, which
the configuration's ``secrets`` table maps to one of the others.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, FailedPrecondition, InvalidField, NotFound
from dayfly.contract.jobs import Reason
from dayfly.sdk.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_BYTES = 64 * 1024
_PORTABLE = "secret://"
#: A keyring may ask its owner for a password, whom nobody sees at a plugin's process.
_KEYRING_SECONDS = 30.0


class SecretResolver:
    """Turns references into values, which it hides from everything this process logs.

    Attributes:
        forms: The forms of reference that it takes.
    """

    forms = ("env:NAME", "file:/PATH", "keyring:SERVICE/USER", "secret://NAME[#KEY]")

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        """Take the table of portable names to references.

        Raises:
            InvalidField: A reference in the table is of no known form, or portable itself.
        """
        self._mapping = dict(mapping or {})
        for name, reference in self._mapping.items():
            if not isinstance(reference, str):
                raise InvalidField(f"secrets.{name} is not text", field=f"secrets.{name}")
            if reference.startswith(_PORTABLE):
                raise InvalidField(
                    f"secrets.{name} refers to another secret:// name", field=f"secrets.{name}"
                )
            check_reference(reference, f"secrets.{name}")

    def check(self, references: Mapping[str, str]) -> None:
        """Refuse what can never be resolved, without resolving anything.

        Raises:
            InvalidField: Naming the variable; the reference is not shown.
            NotFound: A portable name that the configuration does not map.
        """
        for name, reference in references.items():
            self._look_up(name, reference)

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Variable to value.

        Raises:
            NotFound: A secret is not there; ``reason`` is SECRET_UNAVAILABLE.
            InvalidField: A reference is of no known form.
        """
        return {
            name: await self._resolve(name, reference) for name, reference in references.items()
        }

    async def _resolve(self, name: str, reference: str) -> str:
        reference, key = self._look_up(name, reference)
        scheme, _, rest = reference.partition(":")
        match scheme:
            case "env":
                value = _from_environment(name, rest)
            case "file":
                value = await asyncio.to_thread(_from_file, name, rest)
            case _:
                value = await _from_keyring(name, rest)
        hide(value)
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _missing(
                name, "it is not text that an environment can carry", "Store the secret as text."
            )
        if key:
            value = _member(name, value, key)
            hide(value)
        return value

    def _look_up(self, name: str, reference: str) -> tuple[str, str]:
        field = f"secrets.{name}"
        if not reference.startswith(_PORTABLE):
            check_reference(reference, field)
            return reference, ""
        portable, _, key = reference.removeprefix(_PORTABLE).partition("#")
        if portable not in self._mapping:
            raise NotFound(
                f"{field} is {_PORTABLE}{portable}, which the configuration does not map",
                field=field,
                reason=Reason.SECRET_UNAVAILABLE,
                advice=f"Add {portable} to the table [providers.NAME.secrets] of dayfly.toml.",
            )
        return self._mapping[portable], key


def check_reference(reference: str, field: str) -> None:
    """Refuse a reference of no known form. It is not shown: it may be a value, misplaced.

    Raises:
        InvalidField: Naming the field and the forms that there are.
    """
    scheme, colon, rest = reference.partition(":")
    known = {
        "env": bool(rest),
        "file": rest.startswith("/"),
        "keyring": "/" in rest.strip("/"),
    }
    if not colon or not known.get(scheme):
        forms = ", ".join(SecretResolver.forms)
        raise InvalidField(f"{field} is no reference of a known form: {forms}", field=field)


def _from_environment(name: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise _missing(
            name,
            f"the plugin's environment has no {variable}",
            f"Set {variable}, and list it in pass_env of the provider's configuration.",
        )
    return value


def _from_file(name: str, path: str) -> str:
    try:
        # Without waiting for a writer, if it should be a pipe; those are refused next.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _missing(name, f"{path} is not a regular file", "Name a file.")
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _missing(
            name,
            f"{path}: {getattr(error, 'strerror', error)}",
            "Check the file and who may read it.",
        ) from error
    if len(data) > _MAX_BYTES:
        raise _missing(name, f"{path} is over {_MAX_BYTES} bytes", "Name the file of the secret.")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # The cause is dropped: it holds the value.
        raise _missing(name, f"{path} is not UTF-8 text", "Store the secret as text.") from None


async def _from_keyring(name: str, place: str) -> str:
    try:
        async with asyncio.timeout(_KEYRING_SECONDS):
            return await asyncio.to_thread(_ask_keyring, name, place)
    except TimeoutError as error:
        raise _missing(
            name,
            f"the keyring did not answer within {_KEYRING_SECONDS:g} s",
            "Unlock the keyring first.",
        ) from error


def _ask_keyring(name: str, place: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise FailedPrecondition(
            f"secrets.{name} is in a keyring, and the package keyring is not installed",
            field=f"secrets.{name}",
            reason=Reason.SECRET_UNAVAILABLE,
            advice="pip install 'dayfly[keyring]'",
        ) from error
    service, _, user = place.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except Exception as error:
        raise _missing(
            name,
            f"the keyring failed: {type(error).__name__}",
            "Unlock the keyring, or set one up.",
        ) from error
    if value is None:
        raise _missing(
            name, f"the keyring has no {place}", f"Store it: keyring set {service} {user}"
        )
    return str(value)


def _member(name: str, value: str, key: str) -> str:
    try:
        table = json.loads(value)
    except ValueError:
        raise _missing(name, "it is not JSON, so it has no keys", "Leave out the #key.") from None
    member = table.get(key) if isinstance(table, dict) else None
    if not isinstance(member, str):
        raise _missing(name, f"it has no text under the key {key!r}", "Check the #key.")
    return member


def _missing(name: str, what: str, advice: str) -> DayflyError:
    return NotFound(
        f"secrets.{name} could not be resolved: {what}",
        field=f"secrets.{name}",
        reason=Reason.SECRET_UNAVAILABLE,
        advice=advice,
    )
