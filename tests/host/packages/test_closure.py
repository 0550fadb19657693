"""What goes with a plugin when it is packed: itself, dayfly, and what both depend on here."""

from __future__ import annotations

import pytest

import dayfly
from dayfly.contract.errors import FailedPrecondition
from dayfly.host.packages.closure import closure_of


@pytest.mark.parametrize(("name", "its_own"), [("local", ""), ("aws", "aiobotocore")])
def test_a_built_in_plugin_goes_with_its_own_extra_alone(name, its_own):
    closure = closure_of(name, f"dayfly.providers.{name}")
    named = {item.partition("==")[0].partition("[")[0] for item in closure.requirements}
    assert "grpcio" in named
    assert ("aiobotocore" in named) is bool(its_own)
    assert "pytest" not in named
    # Here dayfly itself is installed editable, or as usual.
    assert [str(p) for p in closure.packages] == [*dayfly.__path__] or "dayfly" in named


def test_a_module_of_nobody_has_no_place():
    with pytest.raises(FailedPrecondition, match="where its package is, is not known"):
        closure_of("acme", "no_such_module_of_acme")
