"""Every rule's examples for the clouds other than its own."""

from collections.abc import Mapping
from typing import Final

from policies.examples import aws, aws_keys, everywhere, gcp, gcp_services, kubernetes, release, supply
from policies.rule import Covered

_OF_CLOUDS: Final[Mapping[str, Mapping[str, Covered]]] = {
    "azure": {},
    "gcp": {**gcp.COVERED, **gcp_services.COVERED},
    "aws": {**aws.COVERED, **aws_keys.COVERED, **supply.AWS},
    "kubernetes": {**kubernetes.COVERED, **supply.KUBERNETES},
    "fortanix": {},
}
ELSEWHERE: Final[Mapping[str, Mapping[str, Covered]]] = {
    cloud: {**everywhere.COVERED.get(cloud, {}), **release.COVERED.get(cloud, {}), **of_cloud}
    for cloud, of_cloud in _OF_CLOUDS.items()
}
"""By provider of the catalogue, then by id of the rule."""
