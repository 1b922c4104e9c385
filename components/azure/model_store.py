"""Where encrypted models wait for an attested guest."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import storage

from components.azure.placement import Placement
from components.azure.storage_account import private_account
from components.component import Component, ComponentArgs
from components.naming import azure_name

TYPE = "bailiwick:index:AzureModelStore"
CONTAINER = "models"


@dataclass(frozen=True, slots=True)
class ModelStoreArgs(ComponentArgs):
    """Inputs of `ModelStore`."""

    placement: Placement
    """Where the models are kept."""
    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Private DNS zones by name, from the network."""


class ModelStore(Component):
    """`bailiwick:index:AzureModelStore`: a private store for model artefacts that were encrypted before they came.

    Creates a storage account that only a private endpoint reaches, and one container, `models`.

    Guarantees: no public way in, no shared key, copies stay in the region's zones.

    Does not: encrypt models. The publisher does, with a data key that only the broker can have unwrapped, so that
    whoever can read the container, the operator included, reads nothing.
    """

    account_name: str
    """Name of the storage account, known before it exists: guests are told it at boot."""
    container_id: pulumi.Output[str]
    """Resource id of the container."""

    def __init__(self, name: str, args: ModelStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.account_name = self.account_name_in(args.placement)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = private_account(
            f"{name}-store",
            placement=args.placement,
            account_name=self.account_name,
            subnet_id=args.subnet_id,
            zone_ids=args.zone_ids,
            opts=child,
        )
        container = storage.BlobContainer(
            f"{name}-container",
            container_name=azure_name("blob container", CONTAINER),
            account_name=account.name,
            resource_group_name=args.placement.resource_group_name,
            public_access=storage.PublicAccess.NONE,
            opts=child,
        )
        self.container_id = container.id
        self.register_outputs({"accountName": self.account_name, "containerId": self.container_id})

    @staticmethod
    def account_name_in(placement: Placement) -> str:
        """Name of the region's storage account for models."""
        return placement.unique_name("storage account", f"model{placement.stack}")
