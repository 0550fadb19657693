"""What is answered when a call is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

_IDS: Final = {
    400: "invalid_argument",
    401: "Unauthorized",
    403: "Forbidden",
    404: "not_found",
    409: "conflict",
    412: "failed_precondition",
    422: "unprocessable_entity",
    429: "too_many_requests",
    500: "server_error",
    503: "service_unavailable",
}


class ApiError(Exception):
    """An error answer.

    Attributes:
        status: Of HTTP.
        id: DigitalOcean's short name for it.
        headers: More of the answer's headers.
    """

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.id = _IDS.get(status, "error")
        self.headers = dict(headers or {})


def not_found() -> NoReturn:
    """In the words that everything which is missing has.

    Raises:
        ApiError: Always.
    """
    raise ApiError(404, "The resource you requested could not be found.")
