"""What the SDK does for a program that nobody asks for in this process."""

import contextlib
from collections.abc import Iterator

import pulumi
from pulumi.runtime import resource as sdk_resource

from sandbox.engine.position import stack_trace


def without_aliases(registration: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """A stack transformation for a stack of which nothing is deployed: an alias has nothing to find there, and
    azure-native gives each resource one for every version that its type ever had."""
    if not registration.opts.aliases:
        return None
    opts = pulumi.ResourceOptions.merge(registration.opts, None)
    opts.aliases = None
    return pulumi.ResourceTransformationResult(registration.props, opts)


@contextlib.contextmanager
def quick_stack_traces() -> Iterator[None]:
    """Within it, the SDK makes its stack traces our way; it has no setting for that."""
    before = sdk_resource._get_stack_trace  # noqa: SLF001 - see above
    sdk_resource._get_stack_trace = stack_trace  # noqa: SLF001
    try:
        yield
    finally:
        sdk_resource._get_stack_trace = before  # noqa: SLF001
