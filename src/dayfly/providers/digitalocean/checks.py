"""What ``dayfly doctor`` looks at: the account, the region, the size, the registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, NotFound, PermissionDenied
from dayfly.contract.provider import Check, CheckOutcome
from dayfly.providers.digitalocean.component import REGISTRY
from dayfly.providers.digitalocean.sizes import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.providers.digitalocean.session import Session

PASSED, WARNING, FAILED = CheckOutcome.PASSED, CheckOutcome.WARNING, CheckOutcome.FAILED


async def run_checks(session: Session) -> Sequence[Check]:
    """One after the other; without an account the others would only say the same."""
    account = await _account(session)
    if account.outcome is FAILED:
        return [account]
    return [
        account,
        await _apps(session),
        await _region(session),
        await _size(session),
        *await _registries(session),
    ]


async def _account(session: Session) -> Check:
    try:
        answer = await session.api.request("GET", "/v2/account", tried="asking who this is")
    except PermissionDenied:
        detail = "the token is valid, and may not read the account"
        return Check(name="account", outcome=PASSED, detail=detail)
    except DayflyError as error:
        return _failed("account", error)
    account = answer.get("account") or {}
    status = str(account.get("status", "active"))
    team = (account.get("team") or {}).get("name", "")
    detail = f"{account.get('email', 'unknown')}{f', team {team}' if team else ''}, {status}"
    if status != "active":
        words = str(account.get("status_message", ""))
        return Check(name="account", outcome=WARNING, detail=f"{detail}: {words}".rstrip(": "))
    return Check(name="account", outcome=PASSED, detail=detail)


async def _apps(session: Session) -> Check:
    try:
        apps = await session.apps.all()
    except DayflyError as error:
        return _failed("apps", error)
    return Check(name="apps", outcome=PASSED, detail=f"{len(apps)} there")


async def _region(session: Session) -> Check:
    wanted = session.config.region
    try:
        answer = await session.api.request("GET", "/v2/apps/regions", tried="listing the regions")
    except DayflyError as error:
        return _failed("region", error)
    rows = {str(row.get("slug", "")): row for row in answer.get("regions") or ()}
    if not wanted:
        return Check(name="region", outcome=PASSED, detail="none is set: the nearest one")
    row = rows.get(wanted)
    if row is None or row.get("disabled"):
        why = (row or {}).get("reason") or "App Platform does not offer it"
        advice = f"Open: {', '.join(n for n, r in sorted(rows.items()) if not r.get('disabled'))}"
        return Check(name="region", outcome=FAILED, detail=f"{wanted}: {why}", advice=advice)
    return Check(name="region", outcome=PASSED, detail=wanted)


async def _size(session: Session) -> Check:
    wanted = session.config.size or DEFAULT
    path = f"/v2/apps/tiers/instance_sizes/{wanted}"
    try:
        answer = await session.api.request("GET", path, tried=f"looking at the size {wanted}")
    except NotFound:
        return Check(name="size", outcome=FAILED, detail=f"there is no size {wanted}")
    except DayflyError as error:
        return _failed("size", error)
    size = answer.get("instance_size") or {}
    price = size.get("usd_per_second")
    detail = f"{wanted}{f', {price} USD a second' if price else ''}"
    if size.get("deprecation_intent"):
        return Check(name="size", outcome=WARNING, detail=f"{detail}: it is to be withdrawn")
    return Check(name="size", outcome=PASSED, detail=detail)


async def _registries(session: Session) -> list[Check]:
    checks = []
    for host, reference in session.config.registry_credentials.items():
        name = f"registry {host}"
        try:
            value = (await session.resolve({REGISTRY: reference}))[REGISTRY]
        except DayflyError as error:
            checks.append(_failed(name, error))
            continue
        fine = ":" in value
        advice = "" if fine else "App Platform takes USER:PASSWORD."
        checks.append(
            Check(
                name=name,
                outcome=PASSED if fine else FAILED,
                detail="credentials are there" if fine else "no USER:PASSWORD",
                advice=advice,
            )
        )
    return checks


def _failed(name: str, error: DayflyError) -> Check:
    return Check(name=name, outcome=FAILED, detail=error.message, advice=error.advice)
