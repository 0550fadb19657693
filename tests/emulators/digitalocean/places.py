"""What is the same for every account: regions and sizes; and who the account is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.digitalocean.errors import not_found

if TYPE_CHECKING:
    from tests.emulators.digitalocean.calls import Call

#: Slug to label, continent and data centre.
REGIONS: Final = {
    "ams": ("Amsterdam", "Europe", "ams3"),
    "atl": ("Atlanta", "North America", "atl1"),
    "blr": ("Bangalore", "Asia", "blr1"),
    "fra": ("Frankfurt", "Europe", "fra1"),
    "lon": ("London", "Europe", "lon1"),
    "nyc": ("New York", "North America", "nyc1"),
    "sfo": ("San Francisco", "North America", "sfo3"),
    "sgp": ("Singapore", "Asia", "sgp1"),
    "syd": ("Sydney", "Australia", "syd1"),
    "tor": ("Toronto", "North America", "tor1"),
}
SIZES: Final = (
    "apps-s-1vcpu-0.5gb", "apps-s-1vcpu-1gb", "apps-s-1vcpu-2gb", "apps-s-2vcpu-4gb",
    "apps-d-1vcpu-0.5gb", "apps-d-1vcpu-1gb", "apps-d-1vcpu-2gb", "apps-d-1vcpu-4gb",
    "apps-d-2vcpu-4gb", "apps-d-2vcpu-8gb", "apps-d-4vcpu-8gb", "apps-d-4vcpu-16gb",
    "apps-d-8vcpu-32gb",
)  # fmt: skip
_SIZE: Final = re.compile(r"apps-([sd])-(\d)vcpu-([\d.]+)gb")
_USD_PER_MONTH_AND_GB: Final = 10


def list_regions(call: Call) -> dict[str, Any]:
    """apps_list_regions."""
    off = call.account.knobs.disabled_regions
    rows = []
    for slug, (label, continent, center) in REGIONS.items():
        row: dict[str, Any] = {"slug": slug, "label": label, "flag": slug, "continent": continent}
        row["data_centers"] = [center]
        if slug in off:
            row |= {"disabled": True, "reason": "at capacity"}
        if slug == "fra":
            row["default"] = True
        rows.append(row)
    return {"regions": rows}


def list_sizes(call: Call) -> dict[str, Any]:
    """apps_list_instanceSizes."""
    return {"instance_sizes": [_size(slug) for slug in SIZES]}


def get_size(call: Call) -> dict[str, Any]:
    """apps_get_instanceSize."""
    if call.path["slug"] not in SIZES:
        not_found()
    return {"instance_size": _size(call.path["slug"])}


def get_account(call: Call) -> dict[str, Any]:
    """account_get."""
    status = call.account.knobs.account_status
    account = {
        "email": "someone@example.com",
        "uuid": call.account.id,
        "email_verified": True,
        "status": status,
        "status_message": "" if status == "active" else "contact support",
        "droplet_limit": 25,
        "team": {"uuid": call.account.id, "name": "Emulated"},
    }
    return {"account": account}


def _size(slug: str) -> dict[str, Any]:
    kind, cpus, memory = _SIZE.fullmatch(slug).groups()  # type: ignore[union-attr]
    price = float(memory) * _USD_PER_MONTH_AND_GB
    return {
        "slug": slug,
        "name": slug,
        "cpu_type": "SHARED" if kind == "s" else "DEDICATED",
        "cpus": cpus,
        "memory_bytes": str(int(float(memory) * 1024**3)),
        "usd_per_month": f"{price:.2f}",
        "usd_per_second": f"{price / 2678400:.10f}",
        "tier_slug": "basic" if kind == "s" else "professional",
    }
