"""Plugins put in their places, and taken out: whole or not at all.

A rename is one step for the system, and two of them are not. So the former version is kept
beside the new one until ``plugins.lock`` tells of the new one; a process that dies between
leaves it there, and whoever comes next looks at the lock to see which of them holds.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import AlreadyExists, FailedPrecondition, NotFound
from dayfly.host.packages.guard import held
from dayfly.host.packages.integrity import difference
from dayfly.host.packages.lock import read_lock, write_lock

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.host.packages.lock import LockedPlugin

#: A hidden directory of these holds what is being unpacked, what is replaced, what goes.
NEW: Final = ".new-"
OLD: Final = ".old-"
_GONE: Final = ".gone-"
_ABANDONED_SECONDS: Final = 24 * 3600


def put(plugins: Path, new: Path, locked: LockedPlugin) -> None:
    """Put an unpacked plugin in its place, instead of an installed one of its name.

    Raises:
        AlreadyExists: A plugin of this name was put there by hand.
        FailedPrecondition: The system could not; what was there before is there still.
        DeadlinePassed: Another process changes the directory.
    """
    place, old = plugins / locked.name, plugins / f"{OLD}{locked.name}"
    with held(plugins):
        recover(plugins)
        before = read_lock(plugins)
        if locked.name not in before and os.path.lexists(place):
            raise AlreadyExists(
                f"{place} was put there by hand, and is not replaced",
                advice=f"Move it away: mv {place} somewhere/else",
            )
        try:
            if os.path.lexists(place):
                place.rename(old)
            new.rename(place)
            write_lock(plugins, before | {locked.name: locked})
        except BaseException as error:
            # A Ctrl-C may come when the lock has told of the new one already.
            if read_lock(plugins).get(locked.name) != locked:
                _roll_back(place, old, new)
            if isinstance(error, OSError):
                raise FailedPrecondition(
                    f"plugin {locked.name!r} could not be put into {plugins}: {error}; what was "
                    "there before is there still"
                ) from error
            raise
        shutil.rmtree(old, ignore_errors=True)


def take_out(plugins: Path, name: str) -> LockedPlugin:
    """Remove an installed plugin.

    Returns:
        What it was.

    Raises:
        NotFound: It is not there.
        FailedPrecondition: It was put there by hand, or the system could not remove it.
    """
    place, gone = plugins / name, plugins / f"{_GONE}{name}-{os.urandom(4).hex()}"
    if not plugins.is_dir():
        raise NotFound(f"no plugin {name!r} was installed into {plugins}", field="plugin")
    with held(plugins):
        recover(plugins)
        before = read_lock(plugins)
        if name not in before:
            if os.path.lexists(place):
                raise FailedPrecondition(
                    f"{place} was put there by hand, and is not removed",
                    advice=f"rm -r {place}",
                )
            raise NotFound(f"no plugin {name!r} was installed into {plugins}", field="plugin")
        try:
            if os.path.lexists(place):
                place.rename(gone)
            write_lock(plugins, {key: value for key, value in before.items() if key != name})
        except OSError as error:
            if os.path.lexists(gone):
                gone.rename(place)
            raise FailedPrecondition(
                f"plugin {name!r} could not be removed from {plugins}: {error}"
            ) from error
        shutil.rmtree(gone, ignore_errors=True)
    return before[name]


def recover(plugins: Path) -> None:
    """End what a process began that died; the caller holds the directory."""
    locked = read_lock(plugins)
    for old in plugins.glob(f"{OLD}*"):
        name = old.name.removeprefix(OLD)
        place = plugins / name
        if not (place.is_dir() and name in locked and not difference(place, locked[name])):
            shutil.rmtree(place, ignore_errors=True)
            old.rename(place)
        else:
            shutil.rmtree(old, ignore_errors=True)
    for gone in plugins.glob(f"{_GONE}*"):
        shutil.rmtree(gone, ignore_errors=True)
    for new in plugins.glob(f"{NEW}*"):
        # Another process may unpack at this moment: it does so before it holds the directory.
        with suppress(FileNotFoundError):  # It has put it in its place.
            if time.time() - new.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(new, ignore_errors=True)


def settle(plugins: Path) -> None:
    """Wait for a process that changes the directory; end what one began that died.

    Raises:
        DeadlinePassed: It does not end.
        FailedPrecondition: ``plugins.lock`` is damaged.
    """
    with held(plugins, shared=True):
        began = any(plugins.glob(f"{OLD}*"))
    if not began or not os.access(plugins, os.W_OK):
        return  # Nothing is amiss, or nothing that this user can mend.
    with held(plugins):
        recover(plugins)


def _roll_back(place: Path, old: Path, new: Path) -> None:
    if not os.path.lexists(new) and os.path.lexists(place):
        place.rename(new)
    if os.path.lexists(old):
        old.rename(place)
