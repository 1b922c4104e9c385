"""The processor vendors' collateral, kept inside the region."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.aws.bucket import private_bucket
from components.aws.placement import Placement
from components.aws.policies import document
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AwsCollateralCache"
_READ = ("s3:GetObject",)
_FILL = ("s3:GetObject", "s3:PutObject")


@dataclass(frozen=True, slots=True)
class CollateralCacheArgs(ComponentArgs):
    """Inputs of `CollateralCache`."""

    placement: Placement
    """Where the cache is."""
    key_id: pulumi.Input[str]
    """ARN of the key under which the bucket is encrypted."""
    readers: Mapping[str, pulumi.Input[str]]
    """Names of the roles that may read it, by a stable label: the verifier's."""
    publishers: Mapping[str, pulumi.Input[str]]
    """Names of the roles that may fill it, by a stable label: whoever carries the vendors' files into the region."""


class CollateralCache(Component):
    """`bailiwick:index:AwsCollateralCache`: a bucket with the certificates, revocation lists and reference values of
    AMD, Intel and NVIDIA, from which the region's verifier works without asking a vendor.

    Creates a bucket in the region, the readers' right to read it, and the publishers' right to fill it.

    Guarantees: verification calls nobody outside the region; no public grant is possible. What is in the cache is
    signed by the vendors, and the verifier checks that: who fills the cache can make verification fail, never pass.

    Does not: fetch. The verifier reads one object, `collateral.bundle`, which `bailiwick collateral export` writes; a
    publisher copies it in before what is in it expires. On shared hosts a VLEK signs the report: the guest brings its
    certificate, which AWS hands it, and the cache holds AMD's chain and revocation list for it.
    """

    account_name: str
    """Name of the bucket, known before it exists."""
    url: str
    """URL of the bucket in the region."""

    def __init__(self, name: str, args: CollateralCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.account_name = args.placement.bucket_name("coll")
        self.url = self.url_in(args.placement)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        private_bucket(
            f"{name}-store",
            placement=args.placement,
            bucket_name=self.account_name,
            key_arn=args.key_id,
            opts=child,
        )
        objects = f"{args.placement.bucket_arn(self.account_name)}/*"
        for kind, actions, roles in (("read", _READ, args.readers), ("fill", _FILL, args.publishers)):
            for label, role in roles.items():
                iam.RolePolicy(
                    f"{name}-{kind}-{label}",
                    name=f"collateral-{kind}",
                    role=role,
                    policy=document([{"Effect": "Allow", "Action": list(actions), "Resource": objects}]),
                    opts=child,
                )
        self.register_outputs({"accountName": self.account_name, "url": self.url})

    @staticmethod
    def url_in(placement: Placement) -> str:
        """URL of the region's cache."""
        host = placement.endpoint("s3").removeprefix("https://")
        return f"https://{placement.bucket_name('coll')}.{host}"
