"""Every emulated type is one of the installed SDK, and names only properties that the SDK has."""

import pytest

from sandbox.clouds import schema
from sandbox.clouds.aws.cloud import MODULES
from sandbox.clouds.aws.resource import AwsType

TYPES = [kind for module in MODULES for kind in module.TYPES]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.pulumi_type)
def test_a_type_fits_the_sdk(kind: AwsType) -> None:
    known = schema.resource(kind.pulumi_type).inputs.properties
    named = {*kind.in_place, *kind.defaults, *([kind.name_property] if kind.name_property else [])}
    assert named <= set(known)


def test_no_type_is_there_twice() -> None:
    assert len({kind.pulumi_type for kind in TYPES}) == len(TYPES)
