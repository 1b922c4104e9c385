"""Where Azure's machines and registries take images from."""

import re
from collections.abc import Iterator, Mapping

from policies.clouds.azure.machines import storage_profile
from policies.conditions import Matching
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_HOLDERS: Mapping[str, tuple[str, ...]] = {
    "azure-native:app:ContainerApp": ("template",),
    "azure-native:app:Job": ("template",),
    "azure-native:containerinstance:ContainerGroup": (),
}
"""By type: the path of what holds its containers."""
_CACHE_RULE = "azure-native:containerregistry:CacheRule"
_OTHERS = {
    "publisher": "an image of a worldwide marketplace",
    "communityGalleryImageId": "an image that anybody may publish",
    "sharedGalleryImageId": "an image of another tenant's gallery",
}


def sources(resource: Resource, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What keeps the images of machines to galleries of the stack's own subscription."""
    profile = storage_profile(resource)
    if profile is None:
        return
    reference = profile.at("imageReference")
    yield from (Unwanted(reference.at(key), what) for key, what in _OTHERS.items() if not reference.unknown)
    account = re.escape(declared.account) if declared.account else "[^/]+"
    own = rf"(?i:/subscriptions/{account}/resourceGroups/[^/]+/providers/Microsoft\.Compute/(galleries|images)/.+)"
    yield Setting(reference.at("id"), Matching(own, "an image of a gallery in the stack's own subscription"))


def container_images(resource: Resource) -> Iterator[Property]:
    """The images that a group or an application starts, and the repository that a registry copies."""
    if resource.type in _HOLDERS:
        place = resource.props.at(*_HOLDERS[resource.type])
        for key in ("containers", "initContainers"):
            yield from (one.at("image") for one in place.at(key).items())
    elif resource.type == _CACHE_RULE:
        yield resource.props.at("sourceRepository")
