"""``dayfly plugin manifest``: a plugin.json that agrees with its plugin, because it was asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from dayfly.cli.exits import FAILED
from dayfly.cli.plugin_target import configuration_option, find_target, with_plugin
from dayfly.cli.printing import print_json, say, show
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.errors import FailedPrecondition, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.cli.plugin_target import Target
    from dayfly.host import PluginConnection


@click.command("manifest")
@click.argument("plugin", metavar="PLUGIN")
@click.option("--check", is_flag=True, help="Only compare; exit with 1 where they differ.")
@click.option("--write", is_flag=True, help="Write it where it belongs.")
@configuration_option
@shared_options
@pass_settings
def plugin_manifest(settings: Settings, *, plugin: str, check: bool, write: bool, on: str) -> int:
    """Start a plugin, ask it what it is and serves, and print that as its plugin.json.

    PLUGIN is the name of an installed plugin, the path of its directory, or the dotted name
    of its Python module. What a plugin does not say of itself, such as its licence and the
    variables that it inherits, stays as it is in the plugin.json that there is.
    """
    if check and write:
        raise click.UsageError("--check compares and --write writes: give one of them.")
    target = find_target(plugin, on)
    path = target.plugin.manifest_path
    before = _read(path)
    if check and before is None:
        raise NotFound(
            f"there is no {path} to check", field="plugin", advice="Make it with --write."
        )
    document = _generate(target, before or {})
    if check:
        return _compare(settings, path, before or {}, document)
    if write:
        _write(path, document)
        say(f"written: {path}")
    if settings.json or not write:
        print_json(document)
    return 0


def _generate(target: Target, before: dict[str, Any]) -> dict[str, Any]:
    async def ask(loaded: PluginConnection) -> dict[str, Any]:
        from dayfly.host.packages.served import served_manifest  # noqa: PLC0415 - imports grpc

        module = "" if "dayfly" in before else target.plugin.manifest.module
        return await served_manifest(loaded, before, module=module)

    return with_plugin(target, ask)


def _compare(
    settings: Settings, path: Path, before: dict[str, Any], document: dict[str, Any]
) -> int:
    from dayfly.host.packages.served import differences  # noqa: PLC0415 - imports grpc

    fields = differences(before, document)
    if settings.json:
        print_json(
            {
                "ok": not fields,
                "manifest": str(path),
                "differences": [
                    {"field": f, "manifest": before.get(f), "plugin": document.get(f)}
                    for f in fields
                ],
            }
        )
        return FAILED if fields else 0
    for field in fields:
        said, says = json.dumps(before.get(field)), json.dumps(document.get(field))
        show(f"{path}: {field} is {said}; by the plugin: {says}")
    if not fields:
        show(f"{path} says what the plugin says")
    return FAILED if fields else 0


def _read(path: Path) -> dict[str, Any] | None:
    """The document as it is; ``find_target`` has checked it where a host would read it."""
    if not path.is_file():
        return None
    from dayfly.host import read_manifest  # noqa: PLC0415 - not needed for --help

    read_manifest(path)
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        path.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")
    except OSError as error:
        raise FailedPrecondition(f"{path} cannot be written: {error.strerror}") from error
