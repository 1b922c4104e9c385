"""A stack's region in a Kubernetes cluster, with a provider of its own, as the stacks' program registers it."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.component import import_ids
from components.kubernetes.site import KEY, Site
from components.kubernetes.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.spec import RegionSpec


def provider(name: str, spec: RegionSpec) -> "kubernetes.Provider":
    """The provider of a region: of the cluster's context in the kubeconfig."""
    return kubernetes.Provider(
        name,
        context=spec.cluster,
        cluster_identifier=f"{spec.location}/{spec.cluster}",
        enable_server_side_apply=True,
        delete_unreachable=False,
    )


def region(spec: RegionSpec, reference_values: Path) -> SovereignRegion:
    """Register the running stack's region, on the site that `bailiwick-kubernetes:site` states."""
    namespace, _, key = KEY.partition(":")
    operator = pulumi.Config(namespace)
    site = Site.from_mapping(operator.require_object(key))
    args = SovereignRegionArgs(spec=spec, site=site, reference_values=reference_values, import_ids=import_ids(operator))
    opts = pulumi.ResourceOptions(providers=[provider("kubernetes", spec)])
    return SovereignRegion(pulumi.get_stack(), args, opts)
