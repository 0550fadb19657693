"""The host's side of a plugin: find it, start it, shake hands, give its services.

Names are imported when they are first used, because a command line spawns the plugin
before it can afford to import gRPC. What is needed before that are named tuples: dataclasses
import inspect, which takes as long as all the rest.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.host.config import Config, ProviderConfig
    from dayfly.host.config_file import load_config
    from dayfly.host.connection import PluginConnection, connect
    from dayfly.host.deadlines import Deadlines
    from dayfly.host.discovery import InstalledPlugin, PluginList, find_plugin, list_plugins
    from dayfly.host.manifests import Manifest, read_manifest
    from dayfly.host.process import PluginProcess, spawn
    from dayfly.host.registry import PluginRegistry
    from dayfly.host.schema import config_schema
    from dayfly.host.verify import Finding, verify_manifest
    from dayfly.host.watch import PluginDied

# gRPC's core prints to stderr, where the job's own output goes; what matters comes back as
# the status of a call. It reads this when it is imported, so nothing later can set it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

__all__ = [
    "Config",
    "Deadlines",
    "Finding",
    "InstalledPlugin",
    "Manifest",
    "PluginConnection",
    "PluginDied",
    "PluginList",
    "PluginProcess",
    "PluginRegistry",
    "ProviderConfig",
    "config_schema",
    "connect",
    "find_plugin",
    "list_plugins",
    "load_config",
    "read_manifest",
    "spawn",
    "verify_manifest",
]

_HOMES = {
    "Config": "config",
    "Deadlines": "deadlines",
    "Finding": "verify",
    "InstalledPlugin": "discovery",
    "Manifest": "manifests",
    "PluginConnection": "connection",
    "PluginDied": "watch",
    "PluginList": "discovery",
    "PluginProcess": "process",
    "PluginRegistry": "registry",
    "ProviderConfig": "config",
    "config_schema": "schema",
    "connect": "connection",
    "find_plugin": "discovery",
    "list_plugins": "discovery",
    "load_config": "config_file",
    "read_manifest": "manifests",
    "spawn": "process",
    "verify_manifest": "verify",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
