"""The JSON Schema of dayfly.toml, for editors."""

from __future__ import annotations

from typing import Any

_SCHEMA_URI = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a dayfly.toml, or of ``[tool.dayfly]``."""
    return {
        "$schema": _SCHEMA_URI,
        "title": "dayfly.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "default": {
                "description": "The configuration, or plugin, used when none is named.",
                "type": "string",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
                "default": "local",
            },
            "providers": {
                "description": "Configurations by name; --on takes one.",
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"},
                "additionalProperties": _provider(),
            },
            "runners": {
                "description": "Remote runners by name; --exec-env takes one.",
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"},
                "additionalProperties": _runner(),
            },
        },
    }


def _runner() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "description": "An agent, reached over TLS.",
        "type": "object",
        "required": ["address", "token"],
        "additionalProperties": False,
        "properties": {
            "address": {"description": "host:port", **text},
            "token": {
                "description": "Where the bearer token is, never itself.",
                "type": "string",
                "pattern": "^(env:.+|file:/.+)$",
            },
            "ca": {"description": "PEM file of whoever signed its certificate.", **text},
            "cert": {"description": "PEM file of our certificate.", **text},
            "key": {"description": "PEM file of our key.", **text},
            "server_name": {"description": "What its certificate says.", **text},
        },
    }


def _provider() -> dict[str, Any]:
    return {
        "description": "What is not named here goes to the plugin, which checks it.",
        "type": "object",
        "required": ["plugin"],
        "properties": {
            "plugin": {
                "description": "Name of the plugin.",
                "type": "string",
                "pattern": "^[a-z][a-z0-9-]{0,61}[a-z0-9]$",
            },
            "pass_env": {
                "description": "Variables, or prefixes with '*', that the plugin inherits.",
                "type": "array",
                "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*\\*?$"},
            },
            "secrets": {
                "description": "What secret://NAME stands for: env:NAME, file:/path, ...",
                "type": "object",
                "additionalProperties": {"type": "string"},
            },
        },
        "additionalProperties": True,
    }
