"""What ``dayfly doctor`` looks at on an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DayflyError
from dayfly.contract.provider import Check, CheckOutcome
from dayfly.providers.docker.config import Pull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.providers.docker.client import Engine
    from dayfly.providers.docker.config import Config


async def run_checks(engine: Engine, config: Config) -> Sequence[Check]:
    """Look at the engine: there, new enough, and able to do what jobs ask for."""
    endpoint = engine.endpoint
    where = f"{endpoint.url}, from {endpoint.why}"
    try:
        info = await engine.info()
    except DayflyError as error:
        return [
            Check(
                name="engine",
                outcome=CheckOutcome.FAILED,
                detail=f"{where}: {error.message}",
                advice=error.advice,
            )
        ]
    version = f"{info.get('ServerVersion')}, API {engine.api_version}"
    return [
        Check(name="engine", outcome=CheckOutcome.PASSED, detail=f"{where}: {version}"),
        _limit(info, "memory limits", ("MemoryLimit", "SwapLimit"), "--memory"),
        _limit(info, "cpu limits", ("CpuCfsPeriod", "CpuCfsQuota"), "--cpus"),
        _log_driver(info),
        _images(info, config),
    ]


def _limit(info: dict[str, Any], name: str, needed: tuple[str, ...], flag: str) -> Check:
    missing = [key for key in needed if not info.get(key)]
    if not missing:
        return Check(name=name, outcome=CheckOutcome.PASSED)
    return Check(
        name=name,
        outcome=CheckOutcome.WARNING,
        detail=f"the engine's kernel has no {', '.join(missing)}",
        advice=f"{flag} will not hold; boot with the cgroup controllers on.",
    )


def _log_driver(info: dict[str, Any]) -> Check:
    drivers = (info.get("Plugins") or {}).get("Log") or []
    if "local" in drivers:
        return Check(name="log driver", outcome=CheckOutcome.PASSED, detail="local")
    return Check(
        name="log driver",
        outcome=CheckOutcome.FAILED,
        detail=f"the engine has no log driver 'local': {', '.join(drivers)}",
        advice="Use Docker Engine 20.10 or later; only this driver keeps every byte.",
    )


def _images(info: dict[str, Any], config: Config) -> Check:
    detail = f"{info.get('Images', 0)} there, stored with {info.get('Driver')}; pull {config.pull}"
    if config.pull is Pull.NEVER and not info.get("Images"):
        return Check(
            name="images",
            outcome=CheckOutcome.WARNING,
            detail=detail,
            advice="Load an image, or set pull to 'missing'.",
        )
    return Check(name="images", outcome=CheckOutcome.PASSED, detail=detail)
