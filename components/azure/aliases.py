"""Registers azure-native resources without the aliases of their older API versions.

The SDK gives each resource an alias for every API version that its type ever had, so that a stack can move between
versioned modules (`compute/v20241101`). Bailiwick registers default types only and never did otherwise, so that the
aliases match nothing, and they are most of a program's time: each is a URN that the SDK computes and sends.
"""

import re

import pulumi

_VERSIONED = re.compile(r"azure-native:[a-z]+/v\d{8}[a-z]*:\w+")


def drop_version_aliases(
    registration: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    """A stack transformation that takes the aliases of azure-native's versioned modules out of a registration.

    Register it before the first resource: `pulumi.runtime.register_stack_transformation(drop_version_aliases)`. Other
    aliases, such as those of a renamed child, stay.
    """
    aliases = registration.opts.aliases
    if not registration.type_.startswith("azure-native:") or not aliases:
        return None
    opts = pulumi.ResourceOptions.merge(registration.opts, None)
    opts.aliases = [alias for alias in aliases if not _is_of_a_version(alias)]
    return pulumi.ResourceTransformationResult(registration.props, opts)


def _is_of_a_version(alias: pulumi.Input[str | pulumi.Alias]) -> bool:
    return (
        isinstance(alias, pulumi.Alias)
        and isinstance(alias.type_, str)
        and _VERSIONED.fullmatch(alias.type_) is not None
    )
