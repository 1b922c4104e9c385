"""Where AWS is and what it has there, from the catalogue: partitions, regions, SNP sizes."""

from dataclasses import dataclass
from functools import cache

import catalog
from sandbox.clouds.resource import CloudError

PROVIDER = "aws"


@dataclass(frozen=True, slots=True)
class Place:
    """A region and the partition that it is in."""

    region: str
    cloud: str
    partition: str
    endpoint_prefix: str
    dns_suffix: str
    zones: tuple[str, ...]

    def arn(self, service: str, resource: str, *, account: str, everywhere: bool = False) -> str:
        """The ARN of a resource; `everywhere` for services whose ARNs name no region."""
        return f"arn:{self.partition}:{service}:{'' if everywhere else self.region}:{account}:{resource}"


@cache
def place(region: str) -> Place:
    """The place of a region. Raises `CloudError` for one that no partition has."""
    facts = catalog.load()
    for cloud in facts.clouds.values():
        if cloud.provider != PROVIDER:
            continue
        for known in facts.regions(cloud=cloud.id):
            if known.id == region:
                prefix, zones = cloud.endpoint_prefix or "com.amazonaws", tuple(known.zone_names or ())
                return Place(region, cloud.id, cloud.partition or "aws", prefix, cloud.dns["api"], zones)
    raise CloudError("InvalidRegion", f"invalid AWS Region: {region}")


@cache
def machine(region: str, size: str) -> catalog.MachineType | None:
    """The catalogue's facts of a size; None for one that it does not list."""
    try:
        return catalog.load().machine_type(place(region).cloud, size)
    except catalog.UnknownFact:
        return None
