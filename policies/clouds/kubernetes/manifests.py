"""Manifests: what makes objects of a cluster from text, from files or from charts."""

from typing import Final

from policies.subject import Property, Resource

_GROUPINGS: Final = {
    "kubernetes:yaml:ConfigFile": "file",
    "kubernetes:yaml:ConfigGroup": "yaml",
    "kubernetes:helm.sh:Chart": "chart",
    "kubernetes:kustomize:Directory": "directory",
}
"""By type: the property with the manifest. Its objects are registered with the engine, each as a resource below it."""
_RELEASE: Final = "kubernetes:helm.sh:Release"


def grouping(resource: Resource) -> Property | None:
    """The manifest of which `resource` makes resources, each of which is judged by itself."""
    return resource.props.at(_GROUPINGS[resource.type]) if resource.type in _GROUPINGS else None


def bundle(resource: Resource) -> str | None:
    """What to use in place of `resource`, which makes objects of which the engine is told nothing."""
    if resource.type != _RELEASE:
        return None
    return "install the chart as kubernetes:helm.sh/v4:Chart, whose objects are resources of the stack"
