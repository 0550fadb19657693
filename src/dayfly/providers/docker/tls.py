"""The certificates of a TLS endpoint."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from dayfly.contract.errors import FailedPrecondition

if TYPE_CHECKING:
    from dayfly.providers.docker.contexts import Endpoint


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """What a TLS endpoint's certificates say, read once.

    Raises:
        FailedPrecondition: A file cannot be read or is no certificate.
    """
    directory = endpoint.certificates
    authority = directory / "ca.pem" if directory and (directory / "ca.pem").exists() else None
    try:
        context = ssl.create_default_context(cafile=authority)
        if not endpoint.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if directory and (directory / "cert.pem").exists():
            context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    except OSError as error:  # ssl.SSLError is one
        raise FailedPrecondition(
            f"the TLS files in {directory} for {endpoint.url} cannot be used: {error}",
            advice="See DOCKER_CERT_PATH, or the docker context's own files.",
        ) from error
    return context
