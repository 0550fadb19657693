"""ECS and CloudWatch Logs without a container: what a provider must survive, at load.

Beside them are the few calls of STS, IAM, EC2, Secrets Manager and SSM that a ``doctor``
needs. Every request is checked against botocore's own service models. What is believed of
AWS and could not be proven without an account carries ``[?]`` where it is emulated.
"""

from __future__ import annotations

from tests.emulators.aws.emulator import Emulator
from tests.emulators.aws.knobs import PUBLISHED_RATES, Fault, Knobs, Rate

__all__ = ["PUBLISHED_RATES", "Emulator", "Fault", "Knobs", "Rate"]
