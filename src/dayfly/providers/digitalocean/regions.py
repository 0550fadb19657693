"""Where App Platform runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.provider import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.providers.digitalocean.session import Session


class Regions:
    """Lists regions (``IaCProviderRegionLister``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_regions(self, env_name: str) -> Sequence[Region]:
        """Regions that are open for new apps, by name.

        Args:
            env_name: Of no meaning here: an account's regions are the same in all of them.

        Raises:
            Unauthenticated: DigitalOcean does not know who asks.
        """
        del env_name
        answer = await self._session.api.request(
            "GET", "/v2/apps/regions", tried="listing the regions"
        )
        rows = [row for row in answer.get("regions") or () if not row.get("disabled")]
        found = {str(row["slug"]): str(row.get("label", "")) for row in rows if row.get("slug")}
        return [Region(name=name, display_name=label) for name, label in sorted(found.items())]
