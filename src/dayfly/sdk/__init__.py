"""What a plugin's author imports: ``Plugin`` says what there is, ``serve`` serves it.

Importing this costs next to nothing; gRPC is loaded by ``serve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.sdk.plugin import Plugin
from dayfly.sdk.serve import serve

if TYPE_CHECKING:
    from dayfly.sdk.secrets import SecretResolver

__all__ = ["Plugin", "SecretResolver", "serve"]


def __getattr__(name: str) -> object:
    if name == "SecretResolver":
        from dayfly.sdk.secrets import SecretResolver  # noqa: PLC0415 - most start without it

        return SecretResolver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
