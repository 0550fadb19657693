"""Failures on the way to AWS, or before anything was sent: the other half of ``errors``."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any, Final

from dayfly.contract.errors import (
    DayflyError,
    FailedPrecondition,
    InvalidField,
    ProviderFailed,
    Unauthenticated,
    Unavailable,
)
from dayfly.providers.aws.errors import CREDENTIALS

#: Names of botocore's classes, so that it need not be imported to be known.
CREDENTIAL_ERRORS: Final = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
     "UnknownCredentialError", "TokenRetrievalError", "NoAuthTokenError", "SSOError",
     "SSOTokenLoadError", "UnauthorizedSSOTokenError", "LoginError", "LoginRefreshRequired",
     "LoginInsufficientPermissions", "LoginTokenLoadError", "LoginAuthorizationCodeError",
     "InfiniteLoopConfigError", "RefreshWithMFAUnsupportedError"}
)  # fmt: skip
SETTING_ERRORS: Final = {
    "ProfileNotFound": "profile",
    "ConfigNotFound": "profile",
    "ConfigParseError": "profile",
    "InvalidConfigError": "profile",
    "NoRegionError": "region",
    "InvalidRegionError": "region",
    "ParamValidationError": "",
}
#: What this machine lacks, whatever is asked.
MACHINE_ERRORS: Final = {
    "SSLError": "Where a proxy signs for AWS, AWS_CA_BUNDLE names the file with its certificate.",
    "MissingDependencyException": "",
}
#: AWS may have read the request.
MAYBE_SENT: Final = frozenset(
    {"ReadTimeoutError", "ConnectionClosedError", "HTTPClientError", "IncompleteReadError",
     "ResponseStreamingError"}
)  # fmt: skip
UNSENT: Final = frozenset(
    {"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
)
#: What botocore's parsers raise where something else than AWS answers.
_UNREADABLE: Final = frozenset({"ResponseParserError", "KeyError"})
#: Whom botocore asks for credentials over the net; the net may come back.
_ASKED_OVER_THE_NET: Final = frozenset({"container-role", "iam-role"})
_NETWORK: Final = "See that the network and endpoint_url are right."


def from_botocore(error: Exception, tried: str, *, region_known: bool = True) -> DayflyError:
    """What botocore raised, other than an answer of AWS's.

    Args:
        error: As it was raised, of botocore's classes or what it lets through.
        tried: What was being done.
        region_known: botocore knows the region, or its name is not in the endpoint.
    """
    kind, said = type(error).__name__, f"{tried}: {error}"
    if kind in CREDENTIAL_ERRORS:
        asked = getattr(error, "kwargs", {}).get("provider")
        passing = kind == "CredentialRetrievalError" and asked in _ASKED_OVER_THE_NET
        return (Unavailable if passing else Unauthenticated)(said, advice=CREDENTIALS)
    if kind in SETTING_ERRORS:
        field = SETTING_ERRORS[kind]
        advice = f"Set {field} in [providers.NAME], or in AWS's own configuration." if field else ""
        return InvalidField(said, field=field, advice=advice)
    if kind in MACHINE_ERRORS:
        return FailedPrecondition(said, advice=MACHINE_ERRORS[kind])
    if kind in MAYBE_SENT | UNSENT:
        return _unreached(error, said, region_known=region_known)
    return _let_through(error, tried)


def _unreached(error: Exception, said: str, *, region_known: bool) -> DayflyError:
    inner: Any = getattr(error, "kwargs", {}).get("error")
    if isinstance(inner, FileNotFoundError | PermissionError):
        return FailedPrecondition(
            f"{said}: a file that AWS's settings name cannot be read",
            advice="See that the file of AWS_CA_BUNDLE or ca_bundle is there.",
        )
    kind = type(error).__name__
    # botocore gives a reset, after which nobody knows, the name of a refused connection.
    reset = kind == "EndpointConnectionError" and not _is_of_connecting(inner)
    if kind in MAYBE_SENT or reset:
        return Unavailable(f"{said} (AWS may have carried it out)", advice=_NETWORK)
    if not region_known and "DNS" in type(inner).__name__:
        return InvalidField(
            f"{said} The region is not one that is known.",
            field="region",
            advice="`aws account list-regions` lists the regions.",
        )
    return Unavailable(said, advice=_NETWORK)


def _is_of_connecting(inner: object) -> bool:
    return type(inner).__name__.startswith("ClientConnector")


def _let_through(error: Exception, tried: str) -> DayflyError:
    """What is no error of botocore's, and comes out of it all the same."""
    said = f"{tried}: {type(error).__name__}: {error}"
    if type(error).__name__ in _UNREADABLE:
        said = f"{tried}: the answer cannot be read: {error} (AWS may have carried it out)"
        return Unavailable(said, advice=_NETWORK)
    if isinstance(error, JSONDecodeError):
        return Unauthenticated(f"{said} (of credential_process or a cache)", advice=CREDENTIALS)
    if isinstance(error, EOFError):
        said = f"{tried}: the profile asks for an MFA code, and there is nobody to type it"
        return Unauthenticated(said, advice="Use a profile whose session exists already.")
    if isinstance(error, OSError):
        return FailedPrecondition(said, advice="See that what AWS's settings name is there.")
    if isinstance(error, ValueError) and "endpoint" in str(error):
        return InvalidField(
            said, field="endpoint_url", advice="Correct endpoint_url or AWS_ENDPOINT_URL."
        )
    return ProviderFailed(said)
