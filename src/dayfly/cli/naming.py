"""Which job is meant: a name, the beginning of one, ``@latest``, or a handle token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dayfly.contract.errors import InvalidField
from dayfly.contract.tokens import PREFIX, from_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.jobs import JobHandle
    from dayfly.jobs import JournalEntry

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """A job that a person named.

    Attributes:
        provider: The configuration it is on.
        key: Its idempotency key; empty where only the handle is known.
        name: What a person called it.
        handle: None where a launch was written down but never answered.
    """

    provider: str
    key: str = ""
    name: str = ""
    handle: JobHandle | None = None


def choose(selector: str, on: str = "") -> Chosen:
    """Find the job that a selector names.

    Args:
        selector: A name, a unique prefix of one, ``@latest``, or a token.
        on: The configuration to reach it through; empty is the one it was launched on,
            and for a token the one that configures the plugin that made it.

    Raises:
        NotFound: The journal of this machine has no such job.
        InvalidField: The token is damaged, several jobs have this prefix, or several
            configurations the token's plugin.
    """
    handle = from_token(selector) if selector.startswith(PREFIX) else None
    from dayfly.jobs import Journal  # noqa: PLC0415 - not needed to parse or to complete

    journal = Journal.open()
    if handle is None:
        return chosen_from(journal.find(selector), on)
    for entry in journal.entries():
        if entry.handle == handle:
            return chosen_from(entry, on)
    provider = on or _configured_for(handle.provider)
    return Chosen(provider=provider, name=handle.name, handle=handle)


def _configured_for(plugin: str) -> str:
    """The configuration through which a job of another machine is reached.

    Raises:
        InvalidField: Several configure its plugin, and none of them is the default.
    """
    from dayfly.host import load_config  # noqa: PLC0415 - see choose()

    config = load_config()
    names = [name for name, one in config.providers.items() if one.plugin == plugin]
    if len(names) > 1 and config.default_provider not in names:
        raise InvalidField(
            f"the job was made by the plugin {plugin!r}, and several configurations have it: "
            f"{', '.join(names)}",
            field="provider",
            advice="Name the one that it runs on with --on.",
        )
    if config.default_provider in names:
        return config.default_provider
    return names[0] if names else plugin


def chosen_from(entry: JournalEntry, on: str = "") -> Chosen:
    """What the journal knows of a job, as if a person had named it."""
    return Chosen(
        provider=on or entry.provider, key=entry.key, name=entry.name, handle=entry.handle
    )


def job_argument(*, many: bool = False) -> Callable[[F], F]:
    """Add the argument that names a job, or several."""
    return click.argument(
        "selectors" if many else "selector",
        metavar="JOB..." if many else "JOB",
        nargs=-1 if many else 1,
        required=True,
        shell_complete=_complete_job,
    )


def _complete_job(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    del context, parameter
    from dayfly.jobs import Journal  # noqa: PLC0415 - see choose()

    names = [entry.name for entry in Journal.open().entries() if not entry.deleted]
    return [name for name in ("@latest", *names) if name.startswith(begun)]


def complete_provider(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Configured providers, and plugins that are installed."""
    del context, parameter
    from dayfly.host import list_plugins, load_config  # noqa: PLC0415 - see choose()

    installed = (plugin.name for plugin in list_plugins().plugins)
    names = dict.fromkeys((*load_config().providers, *installed))
    return [name for name in names if name.startswith(begun)]
