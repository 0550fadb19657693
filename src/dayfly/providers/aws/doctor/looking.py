"""One look of ``doctor``: its failure is a check like any other, and hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import (
    DayflyError,
    PermissionDenied,
    ProviderFailed,
    Transient,
    Unauthenticated,
)
from dayfly.contract.provider import Check, CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence


def passed(name: str, detail: str) -> Check:
    """What was seen is as it should be."""
    return Check(name=name, outcome=CheckOutcome.PASSED, detail=detail)


def warning(name: str, detail: str, advice: str = "") -> Check:
    """A launch may work, and a person should know of this."""
    return Check(name=name, outcome=CheckOutcome.WARNING, detail=detail, advice=advice)


def failed(name: str, detail: str, advice: str = "") -> Check:
    """A launch cannot work."""
    return Check(name=name, outcome=CheckOutcome.FAILED, detail=detail, advice=advice)


async def look(
    name: str,
    looking: Awaitable[Check | Sequence[Check]],
    *,
    identity: bool = False,
    mend: str = "Set what is right in [providers.NAME].",
) -> Sequence[Check]:
    """The checks of a look, or the one that says why there are none.

    Args:
        name: What is looked at.
        looking: Does it.
        identity: It is the look at who asks; others only refer to it where AWS knows nobody.
        mend: What to do about a failure that does not say it itself.
    """
    try:
        seen = await looking
    except (PermissionDenied, ProviderFailed, Unauthenticated) as error:
        return [_refused(name, error, identity=identity)]
    except Transient as error:
        return [failed(name, error.message, error.advice or "Try again in a moment.")]
    except DayflyError as error:
        return [failed(name, error.message, error.advice or mend)]
    except ModuleNotFoundError:
        raise  # Every look would say it; it is told once, with what to install.
    except Exception as error:  # noqa: BLE001 - a fault of one look hides no other
        said = f"the look itself broke: {type(error).__name__}: {error}"
        return [failed(name, said, "This is a fault in dayfly.")]
    return [seen] if isinstance(seen, Check) else seen


def _refused(name: str, error: DayflyError, *, identity: bool) -> Check:
    if identity:
        return failed(name, error.message, error.advice or "See what AWS says of it.")
    # A launch makes none of these calls, so it may work all the same.
    if not isinstance(error, Unauthenticated):
        return warning(name, f"could not be looked at: {error.message}", error.advice)
    return warning(name, "was not looked at: AWS does not know who asks")
