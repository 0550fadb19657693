"""The form of an entry, as GoCodeAlone/workflow-registry has it.

Source: ``schema/registry-schema.json`` there, at commit b838afc of July 2026. Like that
schema, it knows every field and lets no other pass.
"""

from __future__ import annotations

from typing import Final

from dayfly.host.packages.forms import flag, one_of, open_table, several, table, text, whole

_TEXT: Final = text()
_TEXTS: Final = several(_TEXT)
_VERSION: Final = text(r"\d+\.\d+\.\d+", "a version that begins with X.Y.Z")
_ASKED: Final = {
    "name": _TEXT,
    "key": _TEXT,
    "sensitive": flag,
    "description": _TEXT,
    "prompt": _TEXT,
}
_TARGETS: Final = several(
    table(
        {"provider": _TEXT, "scopes": _TEXTS, "description": _TEXT},
        required=("provider", "scopes"),
    )
)
_COMMAND: Final = {"name": _TEXT, "description": _TEXT}
_CAPABILITIES: Final = {
    "configProvider": flag,
    **dict.fromkeys(
        (
            "moduleTypes", "stepTypes", "triggerTypes", "workflowHandlers", "wiringHooks",
            "serviceMethods", "iacStateBackends", "resourceTypes", "migrationDrivers",
        ),
        _TEXTS,
    ),
    "iacProvider": table(
        {
            "name": _TEXT,
            "resourceTypes": _TEXTS,
            "supportedCanonicalKeys": _TEXTS,
            "configSchema": open_table(),
        },
        required=("name",),
    ),
    "cliCommands": several(
        table(
            {
                **_COMMAND,
                "flagsPassthrough": flag,
                "subcommands": several(table(_COMMAND, required=("name",))),
            },
            required=("name",),
        )
    ),
    "buildHooks": several(
        table(
            {
                "event": _TEXT,
                "priority": whole,
                "on_hook_failure": one_of("fail", "warn", "skip"),
                "description": _TEXT,
            },
            required=("event", "priority"),
        )
    ),
}  # fmt: skip
DOWNLOADS: Final = several(
    table(
        {
            "os": one_of("linux", "darwin", "windows"),
            "arch": one_of("amd64", "arm64"),
            "url": _TEXT,
            "sha256": _TEXT,
        },
        required=("os", "arch", "url"),
    )
)
ENTRY: Final = table(
    {
        **dict.fromkeys(
            (
                "name", "author", "description", "source", "path", "license",
                "minEngineVersion", "homepage", "repository",
            ),
            _TEXT,
        ),
        "version": _VERSION,
        "type": one_of("builtin", "external", "ui"),
        "tier": one_of("core", "community", "premium"),
        "status": one_of("verified", "experimental", "deprecated"),
        "category": one_of(
            "core", "ai", "payments", "security", "infrastructure", "ide", "messaging", "data",
            "integrations", "observability", "other",
        ),
        "capabilities": table(_CAPABILITIES),
        "iacProvider": table(
            {"name": _TEXT, "resourceTypes": _TEXTS, "computePlanVersion": one_of("v1", "v2")}
        ),
        "checksums": open_table(_TEXT),
        "keywords": _TEXTS,
        "private": flag,
        "downloads": DOWNLOADS,
        "assets": table({"ui": flag, "config": flag}),
        "dependencies": several(
            table(
                {"name": _TEXT, "minVersion": _VERSION, "maxVersion": _VERSION},
                required=("name",),
            )
        ),
        "required_secrets": several(
            table(
                {key: form for key, form in _ASKED.items() if key != "key"},
                required=("name", "sensitive"),
            )
        ),
        "required_config": several(table(_ASKED, required=("name",))),
        "secret_targets": _TARGETS,
        "config_targets": _TARGETS,
    },
    required=("name", "version", "author", "description", "type", "tier", "license"),
)  # fmt: skip
