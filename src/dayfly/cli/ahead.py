"""The plugin of a ``run``, started before click is imported and the command line understood.

Both take about as long as a plugin takes to start. Only what is plain is read here. A
guess that turns out wrong costs a process, which nobody speaks to and which ends with us.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.host import PluginProcess

_started: dict[str, PluginProcess] = {}


def start_ahead(arguments: Sequence[str]) -> None:
    """Start the plugin that ``arguments`` will most likely need; never an error."""
    if not arguments or arguments[0] != "run":
        return
    words = list(arguments[1 : arguments.index("--")] if "--" in arguments else arguments[1:])
    # References may name variables that the plugin must inherit: that needs a closer look.
    if any(word.startswith(("--secret", "--help", "-h")) for word in words):
        return
    from dayfly.contract.errors import DayflyError  # noqa: PLC0415 - not for other commands
    from dayfly.host import find_plugin, load_config, spawn  # noqa: PLC0415 - same

    name = _named(words) or os.environ.get("DAYFLY_PROVIDER", "")
    try:
        settings = load_config().provider(name)
        process = spawn(find_plugin(settings.plugin), pass_env=settings.pass_env)
    except DayflyError:
        return  # It comes again, and is told, where the command line is understood.
    _started[settings.name] = process


def claim(provider: str, pass_env: Sequence[str]) -> PluginProcess | None:
    """The process that was started ahead for this provider, once; None where there is none."""
    return None if pass_env else _started.pop(provider, None)


def _named(words: Sequence[str]) -> str:
    for number, word in enumerate(words):
        if word == "--on":
            return words[number + 1] if number + 1 < len(words) else ""
        if word.startswith("--on="):
            return word.removeprefix("--on=")
    return ""
