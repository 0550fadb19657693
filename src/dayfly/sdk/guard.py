"""At the edge of every call: our errors get their gRPC code, others are explained."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DayflyError, ProviderFailed
from dayfly.contract.rpc_errors import abort
from dayfly.sdk.log import logger
from dayfly.sdk.redaction import redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio


@asynccontextmanager
async def answering(context: grpc.aio.ServicerContext[Any, Any], call: str) -> AsyncIterator[None]:
    """Turn what a provider raises into an answer; nothing secret leaves with it.

    Args:
        context: The call's.
        call: Its name, for an error that does not explain itself.
    """
    try:
        yield
    except DayflyError as error:
        error.message, error.advice = redact(error.message), redact(error.advice)
        await abort(context, error)
    except Exception as error:  # noqa: BLE001 - a provider's defect must not hang its caller
        logger.exception("%s failed", call)
        await abort(
            context,
            ProviderFailed(
                redact(f"{call} failed in the plugin: {type(error).__name__}: {error}"),
                advice="This is a defect of the plugin; its log has the traceback.",
            ),
        )
