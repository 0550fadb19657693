"""``dayfly agent``: sandboxes for other machines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dayfly.cli.naming import complete_provider
from dayfly.cli.printing import say
from dayfly.cli.quantities import SECONDS
from dayfly.cli.settings import shared_options

if TYPE_CHECKING:
    from dayfly.sandbox.agent.server import Setup

_FILE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--listen", default="127.0.0.1:50051", metavar="HOST:PORT", show_default=True, help="Where."
)
@click.option("--tls-cert", type=_FILE, help="PEM of its certificate.  [required]")
@click.option("--tls-key", type=_FILE, help="PEM of its key.  [required]")
@click.option("--client-ca", type=_FILE, help="Callers must show a certificate signed by this.")
@click.option(
    "--token-file",
    type=_FILE,
    help="The bearer token that callers must show.  [env: DAYFLY_AGENT_TOKEN holds it; required]",
)
@click.option(
    "--allow-image",
    multiple=True,
    metavar="PATTERN",
    help="An image that may run; * is any text between slashes, ** any text.  [required]",
)
@click.option(
    "--max-profile",
    default="strict",
    metavar="NAME",
    show_default=True,
    help="The least strict profile that is given; who asks for less gets this one.",
)
@click.option(
    "--secret-prefix",
    multiple=True,
    metavar="PREFIX",
    help="secret:// names that callers may use begin with this, such as ci/.",
)
@click.option(
    "--on",
    default="",
    metavar="PROVIDER",
    shell_complete=complete_provider,
    help="Where commands run.  [default: docker]",
)
@click.option(
    "--name",
    default="",
    metavar="NAME",
    help="Commands that an earlier agent of this name left are stopped at its start.  "
    "[default: this machine's name and --listen]",
)
@click.option("--at-once", type=click.IntRange(1, 1000), default=8, show_default=True)
@click.option("--grace", type=SECONDS, default=30, help="For commands to end, at a stop: 30s.")
@shared_options
def agent(  # noqa: PLR0917 - click's own way
    listen: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
    token_file: Path | None,
    allow_image: tuple[str, ...],
    max_profile: str,
    secret_prefix: tuple[str, ...],
    on: str,
    name: str,
    at_once: int,
    grace: int,
) -> int:
    """Run sandboxed commands for who has the token (SandboxExecService, over TLS).

    It refuses to start without TLS or without a token. SIGTERM and Ctrl-C stop it: it
    takes no more calls, commands have --grace to end, and what is left is stopped.

    References secret://NAME are resolved here, by the provider's own configuration
    ([providers.NAME.secrets]), and only those that --secret-prefix allows.
    """
    import asyncio  # noqa: PLC0415 - not for --help

    from dayfly.sandbox.agent.policy import Policy, check_pattern  # noqa: PLC0415 - same
    from dayfly.sandbox.agent.server import Setup, check  # noqa: PLC0415 - imports grpc

    _check_pair(tls_cert, tls_key)
    setup = Setup(
        name=name or _name(listen),
        listen=listen,
        token=_token(token_file),
        cert=_pem(tls_cert, "--tls-cert"),
        key=_pem(tls_key, "--tls-key"),
        client_ca=_pem(client_ca, "--client-ca"),
        policy=Policy(
            images=tuple(map(check_pattern, allow_image)),
            highest=max_profile,
            secret_prefixes=secret_prefix,
            provider=on,
        ),
        at_once=at_once,
        grace_seconds=grace,
    )
    check(setup)
    return asyncio.run(_serve(setup, on or "docker"))


async def _serve(setup: Setup, provider: str) -> int:
    from dayfly.api import connect  # noqa: PLC0415 - not for --help
    from dayfly.cli.agent_log import log_to_stderr  # noqa: PLC0415 - same
    from dayfly.cli.interrupts import Interrupts  # noqa: PLC0415 - same
    from dayfly.sandbox.agent.server import serve  # noqa: PLC0415 - same

    log_to_stderr()
    host = setup.listen.rpartition(":")[0]
    with Interrupts() as interrupts:
        async with connect(provider) as reached:
            await serve(
                setup,
                reached,
                interrupts.stop,
                lambda port: say(f"the agent listens on {host}:{port}"),
            )
    say("the agent has stopped")
    return 0


def _name(listen: str) -> str:
    import secrets  # noqa: PLC0415 - not for --help
    import socket  # noqa: PLC0415 - same

    # A port that is chosen at each start makes no name that comes back.
    random = f"#{secrets.token_hex(4)}" if listen.endswith(":0") else ""
    return f"{socket.gethostname()}/{listen}{random}"


def _token(path: Path | None) -> str:
    if path is None:
        return os.environ.pop("DAYFLY_AGENT_TOKEN", "")
    return _pem(path, "--token-file").decode(errors="replace").strip()


def _check_pair(cert: Path | None, key: Path | None) -> None:
    """Refuse a certificate that is none, or whose key is another's, before gRPC meets it."""
    import ssl  # noqa: PLC0415 - not for --help

    from dayfly.contract.errors import FailedPrecondition  # noqa: PLC0415 - same

    if cert is None or key is None or not (cert.is_file() and key.is_file()):
        return  # Told of by whoever reads them.
    try:
        # Without a password nobody is asked for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        raise FailedPrecondition(
            f"{cert} and {key} are no certificate and its key: {error.reason or error}",
            field="tls_cert",
            advice="See that both are PEM, the key without a password and the certificate's own.",
        ) from error


def _pem(path: Path | None, flag: str) -> bytes:
    from dayfly.sandbox.runners import read_file  # noqa: PLC0415 - not for --help

    return read_file(str(path), flag) if path else b""
