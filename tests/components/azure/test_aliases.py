"""Registrations without the aliases of older API versions."""

import pulumi
from pulumi_azure_native import resources

from tests.components.azure.recorder import record


def _group(name: str, opts: pulumi.ResourceOptions | None = None) -> resources.ResourceGroup:
    return resources.ResourceGroup(name, resource_group_name=name, opts=opts)


def test_version_aliases_go_and_others_stay() -> None:
    def program() -> None:
        _group("plain")
        _group("renamed", pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old-name")]))

    found = record(program)
    assert found["plain"].aliases == ()
    assert len(found["renamed"].aliases) == 1


def test_without_it_the_sdk_sends_one_for_each_version() -> None:
    assert len(record(lambda: _group("plain"), version_aliases=True)["plain"].aliases) > 10
