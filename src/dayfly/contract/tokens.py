"""A handle as one word, to carry to another machine."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import JobHandle

#: The version is part of the word, so that a later form can be told from this one.
PREFIX = "dayfly1."
#: Room for the largest handle that the wire takes.
MAX_TOKEN_CHARACTERS = 128 * 1024


def to_token(handle: JobHandle) -> str:
    """A handle as a word of URL-safe characters, with a checksum against bad pastes."""
    body = json.dumps(
        [handle.id, handle.name, handle.provider, dict(sorted(handle.metadata.items()))],
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()
    packed = zlib.crc32(body).to_bytes(4, "big") + body
    return PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_token(token: str) -> JobHandle:
    """The handle that a token carries.

    Raises:
        InvalidField: It is no token, one of another version, or damaged.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _refused(f"is over {MAX_TOKEN_CHARACTERS} characters long")
    if not token.startswith(PREFIX):
        raise _refused(f"does not begin with {PREFIX!r}")
    text = token.removeprefix(PREFIX)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused("is not made of URL-safe characters") from None
    if len(packed) < 4 or zlib.crc32(packed[4:]) != int.from_bytes(packed[:4], "big"):
        raise _refused("is damaged or cut short")
    return _handle(packed[4:])


def _handle(body: bytes) -> JobHandle:
    try:
        parts = json.loads(body)
        # JSON can spell halves of characters, which no later request could carry.
        json.dumps(parts, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _refused("does not hold a handle") from None
    match parts:
        case [str(id_), str(name), str(provider), dict(metadata)] if id_ and all(
            isinstance(value, str) for value in metadata.values()
        ):
            return JobHandle(id=id_, name=name, provider=provider, metadata=metadata)
    raise _refused("does not hold a handle")


def _refused(what: str) -> InvalidField:
    return InvalidField(
        f"the handle token {what}",
        field="handle",
        advice="Copy it whole from `dayfly status --output json` on the machine that has the job.",
    )
