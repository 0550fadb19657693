"""The line with which a plugin says where it listens, and the environment it reads.

``1|1|unix|<path>|grpc|<cert or empty>[|<multiplexing>]``. A reader takes four parts or
more; the Go project's plugins print seven.
"""

from __future__ import annotations

from typing import NamedTuple

from dayfly.contract.errors import InvalidField

COOKIE_NAME = "WORKFLOW_PLUGIN"
COOKIE_VALUE = "workflow-external-plugin-v1"
CORE_VERSION = 1
PROTOCOL_VERSION = 1
PROTOCOL_VERSIONS_ENV = "PLUGIN_PROTOCOL_VERSIONS"
SOCKET_DIR_ENV = "PLUGIN_UNIX_SOCKET_DIR"
MULTIPLEX_ENV = "PLUGIN_MULTIPLEX_GRPC"
MIN_PORT_ENV = "PLUGIN_MIN_PORT"
MAX_PORT_ENV = "PLUGIN_MAX_PORT"
CLIENT_CERT_ENV = "PLUGIN_CLIENT_CERT"
#: Plugins that run already, for a host; what makes a plugin run by hand, for the plugin.
REATTACH_ENV = "DAYFLY_REATTACH_PLUGINS"
DEBUG_ENV = "DAYFLY_DEBUG_PLUGIN"
SOCKET_PREFIX_ENV = "PLUGIN_UNIX_SOCKET_"

#: Health is asked about this service.
HEALTH_SERVICE = "plugin"

#: ``sun_path`` holds 108 bytes on Linux and 104 on macOS, the last one being NUL.
MAX_SOCKET_PATH_BYTES = 103

#: A handshake line that does not end by here is no handshake line.
MAX_LINE_BYTES = 4096

#: A host takes no larger answer: several of them have to fit its memory, some three times
#: each. It is 50,000 jobs in a list, or the whole output of a job in one chunk.
MAX_ANSWER_BYTES = 32 * 1024 * 1024

#: How much of a stream waits for its reader, in bytes. Left to itself, gRPC takes ever more from
#: a sender that is quicker: a stream of 1 GB took 300 MiB of a host on a busy machine.
FLOW_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1024 * 1024),
)

#: For a host's channel on grpc.aio.
CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    *FLOW_OPTIONS,
)

#: For a plugin's server on grpc.aio: no limit for messages, since hosts differ in what they
#: take and are trusted, and no simultaneous call turned away.
SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.server.max_pending_requests", 1_000_000),
    ("grpc.server.max_pending_requests_hard_limit", 1_000_000),
)


class HandshakeLine(NamedTuple):
    """A plugin's answer: where it listens."""

    path: str
    multiplexing: bool | None = None

    def render(self) -> str:
        """The line, without its newline."""
        line = f"{CORE_VERSION}|{PROTOCOL_VERSION}|unix|{self.path}|grpc|"
        return line if self.multiplexing is None else f"{line}|{str(self.multiplexing).lower()}"


def parse_handshake_line(line: str) -> HandshakeLine:
    """Read a plugin's line.

    Raises:
        InvalidField: Naming the part that is wrong, what it was and what is allowed.
    """
    parts = line.strip().split("|")
    if len(parts) < 4:
        raise _refused("line", line, "at least four parts split by '|'")
    core, protocol, network, path = parts[:4]
    if core != str(CORE_VERSION):
        raise _refused("core version", core, str(CORE_VERSION))
    if protocol != str(PROTOCOL_VERSION):
        raise _refused("protocol version", protocol, str(PROTOCOL_VERSION))
    if network != "unix":
        raise _refused("network", network, "'unix'")
    if not path.startswith("/") or "\0" in path:
        raise _refused("address", path, "an absolute path")
    if len(path.encode(errors="replace")) > MAX_SOCKET_PATH_BYTES:
        raise _refused("address", path, f"at most {MAX_SOCKET_PATH_BYTES} bytes")
    kind = parts[4] if len(parts) > 4 and parts[4] else "grpc"
    if kind != "grpc":
        raise _refused("protocol", kind, "'grpc'")
    if len(parts) > 5 and parts[5]:
        raise _refused("certificate", "one", "none: the socket's directory is the boundary")
    return HandshakeLine(path, parts[6] == "true" if len(parts) > 6 else None)


def _refused(part: str, got: str, allowed: str) -> InvalidField:
    shown = got if len(got) <= 120 else got[:120] + "..."
    return InvalidField(
        f"the handshake's {part} is {shown!r}; allowed is {allowed}", field=f"handshake.{part}"
    )
