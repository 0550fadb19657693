"""App Platform on this machine: apps, deployments, their jobs, and what those print.

Jobs run by a script without a container, or as containers of the local engine. Requests and
answers are checked against DigitalOcean's own definition. What is believed of App Platform
and could not be proven without an account carries ``[?]``; each such belief is a knob.
"""

from __future__ import annotations

from tests.emulators.digitalocean.emulator import Emulator
from tests.emulators.digitalocean.knobs import PUBLISHED_RATES, Fault, Knobs, Rate

__all__ = ["PUBLISHED_RATES", "Emulator", "Fault", "Knobs", "Rate"]
