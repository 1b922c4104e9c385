"""Where Google Cloud's machines, containers and repositories take images from."""

import re
from collections.abc import Iterator

from policies.clouds.gcp.machines import image_of
from policies.conditions import Matching, OneOf
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_IMAGE = "gcp:compute:Image"
_REPOSITORY = "gcp:artifactregistry:Repository"
_SERVICES = {
    "gcp:cloudrun:Service": ("template", "spec"),
    "gcp:cloudrunv2:Job": ("template", "template"),
    "gcp:cloudrunv2:Service": ("template",),
    "gcp:cloudrunv2:WorkerPool": ("template",),
}
"""By type: the path of what holds its containers."""


def sources(resource: Resource, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What keeps images to the stack's own project, and what the project keeps to its regions."""
    image = image_of(resource)
    if image is not None:
        project = re.escape(declared.account) if declared.account else "[^/]+"
        own = Matching(rf"(?:\S*/)?projects/{project}/global/images/\S+", "an image of the stack's own project")
        yield Setting(image, own)
    elif resource.type == _IMAGE:
        places = resource.props.at("storageLocations")
        yield from (Setting(one, OneOf(declared.regions)) for one in places.items() or (places,))
    elif resource.type == _REPOSITORY:
        yield Unwanted(resource.props.at("remoteRepositoryConfig"), "a copy of a repository elsewhere")


def container_images(resource: Resource) -> Iterator[Property]:
    """The images that Cloud Run starts for `resource`."""
    if resource.type in _SERVICES:
        place = resource.props.at(*_SERVICES[resource.type])
        yield from (one.at("image") for one in place.at("containers").items())
