"""Where the parts of one region are put, and what all of them carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import meta

import catalog
from components.addresses import Segment
from components.errors import InputError
from components.kubernetes.names import kubernetes_name
from components.tags import Tags

TYPE = "bailiwick:index:KubernetesPlacement"
CLOUD = "kubernetes"
REGION_LABEL = "topology.kubernetes.io/region"
ZONE_LABEL = "topology.kubernetes.io/zone"
SIZE_LABEL = "node.kubernetes.io/instance-type"
CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True, slots=True)
class Placement:
    """Stack and site of a component. Kubernetes objects carry no region: the site's facts say where the cluster is."""

    stack: str
    """Name of the stack; its namespaces begin with it."""
    location: str
    """Site, as the customer's facts name it; its nodes carry it as `topology.kubernetes.io/region`."""
    tags: Tags = field(repr=False)
    """The four tags that every object carries, as labels."""

    def __post_init__(self) -> None:
        try:
            catalog.load().region(CLOUD, self.location)
        except catalog.UnknownFact as error:
            problem = f"{str(error.message).split(';')[0]}: state where the cluster is in stacks/facts"
            raise InputError(TYPE, "location", problem, error.nearest) from error

    def namespace(self, segment: Segment) -> str:
        """Name of the namespace that is a segment of the region's network."""
        return kubernetes_name("namespace", f"{self.stack}-{segment}")

    def cluster_name(self, *words: str) -> str:
        """Name of an object that is in no namespace: stack and words joined by '-'."""
        return kubernetes_name("object", "-".join((self.stack, *words)))

    def service_host(self, segment: Segment, service: str) -> str:
        """DNS name of a service in a segment."""
        return f"{kubernetes_name('service', service)}.{self.namespace(segment)}.svc.{CLUSTER_DOMAIN}"

    @property
    def labels(self) -> dict[str, str]:
        """The tags as Kubernetes takes them."""
        return {key: text.strip("-_") for key, text in self.tags.as_labels().items()}

    def metadata(
        self,
        name: str,
        segment: Segment | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> "meta.v1.ObjectMetaArgs":
        """Metadata of an object of the region, in a segment's namespace or in none."""
        return meta.v1.ObjectMetaArgs(
            name=kubernetes_name("object", name),
            namespace=self.namespace(segment) if segment else None,
            labels={**self.labels, **(labels or {})},
            annotations=dict(annotations) if annotations else None,
        )


def name_of(resource: pulumi.CustomResource) -> pulumi.Output[str]:
    """The name of an object, for who names it in turn: known in a preview, and available when the object exists."""
    metadata: pulumi.Output[meta.v1.outputs.ObjectMeta] = resource.metadata  # type: ignore[attr-defined]  # every kind
    return metadata.apply(lambda stated: str(stated.name))
