"""Where AWS's machines and registries take images from."""

from collections.abc import Iterator

from policies.conditions import OneOf
from policies.context import Declared
from policies.release import documents
from policies.release.model import MalformedDocument
from policies.subject import MalformedProperty, Property, Resource
from policies.terms import Setting, Unwanted

_IMAGE_COPY = "aws:ec2:AmiCopy"
_CACHE_RULE = "aws:ecr:PullThroughCacheRule"
_TASK = "aws:ecs:TaskDefinition"
_FUNCTION = "aws:lambda:Function"


def sources(resource: Resource, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What brings images from elsewhere: a machine's own image is in the machine's region by nature."""
    if resource.type == _IMAGE_COPY:
        yield Setting(resource.props.at("sourceAmiRegion"), OneOf(declared.regions))
    elif resource.type == _CACHE_RULE:
        yield Unwanted(resource.props.at("upstreamRegistryUrl"), "a copy of a registry elsewhere")


def container_images(resource: Resource) -> Iterator[Property]:
    """The images that a task of ECS, a function or an application starts; a task lists its containers in JSON."""
    if resource.type == _TASK:
        listed = resource.props.at("containerDefinitions")
        if not listed.unknown and listed.stated:
            yield from (one.at("image") for one in _containers(listed).items())
        elif listed.stated:
            yield listed
    elif resource.type == _FUNCTION and resource.props.at("imageUri").stated:
        yield resource.props.at("imageUri")


def _containers(listed: Property) -> Property:
    try:
        return Property(listed.path, documents.load(listed.text or ""))
    except MalformedDocument:
        raise MalformedProperty(listed.path, "a list of containers, in JSON") from None
