"""The key under which confidential OS disks are encrypted, in the form that a virtual machine takes it."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute

from components.azure.disk_key import DiskKey
from components.azure.placement import Placement
from components.azure.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AzureConfidentialDiskEncryption"


@dataclass(frozen=True, slots=True)
class ConfidentialDiskEncryptionArgs(ComponentArgs):
    """Inputs of `ConfidentialDiskEncryption`."""

    placement: Placement
    """Where the disk encryption set is."""
    label: str
    """Label of the key; part of the names."""
    key: DiskKey
    """The key, and the rights to it that the set and the orchestrator need."""
    orchestrator_principal_id: str | None = None
    """Object id, in this tenant, of the service principal of Azure's Confidential VM Orchestrator (its application id
    is in the catalogue). A region in Azure needs it: the orchestrator hands the released key to the machine's
    firmware. The emulated Azure has no such principal."""


class ConfidentialDiskEncryption(Component):
    """`bailiwick:index:AzureConfidentialDiskEncryption`: a disk encryption set for confidential OS disks.

    Creates a disk encryption set of the kind that binds a disk to one confidential VM, an identity of its own for it,
    and that identity's right to wrap and unwrap with the one key; with `orchestrator_principal_id`, also the
    orchestrator's right to ask for the key's release.

    Guarantees: one key serves the disks of one version of one image, so that its release policy names that measurement
    alone.

    Does not: rotate the key (Azure rotates it with the machines stopped only), or serve data disks.
    """

    id: pulumi.Output[str]
    """Resource id of the disk encryption set."""

    def __init__(
        self, name: str, args: ConfidentialDiskEncryptionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TYPE, name, args, opts)
        placement = args.placement
        child = pulumi.ResourceOptions(parent=self)
        identity = WorkloadIdentity(
            f"{name}-identity",
            WorkloadIdentityArgs(
                placement=placement,
                role=f"disks-{args.label}",
                grants=[args.key.wrap],
            ),
            opts=child,
        )
        grants = list(identity.assignments)
        if args.orchestrator_principal_id is not None:
            grants.append(
                args.key.release.assign(
                    f"{name}-orchestrator",
                    placement=placement,
                    principal_id=args.orchestrator_principal_id,
                    opts=child,
                )
            )
        encryption = compute.DiskEncryptionSet(
            f"{name}-set",
            disk_encryption_set_name=placement.name("disk encryption set", "disks", args.label),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            encryption_type=compute.DiskEncryptionSetType.CONFIDENTIAL_VM_ENCRYPTED_WITH_CUSTOMER_KEY,
            identity=compute.EncryptionSetIdentityArgs(
                type=compute.DiskEncryptionSetIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            active_key=compute.KeyForDiskEncryptionSetArgs(
                key_url=args.key.url, source_vault=args.key.vault_id and compute.SourceVaultArgs(id=args.key.vault_id)
            ),
            rotation_to_latest_key_version_enabled=False,
            tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions(parent=self, depends_on=grants),
        )
        self.id = encryption.id
        self.register_outputs({"id": self.id})
