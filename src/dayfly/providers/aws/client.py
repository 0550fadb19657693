"""Calls to AWS: one at a time or many, paced, without retries of their own, errors translated.

Retries are dayfly's: botocore's are switched off, because it cannot know what is safe.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import Throttled, Unavailable
from dayfly.providers.aws.errors import from_client_error
from dayfly.providers.aws.regions import known_regions
from dayfly.providers.aws.way import from_botocore
from dayfly.sdk.pacing import Pacers, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiobotocore.session import AioSession

    from dayfly.contract.errors import DayflyError
    from dayfly.providers.aws.config import Config

#: Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html and
#: .../fargate/throttling.html (RunTask, DescribeTasks); CloudWatch Logs and Batch quotas.
#: [?] Registering and removing definitions is not published: a call a second.
RATES: Final = {
    "ecs.RunTask": Rate(18, 19),
    "ecs.DescribeTasks": Rate(50, 20),
    "ecs.ListTasks": Rate(50, 20),
    "ecs.StopTask": Rate(50, 20),
    "ecs.RegisterTaskDefinition": Rate(10, 1),
    "ecs.DeregisterTaskDefinition": Rate(10, 1),
    "ecs.DeleteTaskDefinitions": Rate(5, 1),
    "ecs.DescribeTaskDefinition": Rate(50, 20),
    "logs.GetLogEvents": Rate(10, 22),
    "logs.FilterLogEvents": Rate(3, 4.5),
    "logs.CreateLogGroup": Rate(5, 5),
    "logs.DescribeLogGroups": Rate(5, 8),
    "logs.DescribeLogStreams": Rate(10, 22),
    "batch.SubmitJob": Rate(50, 50),
    "batch.DescribeJobs": Rate(50, 50),
    "batch.ListJobs": Rate(10, 10),
    "batch.TerminateJob": Rate(10, 10),
    "batch.DescribeJobDefinitions": Rate(10, 10),
    "batch.RegisterJobDefinition": Rate(10, 1),
    "batch.DeregisterJobDefinition": Rate(10, 1),
}

_CONNECT_SECONDS: Final = 5
#: StopTask of some stand-ins answers only after the grace period.
_READ_SECONDS: Final = 60
_CONNECTIONS: Final = 50


class Aws:
    """One identity at AWS; a client for each service and region, made when first used.

    Attributes:
        rates: What calls are held to, by ``ecs.RunTask``; others are not held back.
    """

    def __init__(self, config: Config, *, rates: Mapping[str, Rate] = RATES) -> None:
        self._config = config
        self.rates = rates
        self._session: AioSession | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = asyncio.Lock()
        self._open = AsyncExitStack()
        self._pacers: dict[str, Pacers] = {}
        self._closed = False

    async def call(
        self, service: str, operation: str, *, region: str = "", tried: str = "", **params: Any
    ) -> dict[str, Any]:
        """One request.

        Args:
            service: As botocore names it, such as ``ecs``.
            operation: As AWS names it, such as ``RunTask``.
            region: Another than the configured one.
            tried: What is being done, for an error; the operation's name by default.
            params: The request, in AWS's own names.

        Raises:
            DayflyError: As ``errors`` and ``way`` translate it.
        """
        from botocore import xform_name  # noqa: PLC0415 - 170 ms, after the handshake

        tried, kind = tried or f"{service}:{operation}", f"{service}.{operation}"
        client = await self._client(service, region, tried)
        pacers = self._pacers.setdefault(client.meta.region_name, Pacers(self.rates))
        await pacers.turn(kind)
        try:
            answer: dict[str, Any] = await getattr(client, xform_name(operation))(**params)
        except Exception as error:
            failure = _translated(error, tried, client)
            if isinstance(failure, Throttled):
                pacers.throttled(kind)
            raise failure from error
        return answer

    async def region(self) -> str:
        """The region that is asked when none is named.

        Raises:
            InvalidField: None is configured anywhere.
        """
        return str((await self._client("ecs", "", "finding the region")).meta.region_name)

    async def close(self) -> None:
        """Close every connection. A call that comes later opens none."""
        self._closed = True
        self._clients.clear()
        await self._open.aclose()

    async def _client(self, service: str, region: str, tried: str) -> Any:
        where = region or self._config.region
        if (service, where) in self._clients:
            return self._clients[service, where]
        async with self._making:
            if self._closed:
                raise Unavailable(f"{tried}: the connection to AWS was closed, for new settings")
            if (service, where) not in self._clients:
                try:
                    self._clients[service, where] = await self._make(service, where)
                except ModuleNotFoundError:
                    raise  # The extra is not installed, which the SDK explains.
                except Exception as error:
                    raise from_botocore(error, tried) from error
        return self._clients[service, where]

    async def _make(self, service: str, region: str) -> Any:
        from dayfly.providers.aws.identity import make_session  # noqa: PLC0415 - imports botocore

        if self._session is None:
            self._session = await make_session(self._config, client_config())
        return await self._open.enter_async_context(
            self._session.create_client(
                service,
                region_name=region or None,
                endpoint_url=self._config.endpoint_url or None,
                config=client_config(),
            )
        )


def _translated(error: Exception, tried: str, client: Any) -> DayflyError:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - after the handshake

    if isinstance(error, ClientError):
        return from_client_error(error, tried)
    region, url = client.meta.region_name, client.meta.endpoint_url
    known = f".{region}." not in url or region in known_regions(region)
    return from_botocore(error, tried, region_known=known)


def client_config() -> Any:
    """Settings of every client: one try, bounded waits."""
    from aiobotocore.config import AioConfig  # noqa: PLC0415 - 170 ms, after the handshake

    return AioConfig(
        retries={"total_max_attempts": 1},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
        user_agent_extra="dayfly",
    )
