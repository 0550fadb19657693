"""Ends a connection without an answer."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


class Cut(Exception):  # noqa: N818 - no error: a way to answer
    """The connection is to be cut."""

    def __init__(self, *, orderly: bool) -> None:
        super().__init__()
        self.orderly = orderly


def cut(request: web.BaseRequest, *, orderly: bool) -> None:
    """Close it in order, or reset it."""
    transport = request.transport
    if transport is None:
        return
    held = transport.get_extra_info("socket")
    if held is not None and not orderly:
        # Without lingering the peer gets a reset, not an orderly end.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
