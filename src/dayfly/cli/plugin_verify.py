"""``dayfly plugin verify``: does a plugin.json say what is really there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import FAILED
from dayfly.cli.plugin_target import configuration_option, find_target, with_plugin
from dayfly.cli.printing import print_json, print_table
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.host import Finding, PluginConnection


@click.command("verify")
@click.argument("plugin", metavar="PLUGIN")
@configuration_option
@shared_options
@pass_settings
def plugin_verify(settings: Settings, plugin: str, on: str) -> int:
    """Start a plugin, and hold its plugin.json against what it serves.

    PLUGIN is the name of an installed plugin or the path of its directory. A service that
    is declared and not served is a failure, one that is served and not declared a warning.
    Exits with 1 when something failed.
    """
    target = find_target(plugin, on)

    async def compare(loaded: PluginConnection) -> tuple[list[Finding], list[str]]:
        from dayfly.host import verify_manifest  # noqa: PLC0415 - imports grpc

        findings = await verify_manifest(target.plugin.manifest, loaded)
        return findings, sorted(loaded.advertised)

    findings, served = with_plugin(target, compare)
    failed = any(finding.severe for finding in findings)
    if settings.json:
        print_json(
            {
                "ok": not failed,
                "plugin": target.plugin.name,
                "version": target.plugin.manifest.version,
                "manifest": str(target.plugin.manifest_path),
                "services": served,
                "findings": [
                    {
                        "field": finding.field,
                        "service": finding.service or None,
                        "message": finding.message,
                        "severe": finding.severe,
                    }
                    for finding in findings
                ],
            }
        )
    else:
        print_table(["CHECK", "RESULT", "SEEN"], _rows(findings, served, target.plugin.manifest))
    return FAILED if failed else 0


def _rows(findings: list[Finding], served: list[str], manifest: object) -> list[list[str]]:
    """One row for each thing that was compared, and one more for each second finding of it."""
    found = {finding.service or finding.field for finding in findings}
    rows = [
        [field, "ok", str(getattr(manifest, field))]
        for field in ("name", "version")
        if field not in found
    ]
    rows += [[service, "ok", "declared and served"] for service in served if service not in found]
    return rows + [
        [
            finding.service or finding.field,
            "!FAILED" if finding.severe else "warning",
            finding.message,
        ]
        for finding in findings
    ]
