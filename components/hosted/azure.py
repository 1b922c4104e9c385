"""Azure components for other languages: the same components behind inputs that the host can carry.

Each facade is the component itself, under its own token and with its own outputs. Its inputs are flat: `Placement` is
spelled out, and what must be known while the program runs is plain text (see `components.hosted.inputs`).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi

from components import azure
from components.hosted.inputs import adopted, json_object, known, placement, whole, zones


class Tee(Enum):
    """Trusted execution environment."""

    SNP = "snp"
    TDX = "tdx"


class Gpu(Enum):
    """GPU in confidential-computing mode."""

    NONE = "none"
    H100 = "h100"


class Placed(TypedDict):
    """Inputs that every component has."""

    stack: str
    """Name of the stack; names of resources begin with it."""
    subscription_id: str
    """Azure subscription, a GUID."""
    tenant_id: str
    """Microsoft Entra tenant that the subscription trusts, a GUID."""
    location: str
    """Azure region, as the catalogue names it."""
    jurisdiction: str
    """Jurisdiction that the resource must not leave, as the catalogue names it."""
    data_class: str
    """Highest class of data that the resource may hold: public, internal, confidential or secret."""
    owner: str
    """Who answers for the resource: a mailbox of a team."""
    resource_group_name: pulumi.Input[str]
    """Resource group that holds the resources."""
    import_ids: NotRequired[str]
    """What exists already and is taken over: a JSON object as text, the cloud's id by the child's name without the
    component's."""


class AzureSovereignNetworkArgs(Placed):
    """Inputs of `AzureSovereignNetwork`."""

    address_space: str
    """Private IPv4 range of the network (RFC 1918) in CIDR notation, /26 or larger."""
    domain: str
    """Private DNS domain for the region's own services."""


class AzureSovereignNetwork(azure.SovereignNetwork):
    """A virtual network that neither the Internet reaches nor guests leave."""

    def __init__(self, name: str, args: AzureSovereignNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        component = azure.sovereign_network.TYPE
        own = azure.SovereignNetworkArgs(
            placement=placement(component, args),
            import_ids=adopted(component, args),
            address_space=known(component, args, "address_space"),
            domain=known(component, args, "domain"),
        )
        super().__init__(name, own, opts)


class AzureAuditLogArgs(Placed):
    """Inputs of `AzureAuditLog`."""

    retention_days: int
    """How long a record cannot be changed or deleted, in days; 183 or more."""
    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Private DNS zones by name, from the network."""
    retention_locked: NotRequired[bool]
    """Make the retention irreversible; from the second deployment on."""


class AzureAuditLog(azure.AuditLog):
    """Write-once storage for audit records, and a workspace to search them."""

    def __init__(self, name: str, args: AzureAuditLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        component = azure.audit_log.TYPE
        own = azure.AuditLogArgs(
            placement=placement(component, args),
            import_ids=adopted(component, args),
            retention_days=whole(component, args, "retention_days"),
            subnet_id=args["subnet_id"],
            zone_ids=zones("blob", args["zone_ids"]),
            retention_locked=known(component, args, "retention_locked", False),
        )
        super().__init__(name, own, opts)


class AzureModelStoreArgs(Placed):
    """Inputs of `AzureModelStore`."""

    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Private DNS zones by name, from the network."""


class AzureModelStore(azure.ModelStore):
    """A private store for model artefacts that were encrypted before they came."""

    def __init__(self, name: str, args: AzureModelStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = azure.ModelStoreArgs(
            placement=placement(azure.model_store.TYPE, args),
            import_ids=adopted(azure.model_store.TYPE, args),
            subnet_id=args["subnet_id"],
            zone_ids=zones("blob", args["zone_ids"]),
        )
        super().__init__(name, own, opts)


class AzureConfidentialVmArgs(Placed):
    """Inputs of `AzureConfidentialVm`."""

    role: str
    """What the machine is, such as `inference`; part of its name."""
    size: str
    """Azure size that has the TEE in this location."""
    tee: Tee
    """Trusted execution environment."""
    gpu: NotRequired[Gpu]
    """GPU in confidential-computing mode; none by default."""
    zone: NotRequired[str]
    """Availability zone."""
    image_name: str
    """Guest image in the gallery: a specialized image that supports confidential VMs."""
    image_version: str
    """Its exact version."""
    guest_configuration: str
    """What the guest is told at boot: a JSON object as text. The operator can read it: no secrets."""
    subnet_id: pulumi.Input[str]
    """Subnet of the one network interface."""
    disk_encryption_set_id: pulumi.Input[str]
    """Disk encryption set for confidential OS disks."""
    identity_id: pulumi.Input[str]
    """User-assigned identity of the guest."""


class AzureConfidentialVm(azure.ConfidentialVm):
    """An AMD SEV-SNP or Intel TDX virtual machine that nobody logs in to."""

    def __init__(self, name: str, args: AzureConfidentialVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        component = azure.confidential_vm.TYPE
        own = azure.ConfidentialVmArgs(
            placement=placement(component, args),
            import_ids=adopted(component, args),
            role=known(component, args, "role"),
            size=known(component, args, "size"),
            tee=known(component, args, "tee"),
            gpu=known(component, args, "gpu", Gpu.NONE),
            zone=known(component, args, "zone"),
            image_name=known(component, args, "image_name"),
            image_version=known(component, args, "image_version"),
            guest_configuration=json_object(component, args, "guest_configuration"),
            subnet_id=args["subnet_id"],
            disk_encryption_set_id=args["disk_encryption_set_id"],
            identity_id=args["identity_id"],
        )
        super().__init__(name, own, opts)


class AzureResidencyGuardArgs(Placed):
    """Inputs of `AzureResidencyGuard`."""

    sizes: Sequence[str]
    """Sizes of the virtual machines that may be made, each with a TEE."""
    whole_subscription: NotRequired[bool]
    """Guard the subscription in place of the resource group: for one that holds this region alone."""


class AzureResidencyGuard(azure.ResidencyGuard):
    """Assignments of Azure's own policies, which go on holding after the deployment."""

    def __init__(self, name: str, args: AzureResidencyGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        component = azure.residency_guard.TYPE
        own = azure.ResidencyGuardArgs(
            placement=placement(component, args),
            import_ids=adopted(component, args),
            sizes=known(component, args, "sizes"),
            whole_subscription=known(component, args, "whole_subscription", False),
        )
        super().__init__(name, own, opts)
