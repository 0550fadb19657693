"""Pulling an image, with its progress."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import DeadlinePassed
from dayfly.contract.jobs import Progress, Reason
from dayfly.providers.docker.answers import Answer
from dayfly.providers.docker.contexts import read_docker_config
from dayfly.providers.docker.credentials import registry_auth
from dayfly.providers.docker.errors import refused_pull

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dayfly.providers.docker.answers import ByteStream
    from dayfly.providers.docker.client import Engine

#: The engine reports every change of a pull; this long without one, it is stuck.
SILENCE_SECONDS: Final = 120.0


def split_reference(image: str) -> dict[str, str]:
    """An image reference as the query of a pull; without a tag it means ``latest``.

    The engine would pull every tag of a repository for which none is given.
    """
    if "@" in image:
        return {"fromImage": image}
    head, slash, last = image.rpartition("/")
    name, _, tag = last.partition(":")
    return {"fromImage": f"{head}{slash}{name}", "tag": tag or "latest"}


async def pull(
    engine: Engine, image: str, platform: str, report: Callable[[Progress], None]
) -> None:
    """Have the engine pull an image.

    Raises:
        DayflyError: With reason IMAGE_UNAVAILABLE, saying why in the registry's words.
    """
    config = await asyncio.to_thread(read_docker_config, os.environ)
    auth = await registry_auth(image, config)
    query = split_reference(image) | ({"platform": platform} if platform else {})
    report(Progress(phase="pulling", detail=image))
    try:
        async with asyncio.timeout(SILENCE_SECONDS) as deadline:
            answer = await engine.pull(query, auth)
            if isinstance(answer, Answer):
                raise refused_pull(answer.words, image, platform)
            await _follow(answer, image, platform, report, deadline)
    except TimeoutError:
        raise DeadlinePassed(
            f"pulling {image!r}: the engine reported nothing for {SILENCE_SECONDS:.0f} s",
            reason=Reason.IMAGE_UNAVAILABLE,
            advice="See whether the engine reaches the registry: `docker pull`.",
        ) from None


async def _follow(
    stream: ByteStream,
    image: str,
    platform: str,
    report: Callable[[Progress], None],
    deadline: asyncio.Timeout,
) -> None:
    layers = Layers()
    loop = asyncio.get_running_loop()
    try:
        async with aclosing(stream.documents()) as lines:
            async for line in lines:
                deadline.reschedule(loop.time() + SILENCE_SECONDS)
                if words := _error(line):
                    raise refused_pull(words, image, platform)
                if layers.take(line):
                    report(layers.progress(image))
    finally:
        await stream.aclose()


def _error(line: Mapping[str, Any]) -> str:
    detail = line.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    return str(line.get("error", ""))


class Layers:
    """How far each layer of a pull has come."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, int]] = {}
        self._seen: set[str] = set()
        self._ready: set[str] = set()

    def take(self, line: Mapping[str, Any]) -> bool:
        """Note one line of progress; whether it changed anything."""
        layer, status = str(line.get("id", "")), str(line.get("status", ""))
        if not layer or status.startswith("Pulling from"):
            return False
        self._seen.add(layer)
        if status in {"Pull complete", "Already exists"}:
            self._ready.add(layer)
            done, total = self._sizes.get(layer, (0, 0))
            self._sizes[layer] = (max(done, total), total)
            return True
        detail = line.get("progressDetail")
        if status == "Downloading" and isinstance(detail, dict) and "current" in detail:
            current = int(detail["current"])
            self._sizes[layer] = (current, max(int(detail.get("total", 0)), current))
            return True
        if status == "Download complete" and layer in self._sizes:
            total = self._sizes[layer][1]
            self._sizes[layer] = (total, total)
            return True
        return False

    def progress(self, image: str) -> Progress:
        """Bytes and layers, done of all that are known so far."""
        done = sum(done for done, _ in self._sizes.values())
        total = sum(total for _, total in self._sizes.values())
        detail = f"{image}: {len(self._ready)} of {len(self._seen)} layers"
        return Progress(phase="pulling", detail=detail, done=done, total=total)
