"""Where encrypted models wait for an attested guest."""

from dataclasses import dataclass

import pulumi

from components.aws.bucket import private_bucket
from components.aws.placement import Placement
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AwsModelStore"
CONTAINER = "models"
"""Prefix of the objects' names."""


@dataclass(frozen=True, slots=True)
class ModelStoreArgs(ComponentArgs):
    """Inputs of `ModelStore`."""

    placement: Placement
    """Where the models are kept."""
    key_id: pulumi.Input[str]
    """ARN of the key under which the bucket is encrypted."""


class ModelStore(Component):
    """`bailiwick:index:AwsModelStore`: a private store for model artefacts that were encrypted before they came.

    Creates a bucket in the region; models are its objects `models/<name>.enc`.

    Guarantees: no public grant is possible, IAM alone governs it, it answers over TLS only, copies stay in the region.

    Does not: encrypt models. The publisher does, with a data key that only the broker can have unwrapped, so that
    whoever can read the bucket, the operator included, reads nothing.
    """

    account_name: str
    """Name of the bucket, known before it exists: guests are told it at boot."""
    container_id: str
    """ARN of the objects under `models/`, for grants on them."""

    def __init__(self, name: str, args: ModelStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.account_name = self.account_name_in(args.placement)
        super().__init__(TYPE, name, args, opts)
        private_bucket(
            f"{name}-store",
            placement=args.placement,
            bucket_name=self.account_name,
            key_arn=args.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.container_id = f"{args.placement.bucket_arn(self.account_name)}/{CONTAINER}/*"
        self.register_outputs({"accountName": self.account_name, "containerId": self.container_id})

    @staticmethod
    def account_name_in(placement: Placement) -> str:
        """Name of the region's bucket for models."""
        return placement.bucket_name("model")
