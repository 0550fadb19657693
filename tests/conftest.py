"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is slow, which is no fault of what is tested; pytest-timeout bounds it.
settings.register_profile("dayfly", deadline=None)
settings.load_profile("dayfly")
