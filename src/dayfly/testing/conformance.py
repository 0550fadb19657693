"""All promises in one class, to be subclassed for a provider."""

from __future__ import annotations

from dayfly.testing.promises.any_machine import AnyMachine
from dayfly.testing.promises.cancel_is_a_stop import CancelIsAStop
from dayfly.testing.promises.every_line import EveryLine
from dayfly.testing.promises.honour_or_refuse import HonourOrRefuse
from dayfly.testing.promises.no_secret import NoSecretOnTheWire
from dayfly.testing.promises.nothing_left import NothingLeft
from dayfly.testing.promises.one_launch import OneLaunch
from dayfly.testing.promises.one_truth import OneTruth
from dayfly.testing.promises.speaks_the_wire import SpeaksTheWire


class RunnerConformance(
    OneLaunch,
    OneTruth,
    EveryLine,
    CancelIsAStop,
    NothingLeft,
    NoSecretOnTheWire,
    AnyMachine,
    HonourOrRefuse,
    SpeaksTheWire,
):
    """Every rule. A subclass named ``Test...`` sets ``provider``, and that is all."""
