"""Where AWS's machines and registries take images from."""

from collections.abc import Iterator

from policies.conditions import OneOf
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_IMAGE_COPY = "aws:ec2:AmiCopy"
_CACHE_RULE = "aws:ecr:PullThroughCacheRule"


def sources(resource: Resource, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What brings images from elsewhere: a machine's own image is in the machine's region by nature."""
    if resource.type == _IMAGE_COPY:
        yield Setting(resource.props.at("sourceAmiRegion"), OneOf(declared.regions))
    elif resource.type == _CACHE_RULE:
        yield Unwanted(resource.props.at("upstreamRegistryUrl"), "a copy of a registry elsewhere")


def container_images(_: Resource) -> tuple[Property, ...]:
    """Containers of ECS are described in a text that the policies of the cluster judge."""
    return ()
