"""A stack's region in a Kubernetes cluster, with a provider of its own, as the stacks' program registers it."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.component import import_ids
from components.kubernetes.site import KEY, Site
from components.kubernetes.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.spec import RegionSpec


def region(spec: RegionSpec, reference_values: Path) -> SovereignRegion:
    """Register the running stack's region, on the site that `bailiwick-kubernetes:site` states."""
    namespace, _, key = KEY.partition(":")
    operator = pulumi.Config(namespace)
    site = Site.from_mapping(operator.require_object(key))
    provider = kubernetes.Provider(
        "kubernetes",
        context=spec.cluster,
        cluster_identifier=f"{spec.location}/{spec.cluster}",
        enable_server_side_apply=True,
        delete_unreachable=False,
    )
    args = SovereignRegionArgs(spec=spec, site=site, reference_values=reference_values, import_ids=import_ids(operator))
    return SovereignRegion(pulumi.get_stack(), args, opts=pulumi.ResourceOptions(providers=[provider]))
