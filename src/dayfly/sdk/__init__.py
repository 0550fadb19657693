"""What the author of a plugin imports."""

from dayfly.sdk.plugin import Plugin
from dayfly.sdk.secrets import SecretResolver
from dayfly.sdk.server import serve

__all__ = ["Plugin", "SecretResolver", "serve"]
