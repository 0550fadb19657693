"""Which regions there are: the account's, where it may be asked, else botocore's list."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import PermissionDenied
from dayfly.contract.provider import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.providers.aws.session import Session

#: Whose list is shown where the configured region is in none.
_COMMERCIAL: Final = "aws"


class Regions:
    """Lists regions (``IaCProviderRegionLister``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_regions(self, env_name: str) -> Sequence[Region]:
        """Regions that are enabled for the account, by name.

        Args:
            env_name: Of no meaning here: an account's regions are the same in all of them.

        Raises:
            Unauthenticated: AWS does not know who asks.
        """
        del env_name
        region = await self._session.aws.region()
        names = known_regions(region)
        try:
            answer = await self._session.aws.call(
                "ec2", "DescribeRegions", tried="listing the regions"
            )
        except PermissionDenied:
            # It is known who asks, and EC2 is not for them: a role that only launches.
            return [Region(name=name, display_name=said) for name, said in sorted(names.items())]
        enabled = sorted(str(row["RegionName"]) for row in answer.get("Regions", ()))
        return [Region(name=name, display_name=names.get(name, "")) for name in enabled]


def known_regions(region: str) -> dict[str, str]:
    """Name to display name, of the partition that a region is in."""
    partitions = _partitions()
    found = [part for part in partitions if region in part["regions"]]
    found = found or [part for part in partitions if part["partition"] == _COMMERCIAL]
    return {name: str(about["description"]) for name, about in found[0]["regions"].items()}


@cache
def _partitions() -> list[dict[str, Any]]:
    from botocore.loaders import Loader  # noqa: PLC0415 - 80 ms, after the handshake

    found: list[dict[str, Any]] = Loader().load_data("endpoints")["partitions"]
    return found
