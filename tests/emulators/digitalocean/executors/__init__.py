"""Where jobs run: by a script without a container, or in containers of the local engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.emulators.digitalocean.executors import docker, scripted

if TYPE_CHECKING:
    from tests.emulators.digitalocean.executors.order import Executor

EXECUTORS: Final[dict[str, Executor]] = {"scripted": scripted.run, "docker": docker.run}
