"""botocore's service models, and which service and operation a request means."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import botocore.session

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

#: The protocol of each is what botocore picks today: JSON 1.1, query, and EC2's own query.
TARGETS: Final = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "Logs_20140328": "logs",
    "secretsmanager": "secretsmanager",
    "AmazonSSM": "ssm",
}
VERSIONS: Final = {"2011-06-15": "sts", "2010-05-08": "iam", "2016-11-15": "ec2"}


@cache
def service_model(service: str) -> ServiceModel:
    """A service's model. EC2's takes a second to load, so each waits for its first call."""
    return _session().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """An operation's model.

    Raises:
        botocore.model.OperationNotFoundError: The service has no such operation.
    """
    return service_model(service).operation_model(operation)


@cache
def _session() -> Any:
    return botocore.session.Session()
