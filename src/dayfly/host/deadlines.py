"""How long the host waits for a plugin, and for what. All in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Every wait of the host has a bound; these are they.

    Attributes:
        start: Until the handshake line, from when it is first listened for.
        load: One of the calls that load a plugin.
        call: One question and its answer.
        run: ``RunJob``; some classic plugins answer only once the whole job has ended.
        cancel: A provider may answer only after the job's grace period.
        prune: Removing a thousand things, one call each, takes its time.
        silence: Between two signs of a launch; pulling an image may take an hour, but
            not without a word.
        stop: From asking a plugin to end to killing it.
    """

    start: float = 60.0
    load: float = 20.0
    call: float = 60.0
    run: float = 24 * 3600.0
    cancel: float = 600.0
    prune: float = 600.0
    silence: float = 180.0
    stop: float = 2.0


DEFAULTS = Deadlines()
