"""The escape hatch: Pulumi's own transforms reach every child of a component."""

from typing import Any

import pytest

from tests.components.emulated import Bench

CHANGES: dict[str, dict[str, Any]] = {
    "azure": {"tags": {"cost-centre": "4711"}},
    "gcp": {"description": "what no input says"},
    "aws": {"path": "/team/"},
    "kubernetes": {"secrets": [{"name": "what-no-input-says"}]},
}
"""By cloud, what no input of the component offers."""


def test_a_transform_changes_what_no_input_offers(deployed: Bench) -> None:
    changes = CHANGES[deployed.name]
    up = deployed.up("transformed", changes=changes)
    assert up.ok, up.error
    children = deployed.children("transformed")
    assert children
    for child in children.values():
        assert child.inputs.items() >= changes.items()


@pytest.mark.parametrize("deployed", ["aws"], indirect=True)
def test_a_transform_cannot_make_what_the_cloud_refuses(deployed: Bench) -> None:
    refused = deployed.up("transformed", changes={"maxSessionDuration": 5})
    assert not refused.ok
    assert "maxSessionDuration" in str(refused.error)
