"""The processor vendors' collateral, kept inside the region."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_gcp import storage

from components.component import Component, ComponentArgs
from components.gcp.bucket import private_bucket
from components.gcp.placement import Placement
from components.gcp.sovereign_network import SovereignNetwork
from components.gcp.workload_identity import READ_OBJECTS

TYPE = "bailiwick:index:GcpCollateralCache"
_WRITE_OBJECTS = "roles/storage.objectUser"


@dataclass(frozen=True, slots=True)
class CollateralCacheArgs(ComponentArgs):
    """Inputs of `CollateralCache`."""

    placement: Placement
    """Where the cache is."""
    readers: Mapping[str, pulumi.Input[str]]
    """IAM members that may read it, by a stable label: the verifier's identity."""
    publishers: Mapping[str, pulumi.Input[str]]
    """IAM members that may fill it, by a stable label: whoever carries the vendors' files into the region."""


class CollateralCache(Component):
    """`bailiwick:index:GcpCollateralCache`: a bucket with the certificates, revocation lists and reference values of
    AMD, Intel and NVIDIA, from which the region's verifier works without asking a vendor.

    Creates a bucket in the region, the readers' right to read it, and the publishers' right to fill it.

    Guarantees: verification calls nobody outside the region; no public grant is possible. What is in the cache is
    signed by the vendors, and the verifier checks that: who fills the cache can make verification fail, never pass.

    Does not: fetch. The verifier reads one object, `collateral.bundle`, which `bailiwick collateral export` writes; a
    publisher copies it in before what is in it expires.
    """

    account_name: str
    """Name of the bucket, known before it exists."""
    url: str
    """URL of the bucket at the region's private endpoint of Cloud Storage."""

    def __init__(self, name: str, args: CollateralCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.account_name = args.placement.bucket_name("coll")
        self.url = self.url_in(args.placement)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = private_bucket(f"{name}-store", placement=args.placement, bucket_name=self.account_name, opts=child)
        for kind, role, members in (
            ("read", READ_OBJECTS, args.readers),
            ("fill", _WRITE_OBJECTS, args.publishers),
        ):
            for label, member in members.items():
                storage.BucketIAMMember(
                    f"{name}-{kind}-{label}", bucket=bucket.name, role=role, member=member, opts=child
                )
        self.register_outputs({"accountName": self.account_name, "url": self.url})

    @staticmethod
    def url_in(placement: Placement) -> str:
        """URL of the region's cache."""
        return f"https://{SovereignNetwork.service_host(placement, 'storage')}/{placement.bucket_name('coll')}"
