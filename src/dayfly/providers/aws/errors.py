"""What AWS answers, in dayfly's errors. With ``way``, the only place that knows botocore's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    DayflyError,
    FailedPrecondition,
    InvalidField,
    NotFound,
    PermissionDenied,
    ProviderFailed,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.exceptions import ClientError

#: Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html, and the
#: codes that botocore itself takes for throttling (data/_retry.json).
_BY_CODE: Final[dict[str, type[DayflyError]]] = {
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
         "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
         "BandwidthLimitExceeded", "PriorRequestNotComplete", "SlowDown"),
        Throttled,
    ),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException",
         "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
         "IncompleteSignature", "MissingAuthenticationToken", "AuthFailure",
         "RequestExpired", "NotAuthorized"),
        Unauthenticated,
    ),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "BlockedException",
         "OptInRequired"),
        PermissionDenied,
    ),
    **dict.fromkeys(
        ("ServerException", "InternalFailure", "InternalError", "InternalServerError",
         "InternalServiceError", "ServiceUnavailable", "ServiceUnavailableException",
         "RequestTimeout", "RequestTimeoutException"),
        Unavailable,
    ),
    **dict.fromkeys(
        ("ClusterNotFoundException", "ResourceNotFoundException", "ParameterNotFound",
         "NoSuchEntity", "NoSuchEntityException", "InvalidSubnetID.NotFound",
         "InvalidGroup.NotFound"),
        NotFound,
    ),
    **dict.fromkeys(
        ("ClientException", "InvalidParameterException", "InvalidParameterValue",
         "ValidationException", "ValidationError", "UnsupportedFeatureException",
         "InvalidSubnetID.Malformed", "InvalidSubnetId.Malformed", "InvalidGroupId.Malformed",
         "PlatformUnknownException", "PlatformTaskDefinitionIncompatibilityException"),
        InvalidField,
    ),
    **dict.fromkeys(
        ("OperationAbortedException", "ResourceInUseException", "UpdateInProgressException"),
        Conflict,
    ),
    "ResourceAlreadyExistsException": AlreadyExists,
    "ConflictException": AlreadyExists,
    "LimitExceededException": FailedPrecondition,
}  # fmt: skip

#: What AWS complains of, to the setting or the job's field that it means; the first counts.
_FIELDS: Final = (
    (r"\bsubnet", "subnets"),
    (r"security ?group|\bsg-[0-9a-z]", "security_groups"),
    (r"cluster", "cluster"),
    (r"execution ?role", "execution_role"),
    (r"task ?role", "task_role"),
    (r"log ?group|awslogs", "log_group"),
    (r"job ?queue", "queue"),
    (r"capacity provider", "launch_type"),
    (r"assignPublicIp|public ip", "assign_public_ip"),
    (r"secret|valueFrom", "secrets"),
    (r"overrides? length|override.*too (long|large)", "command"),
    (r"\bmemory\b", "resources.memory_mib"),
    (r"\bcpu\b", "resources.cpus"),
    (r"task ?definition|job ?definition", "target.name"),
    (r"\bimage\b", "image"),
    (r"\btags?\b", "labels"),
)  # fmt: skip

#: Reasons for which RunTask starts nothing, and which may pass.
#: Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
_NO_ROOM: Final = (
    r"^RESOURCE:|^AGENT$|[Cc]apacity is unavailable|^CAPACITY|EMPTY CAPACITY|"
    r"reached the limit on the number of"
)

#: What is said with a code for bad input, and is none; the first counts.
_MEANT: Final = (
    # Pruned between our look at it and its use; the next try registers it anew.
    (r"definition.* inactive", Conflict),
    # Two machines register one content at the same moment; the next try finds it.
    (r"concurrent attempts to create a new revision", Conflict),
    (_NO_ROOM, Unavailable),
    (r"not authorized to perform", PermissionDenied),
)

CREDENTIALS: Final = (
    "Log in again (`aws sso login`, or new keys); the plugin takes AWS's standard settings: "
    "AWS_PROFILE, AWS_ACCESS_KEY_ID, ~/.aws. `dayfly doctor` shows whom AWS sees."
)


def code_of(error: ClientError) -> str:
    """AWS's own name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def words_of(error: ClientError) -> str:
    """AWS's own sentence."""
    return str(error.response.get("Error", {}).get("Message") or code_of(error))


def from_client_error(error: ClientError, tried: str) -> DayflyError:
    """An answer that is an error."""
    code, words = code_of(error), words_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    kind = _BY_CODE.get(code) or (Unavailable if status >= 500 else ProviderFailed)
    said = f"{tried}: AWS answered {code}: {words}"
    if error.operation_name == "AssumeRole":
        return _unassumed(error, said)
    if kind is InvalidField:
        # One code stands for what is wrong and for what passes.
        fits = (meant for form, meant in _MEANT if re.search(form, words, re.IGNORECASE))
        kind = next(fits, kind)
    if kind is Unavailable and re.search(_NO_ROOM, words):
        return _no_room(said)
    if re.search(r"no container instances", words, re.IGNORECASE):
        return FailedPrecondition(
            said,
            field="launch_type",
            reason=Reason.NO_CAPACITY,
            advice='Add instances to the cluster, or use launch_type = "FARGATE".',
        )
    if kind is Unauthenticated:
        return Unauthenticated(said, advice=CREDENTIALS)
    if kind is PermissionDenied:
        return _denied(said, words)
    return kind(said, field=field_in(words) if kind in {InvalidField, NotFound} else "")


def _denied(said: str, words: str) -> PermissionDenied:
    action = re.search(r"\b([a-z0-9-]+:[A-Z]\w+)", words)
    if action and action.group(1) == "iam:PassRole":
        return PermissionDenied(
            said,
            field="execution_role",
            advice="Allow iam:PassRole on the roles that tasks are given; `dayfly doctor` prints "
            "the smallest policy.",
        )
    wanted = action.group(1) if action else "the call"
    return PermissionDenied(
        said, advice=f"Allow {wanted}; `dayfly doctor` prints the smallest policy."
    )


def _unassumed(error: ClientError, said: str) -> DayflyError:
    kind = _BY_CODE.get(code_of(error), Unauthenticated)
    if issubclass(kind, Throttled | Unavailable):
        return kind(said)
    return kind(
        said,
        field="role_arn",
        advice="See that the role's trust policy names who asks, and that who asks may call "
        "sts:AssumeRole on it.",
    )


def field_in(words: str) -> str:
    """The field that a sentence of AWS's is about; empty where none is named."""
    found = (field for pattern, field in _FIELDS if re.search(pattern, words, re.IGNORECASE))
    return next(found, "")


def other_intent(key_name: str) -> AlreadyExists:
    """The key was used for another job."""
    return AlreadyExists(
        f"the key already has a job on AWS ({key_name}), which is a different one",
        field="key",
        advice="Use a new key for a new job, or the same job with this key.",
    )


def incomplete(tried: str, answer: Any) -> Unavailable:
    """An answer of AWS's, or of what stands before it, without what it must have."""
    return Unavailable(f"{tried}: the answer has none of what was asked for: {answer!r:.300}")


def conflicting(error: DayflyError) -> list[str]:
    """ARNs that a ConflictException of ECS's names."""
    response = getattr(error.__cause__, "response", {})
    return [str(arn) for arn in response.get("resourceIds") or ()]


def refused_run(tried: str, failures: Sequence[Mapping[str, Any]]) -> DayflyError:
    """RunTask started nothing, and said why with HTTP 200."""
    said = "; ".join(
        " ".join(str(f[key]) for key in ("reason", "detail", "arn") if f.get(key)) for f in failures
    )
    reasons = [str(failure.get("reason", "")) for failure in failures]
    if all(re.search(_NO_ROOM, reason) for reason in reasons):
        return _no_room(f"{tried}: no capacity: {said}")
    return FailedPrecondition(
        f"{tried}: ECS started nothing: {said}",
        reason=Reason.NO_CAPACITY,
        advice="The cluster has no place that fits: see its capacity and its attributes.",
    )


def _no_room(said: str) -> Unavailable:
    return Unavailable(
        said,
        reason=Reason.NO_CAPACITY,
        advice="Try another launch_type, other subnets, or a smaller size.",
    )
