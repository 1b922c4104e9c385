"""The processor vendors' collateral, kept inside the region."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import storage

import catalog
from components.azure.placement import Placement
from components.azure.roles import Role
from components.azure.storage_account import private_account
from components.azure.workload_identity import Grant
from components.component import Component, ComponentArgs
from components.naming import azure_name

TYPE = "bailiwick:index:AzureCollateralCache"
CONTAINER = "collateral"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralCacheArgs(ComponentArgs):
    """Inputs of `CollateralCache`."""

    placement: Placement
    """Where the cache is."""
    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Private DNS zones by name, from the network."""
    readers: Mapping[str, pulumi.Input[str]]
    """Principals (object ids) that may read it, by a stable label: the verifier's identity."""
    publishers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Principals that may fill it, by a stable label: whoever carries the vendors' files into the region."""


class CollateralCache(Component):
    """`bailiwick:index:AzureCollateralCache`: a private store for the certificates, revocation lists and reference
    values of AMD, Intel and NVIDIA, from which the region's verifier works without asking a vendor.

    Creates a storage account that only a private endpoint reaches, one container, `collateral`, the readers' right to
    read it and the publishers' right to fill it.

    Guarantees: verification calls nobody outside the region; no public way in, no shared key. What is in the cache is
    signed by the vendors, and the verifier checks that: who fills the cache can make verification fail, never pass.

    Does not: fetch. The verifier reads one blob, `collateral.bundle`, which `bailiwick collateral export` writes; a
    publisher copies it in before what is in it expires.
    """

    account_name: str
    """Name of the storage account, known before it exists."""
    url: str
    """URL of the container."""

    def __init__(self, name: str, args: CollateralCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        placement = args.placement
        self.account_name = self.account_name_in(placement)
        self.url = self.url_in(placement)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = private_account(
            f"{name}-store",
            placement=placement,
            account_name=self.account_name,
            subnet_id=args.subnet_id,
            zone_ids=args.zone_ids,
            opts=child,
        )
        container = storage.BlobContainer(
            f"{name}-container",
            container_name=azure_name("blob container", CONTAINER),
            account_name=account.name,
            resource_group_name=placement.resource_group_name,
            public_access=storage.PublicAccess.NONE,
            opts=child,
        )
        for kind, role, principals in (
            ("read", Role.BLOB_READER, args.readers),
            ("fill", Role.BLOB_CONTRIBUTOR, args.publishers),
        ):
            for label, principal_id in principals.items():
                grant = Grant(kind, role.definition_id(placement), container.id)
                grant.assign(f"{name}-{kind}-{label}", placement=placement, principal_id=principal_id, opts=child)
        self.register_outputs({"accountName": self.account_name, "url": self.url})

    @staticmethod
    def account_name_in(placement: Placement) -> str:
        """Name of the region's storage account for collateral."""
        return placement.unique_name("storage account", f"coll{placement.stack}")

    @classmethod
    def url_in(cls, placement: Placement) -> str:
        """URL of the region's cache."""
        host = catalog.load().service("azure", "blob-storage").endpoints["blob"]
        return f"https://{host.format(name=cls.account_name_in(placement))}/{CONTAINER}"
