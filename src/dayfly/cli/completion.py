"""``dayfly completion``: what a shell sources to complete our options and jobs."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from dayfly.cli.printing import print_json, show
from dayfly.cli.settings import Settings, shared_options

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@shared_options
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  dayfly completion bash > ~/.local/share/bash-completion/completions/dayfly
    zsh:   dayfly completion zsh > "${fpath[1]}/_dayfly"
    fish:  dayfly completion fish > ~/.config/fish/completions/dayfly.fish
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    template = _SHELLS[shell](context.find_root().command, {}, "dayfly", "_DAYFLY_COMPLETE")
    # Not source(): for bash it runs a bash to look at its version.
    script = template.source_template % template.source_vars()
    if context.ensure_object(Settings).json:
        print_json({"shell": shell, "script": script})
    else:
        show(script)
