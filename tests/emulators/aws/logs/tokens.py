"""Page tokens: where a reading goes on, and proof that we made them."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError

if TYPE_CHECKING:
    from tests.emulators.aws.logs.streams import Stream

_TOKEN: Final = re.compile(r"([fb])/(\d{6})(\d{12})(\d{8})(\d{10})(\d{10})(\d{10})/s")


def stream_token(direction: str, number: int, stream: Stream, nonce: int = 0) -> str:
    """A token of GetLogEvents: ``f/`` and 56 digits and ``/s``, as AWS's look."""
    body = f"311326{number:012d}{nonce:08d}{int(time.time()):010d}{stream.checksum:010d}"
    return f"{direction}/{body}{zlib.crc32(body.encode()):010d}/s"


def read_stream_token(token: str, stream: Stream, lifetime: float) -> tuple[str, int]:
    """Direction and number.

    Raises:
        ApiError: It is damaged, too old, or of another stream.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise invalid()
    direction, head, number, nonce, issued, checksum, proof = found.groups()
    body = f"{head}{number}{nonce}{issued}{checksum}"
    if int(proof) != zlib.crc32(body.encode()) or int(checksum) != stream.checksum:
        raise invalid()
    # Whole seconds are what it holds, so a lifetime of less than one is over at once.
    if int(time.time()) - int(issued) >= lifetime:
        raise invalid()
    return direction, int(number)


def merged_token(place: list[Any], question: str) -> str:
    """A token of FilterLogEvents, good for the same question only [?]."""
    body = json.dumps([place, zlib.crc32(question.encode()), int(time.time())])
    text = f"{zlib.crc32(body.encode()):010d}{body}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_merged_token(token: str, question: str, lifetime: float) -> list[Any]:
    """The place.

    Raises:
        ApiError: It is damaged, too old, or of another question.
    """
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
        proof, body = int(text[:10]), text[10:]
        place, asked, issued = json.loads(body)
    except (binascii.Error, ValueError):
        raise invalid() from None
    wrong = proof != zlib.crc32(body.encode()) or asked != zlib.crc32(question.encode())
    if wrong or int(time.time()) - issued >= lifetime:
        raise invalid()
    return list(place)


def invalid() -> ApiError:
    """What is said of all of them."""
    return ApiError("InvalidParameterException", "The specified nextToken is invalid.")
